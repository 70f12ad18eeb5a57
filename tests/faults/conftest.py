"""A PostgreSQL of the tests' own, durable and on a disk, that may be killed; a city in it."""

import base64
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import crowd
import psycopg
import pytest

from citizen_cloud import crypto, db, migrations
from citizen_cloud.booking.auditor import differences
from citizen_cloud.config import Settings
from citizen_cloud.embedded.account import shelter_of
from citizen_cloud.embedded.postgres import OWNER_ROLE, Postgres

TEMPLATE = "citizen_cloud"


def ring(seed):
    return f"k1:{base64.b64encode(seed.ljust(32, '.').encode()[:32]).decode()}"


def settings_of(postgres, database):
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


def is_on_a_disk(folder):
    """Return whether a folder outlives the memory: fsync on a tmpfs proves nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(len(at), kind) for at, kind in mounts if Path(folder).is_relative_to(at)]
    return max(inside)[1] not in ("tmpfs", "ramfs")


@pytest.fixture(scope="session")
def home():
    for parent in (None, "/var/tmp"):  # noqa: S108 - mkdtemp makes a folder of its own there
        folder = Path(tempfile.mkdtemp(prefix="citizen-cloud-faults-", dir=parent))
        if is_on_a_disk(folder):
            break
        folder.rmdir()
    else:
        pytest.skip("no folder on a disk: /tmp and /var/tmp are in memory")
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
    shutil.rmtree(shelter_of(folder / "pg"), ignore_errors=True)


@pytest.fixture(scope="session")
def durable(home):
    """Boot a PostgreSQL that keeps what it acknowledged, and migrate the template."""
    with Postgres(home / "pg", durable=True) as postgres:
        migrations.upgrade(settings_of(postgres, TEMPLATE), progress=lambda _: None)
        yield postgres


def admin(postgres):
    """Open an autocommit connection to no database in particular."""
    return psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True)


@dataclass
class World:
    """One database with citizens and offers, and what is known of its server."""

    postgres: Postgres
    settings: Settings
    log: Path
    citizens: list = field(default_factory=list)
    outlets: list = field(default_factory=list)
    campaign: object = None
    published: int = 0

    @property
    def name(self):
        return self.settings.database_url.split("/")[3].split("?")[0]

    def owner(self):
        """Open an autocommit connection that may arrange, look and tamper."""
        return psycopg.connect(
            self.postgres.url(self.name, "postgres"), autocommit=True, connect_timeout=5
        )

    def outside(self):
        """Open an autocommit connection to another database, whatever is wrong with ours."""
        return admin(self.postgres)

    def people(self, citizens, outlets=1):
        """Fill the city; bookings are rationed to nine pieces a person (TW-2)."""
        pool = db.connect(self.settings)
        with pool.transaction() as session:
            self.citizens = crowd.make_citizens(session, citizens)
            self.outlets = crowd.make_outlets(session, outlets)
            self.campaign = crowd.make_campaign(session)
        pool.dispose()
        return self

    def offers(self, capacity, count=None):
        """Publish an offer of a new half-day at each outlet (or the first ``count``)."""
        day, afternoon = divmod(self.published, 2)
        self.published += 1
        pool = db.connect(self.settings)
        with pool.transaction() as session:
            made = crowd.make_offers(
                session,
                self.outlets[:count],
                campaign_id=self.campaign,
                capacity=capacity,
                half="pm" if afternoon else "am",
                days_ahead=1 + day,
            )
        pool.dispose()
        return made

    def audit(self):
        """Recount everything; an empty list is a green auditor."""
        pool = db.connect(self.settings)
        try:
            with pool.statement() as connection:
                return differences(connection)
        finally:
            pool.dispose()

    def rows(self, sql, *values):
        with self.owner() as connection:
            return connection.execute(sql, values).fetchall()


@contextmanager
def new_world(durable, folder):
    """Copy the template for a block."""
    if not durable.is_running:
        durable.start()
    name = f"f_{secrets.token_hex(6)}"
    with admin(durable) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER_ROLE}")
    settings = replace(settings_of(durable, name), sms_log=folder / "sms.log")
    crypto.configure(settings)
    yield World(durable, settings, folder / "server.log")
    if not durable.is_running:
        durable.start()
    with admin(durable) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def world(durable, tmp_path):
    """A database of this test's own."""
    with new_world(durable, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared_world(durable, tmp_path_factory):
    """A database of this file's own."""
    with new_world(durable, tmp_path_factory.mktemp("world")) as made:
        yield made
