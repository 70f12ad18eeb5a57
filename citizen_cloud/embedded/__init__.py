"""The default run's own PostgreSQL and Redis, for people who have no servers at hand."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from citizen_cloud.embedded.account import (
    EngineError,
    account_for,
    make_folder,
    settle,
    shelter_of,
    socket_folder,
)
from citizen_cloud.embedded.keys import keys
from citizen_cloud.embedded.postgres import DATABASE, OWNER_ROLE, Postgres
from citizen_cloud.embedded.process import is_in_use, only_run
from citizen_cloud.embedded.redis import Redis

__all__ = [
    "EngineError",
    "Engines",
    "Postgres",
    "Redis",
    "engines",
    "erase",
    "is_in_use",
    "keys",
    "scratch",
]


class Engines:
    """The servers of one ``var`` folder and the environment that points at them.

    Servers named by the caller's ``DATABASE_URL`` or ``REDIS_URL`` are used instead, and none of
    that kind is started.
    """

    def __init__(self, var: Path, *, tell: Callable[[str], None] = print) -> None:
        self.var = var.absolute()
        self.environment: dict[str, str] = {}
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        self._tell = tell
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Lock the folder, draw the keys on the first run, boot the servers."""
        with ExitStack() as held:
            held.enter_context(only_run(make_folder(self.var)))
            self.environment = self._own_settings()
            if not _given("DATABASE_URL"):
                self._boot_postgres(held)
            if not _given("REDIS_URL"):
                self._boot_redis(held)
            self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers, last started first, and let go of the folder."""
        self._held.close()

    @property
    def servers(self) -> dict[str, Postgres | Redis]:
        """Return the servers that were started here, by name; ``start()`` revives a dead one."""
        named = {"PostgreSQL": self.postgres, "Redis": self.redis}
        return {name: server for name, server in named.items() if server is not None}

    def _own_settings(self) -> dict[str, str]:
        logs = make_folder(self.var / "log")
        logs.chmod(0o700)
        settings = {
            "CITIZEN_CLOUD_ENV": "embedded",
            "CITIZEN_CLOUD_SMS_LOG": str(self.var / "sms.log"),
            **keys(self.var),
        }
        return {
            name: value
            for name, value in settings.items()
            if not _given(name.removesuffix("_FILE"))
        }

    def _boot_postgres(self, held: ExitStack) -> None:
        log = self.var / "log" / "postgres.log"
        self.postgres = Postgres(self.var / "engines", log=log, tell=self._tell)
        held.callback(self.postgres.stop)
        self.postgres.start()
        self.environment["DATABASE_URL"] = self.postgres.url()
        self.environment["DATABASE_OWNER_URL"] = self.postgres.url(DATABASE, OWNER_ROLE)

    def _boot_redis(self, held: ExitStack) -> None:
        wanted = self.var / "engines"
        account = account_for(wanted / "cluster")
        # Where PostgreSQL settled was told already.
        tell = self._tell if self.postgres is None else _say_nothing
        run = socket_folder(settle(wanted, account, tell), account)
        redis = Redis(run, account, log=self.var / "log" / "redis.log")
        held.callback(redis.stop)
        if redis.start():
            self.redis = redis
            self.environment["REDIS_URL"] = redis.url
        else:
            self._tell("no Redis here: limits and caches stay in each process")


@contextmanager
def engines(var: Path, *, tell: Callable[[str], None] = print) -> Iterator[dict[str, str]]:
    """Run the servers of a folder for the block; yield the environment that points at them.

    Raises ``EngineError`` when another run holds the folder or a server does not start.
    """
    with Engines(var, tell=tell) as running:
        yield running.environment


@contextmanager
def scratch() -> Iterator[Postgres]:
    """Run a forgetful PostgreSQL in a folder that is gone afterwards, for tests and trials."""
    folder = Path(tempfile.mkdtemp(prefix="citizen-cloud-"))
    # Enterable, so that an engine user other than root works here; what matters inside is 0700.
    folder.chmod(0o711)
    try:
        with Postgres(folder / "pg", durable=False) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(shelter_of(folder / "pg"), ignore_errors=True)


def erase(var: Path) -> None:
    """Remove everything an embedded installation made, for a first run anew.

    Only names this package or the demo makes are touched, whatever folder is given. Raises
    ``EngineError`` while a run holds the folder.
    """
    var = var.absolute()
    with only_run(make_folder(var)):
        for folder in (var / "engines", shelter_of(var / "engines"), var / "keys", var / "metrics"):
            if folder.exists():
                shutil.rmtree(folder)
        for name in ("sms.log", "demo.json"):
            (var / name).unlink(missing_ok=True)


def _say_nothing(_sentence: str) -> None:
    """Drop a sentence."""


def _given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
