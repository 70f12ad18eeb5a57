"""What is measured: a durable PostgreSQL, Redis, a filled city, and two servers side by side."""

import base64
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import crowd
from bench import cpu, health
from live import ROOT, Server

from citizen_cloud import crypto, db, migrations
from citizen_cloud.config import Settings
from citizen_cloud.embedded.account import account_for, shelter_of
from citizen_cloud.embedded.postgres import DATABASE, OWNER_ROLE, Postgres
from citizen_cloud.embedded.process import tail
from citizen_cloud.embedded.redis import Redis

WORKERS = 2
OUTLETS = 400
# A prime, so that numbered citizens and slots pair anew for millions of bookings.
SLOTS = 401
# One for each run of pgbench on one slot.
HOT_SLOTS = 100
PLENTY = 10_000_000
# Of the citizens, those with a registered phone.
PHONES = 6_000


class HelloServer(Server):
    """The yardstick under the very same gunicorn configuration."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._command[-1] = "bench.hello:application"


def _ring(seed):
    return f"k1:{base64.b64encode(seed.ljust(32, '.').encode()[:32]).decode()}"


class Stage:
    """Everything that runs during a measurement."""

    def __init__(self, folder, held, *, citizens, tell):
        self.folder = folder
        self.postgres = Postgres(folder / "pg", durable=True, tell=tell)
        held.callback(self.postgres.stop)
        self.postgres.start()
        self.redis = Redis(
            self.postgres.run, account_for(self.postgres.cluster), log=folder / "redis.log"
        )
        held.callback(self.redis.stop)
        self.has_redis = self.redis.start()
        self.settings = self._settings()
        tell("migrating")
        migrations.upgrade(self.settings, progress=lambda _: None)
        crypto.configure(self.settings)
        tell(f"making {citizens} citizens, {OUTLETS} outlets, {SLOTS} slots")
        self._fill(citizens)
        (folder / "metrics").mkdir()
        extra = {
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            "PYTHONPATH": str(ROOT / "tests"),
        }
        self.app = self._serve(held, Server, "app", extra)
        self.hello = self._serve(held, HelloServer, "hello", extra)

    def _settings(self):
        return Settings(
            environment="embedded",
            database_url=self.postgres.url(),
            database_owner_url=self.postgres.url(DATABASE, OWNER_ROLE),
            redis_url=self.redis.url if self.has_redis else None,
            token_keys=_ring("token"),
            field_keys=_ring("field"),
            lookup_keys=_ring("lookup"),
            quota_key=_ring("quota"),
            credential_keys=_ring("credential"),
            trust_keys=_ring("trust"),
            sms_log=self.folder / "sms.log",
        )

    def _fill(self, citizens):
        self.database = db.connect(self.settings)
        with self.database.transaction() as session:
            self.citizens = crowd.make_citizens(session, citizens)
            outlets = crowd.make_outlets(session, OUTLETS)
            self.campaign = crowd.make_campaign(session)
            publish = {"campaign_id": self.campaign}
            self.offers = crowd.make_offers(session, outlets, capacity=PLENTY, **publish)
            self.hot = crowd.make_offers(
                session, outlets[:1], capacity=PLENTY, half="pm", **publish
            )[0]
            self.full = crowd.make_offers(session, outlets[1:2], capacity=0, half="pm", **publish)[
                0
            ]
            crowd.make_slots(
                session, SLOTS + HOT_SLOTS, organisation_id=outlets[0], capacity=PLENTY
            )
        with self.database.transaction() as session:
            self.health = health.fill(session, self.citizens, carriers=PHONES)
        with self.postgres_admin() as connection:
            # Marked before the first booking: from then on requests are gathered and booked together.
            connection.execute("UPDATE booking.slot SET hot = true WHERE id = %s", [self.hot])
            connection.execute("VACUUM ANALYZE")

    def _serve(self, held, kind, name, extra):
        server = kind(self.settings, self.folder / f"{name}.log", workers=WORKERS, **extra)
        held.callback(server.stop)
        return server.start()

    def postgres_admin(self):
        import psycopg

        return psycopg.connect(self.postgres.url(DATABASE, "postgres"), autocommit=True)

    def logs(self):
        """Return how the logs of the servers end, for the error that stops the measurement."""
        files = (self.folder / "app.log", self.postgres.log)
        return "".join(f"\n{file} ends:\n{tail(file, 8)}" for file in files)

    def usage(self, server):
        """Return the CPU seconds of a server's workers, and of PostgreSQL's processes."""
        return cpu.of(server.workers()), cpu.of_family(self.postgres.process.pid)


@contextmanager
def stage(*, citizens, tell):
    """Set everything up in a temporary folder, and take it down."""
    folder = Path(tempfile.mkdtemp(prefix="citizen-cloud-bench-"))
    folder.chmod(0o711)
    try:
        with ExitStack() as held:
            yield Stage(folder, held, citizens=citizens, tell=tell)
    finally:
        shutil.rmtree(folder, ignore_errors=sys.exc_info()[0] is not None)
        shutil.rmtree(shelter_of(folder / "pg"), ignore_errors=True)
