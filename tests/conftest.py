"""Real engines for every test: one PostgreSQL per worker, a savepoint or a database per test."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db, migrations
from citizen_cloud.config import Settings
from citizen_cloud.db import PooledDatabase
from citizen_cloud.embedded import scratch
from citizen_cloud.embedded.postgres import OWNER_ROLE, Postgres
from citizen_cloud.portal.state import HOST

TEMPLATE = "citizen_cloud"


def ring(seed: str) -> str:
    """Return a key ring that is the same in every run."""
    return f"k1:{base64.b64encode(seed.ljust(32, '.').encode()[:32]).decode()}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """Boot one PostgreSQL for this worker and migrate the template database."""
    with scratch() as postgres:
        migrations.upgrade(settings_for(postgres, TEMPLATE), progress=lambda _: None)
        yield postgres


def settings_for(postgres: Postgres, database: str) -> Settings:
    """Return settings that point at one database of the cluster."""
    return Settings(
        environment="embedded",
        database_url=postgres.url(database),
        database_owner_url=postgres.url(database, OWNER_ROLE),
        redis_url=None,
        token_keys=ring("token"),
        field_keys=ring("field"),
        lookup_keys=ring("lookup"),
        quota_key=ring("quota"),
        credential_keys=ring("credential"),
        trust_keys=ring("trust"),
    )


def copy_of_template(postgres: Postgres) -> str:
    """Create a database from the template and return its name."""
    name = f"t_{secrets.token_hex(6)}"
    run_as_superuser(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER_ROLE}")
    return name


def run_as_superuser(postgres: Postgres, sql: str) -> None:
    """Run one administrative statement."""
    url = postgres.url("postgres", "postgres").replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


@pytest.fixture(scope="session")
def settings(cluster: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of this worker's shared database; tests leave no trace in it."""
    log = tmp_path_factory.mktemp("var") / "sms.log"
    return replace(settings_for(cluster, copy_of_template(cluster)), sms_log=log)


class SavepointDatabase:
    """Everything on one connection, rolled back when the test ends."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # Refusals need no database: hundreds in a row may leave it idle for longer than a request may.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit into the test's outer transaction only."""
        mode: Any = "create_savepoint"
        with (
            Session(self.connection, expire_on_commit=False, join_transaction_mode=mode) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Undo a failed statement by a savepoint, as autocommit would."""
        with self.connection.begin_nested():
            yield self.connection


@pytest.fixture(scope="session")
def shared_app(settings: Settings) -> Iterator[Flask]:
    """Assemble the application once; every module is on."""
    from citizen_cloud.app import create_app

    app = create_app(settings)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.extensions[HOST].database.dispose()


@pytest.fixture(scope="session")
def owners_pool(settings: Settings) -> Iterator[PooledDatabase]:
    """Connections that act as the application and may become the owner: he alone appoints."""
    pool = PooledDatabase(settings.database_owner_url, pool_size=2)
    yield pool
    pool.dispose()


@pytest.fixture
def database(
    shared_app: Flask, settings: Settings, owners_pool: PooledDatabase
) -> Iterator[SavepointDatabase]:
    """Install a database that forgets."""
    crypto.configure(settings)
    with owners_pool.engine.connect() as connection:
        outer = connection.begin()
        held = SavepointDatabase(connection)
        db.install(held)
        yield held
        outer.rollback()


@pytest.fixture
def app(shared_app: Flask, database: SavepointDatabase) -> Flask:
    """Return the application on a database that forgets, all modules on."""
    host = shared_app.extensions[HOST]
    host.switchboard.take({name: ("active", {}) for name in host.modules})
    return shared_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client without cookies."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def session(database: SavepointDatabase) -> Iterator[Session]:
    """Return a session that is rolled back with the test."""
    with database.transaction() as session:
        yield session


@dataclass(frozen=True)
class FreshDatabase:
    """A database of one test's own, with a real pool, for races and faults."""

    settings: Settings
    database: PooledDatabase

    @property
    def url(self) -> str:
        """Return the application role's URL."""
        return self.settings.database_url

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """Open an autocommit connection of the owner, to arrange or tamper."""
        engine = create_engine(migrations.owner_url(self.settings), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@pytest.fixture
def fresh_database(cluster: Postgres, tmp_path: Path) -> Iterator[FreshDatabase]:
    """Create a database from the template, install its pool, drop it afterwards."""
    name = copy_of_template(cluster)
    settings = replace(settings_for(cluster, name), sms_log=tmp_path / "sms.log", pool_size=32)
    crypto.configure(settings)
    pool = db.connect(settings)
    yield FreshDatabase(settings, pool)
    pool.dispose()
    run_as_superuser(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session", autouse=True)
def every_drawn_code_is_read_back() -> Iterator[None]:
    """Whatever a test draws, a reader written elsewhere reads the same text, and nobody's name."""
    import qr_reader

    from citizen_cloud.credentials import qr

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qr, "_modules", qr_reader.read_back(qr._modules))
        yield
