"""A city for every booking test: real commits, so a database that is swept and not rolled back.

Tests that ask for ``fresh_database`` (to tamper, or to take constraints away) get their own.
"""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from booking_world import World
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from citizen_cloud import crypto, db, migrations
from citizen_cloud.config import Settings
from citizen_cloud.db import PooledDatabase
from citizen_cloud.embedded.postgres import OWNER_ROLE, Postgres


@pytest.fixture(scope="session")
def city(cluster: Postgres, settings: Settings) -> Iterator[tuple[PooledDatabase, Engine]]:
    """Create one database for all booking tests of this worker, and its sweeper."""
    name = f"booking_{secrets.token_hex(6)}"
    url = cluster.url("postgres", "postgres").replace("postgresql://", "postgresql+psycopg://", 1)
    superuser = create_engine(url, isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} TEMPLATE citizen_cloud OWNER {OWNER_ROLE}"
        )
    superuser.dispose()
    own = replace(
        settings,
        database_url=cluster.url(name),
        database_owner_url=cluster.url(name, OWNER_ROLE),
        pool_size=32,
    )
    database = PooledDatabase(own.database_url, pool_size=own.pool_size)
    owner = create_engine(migrations.owner_url(own), isolation_level="AUTOCOMMIT")
    yield database, owner
    database.dispose()
    owner.dispose()


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    if "fresh_database" in request.fixturenames:
        fresh: Any = request.getfixturevalue("fresh_database")
        return World(fresh.database)
    database, owner = request.getfixturevalue("city")
    crypto.configure(request.getfixturevalue("settings"))
    db.install(database)
    return World(database, owner)
