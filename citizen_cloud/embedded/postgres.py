"""The embedded PostgreSQL 18: one cluster, no network, two login roles from the first boot.

Whoever can open the socket is trusted. That is sound because the socket lies in a 0700 folder of
the engine's user, and whoever can enter that folder can as well read the data files; a password
kept beside them would protect nothing. TCP is off and rejected in pg_hba.conf besides.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, NoReturn, Self
from urllib.parse import quote

import psycopg

from citizen_cloud.db import APP_ROLE
from citizen_cloud.embedded.account import (
    Account,
    EngineError,
    account_for,
    settle,
    shelter_of,
    socket_folder,
)
from citizen_cloud.embedded.process import end_leftovers, spawn, stop, tail, until
from citizen_cloud.embedded.programs import postgres_programs

ADMIN_ROLE = "postgres"
OWNER_ROLE = "citizen_cloud_owner"
DATABASE = "citizen_cloud"
PORT = 5432
BOOT_S = 60.0
RECOVERY_S = 300.0

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    # Nobody replicates from here: less is written per change, and it is as durable.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    # A failing statement and the DETAIL of an error would carry personal data into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

OWNER = f"CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER CREATEROLE NOCREATEDB NOBYPASSRLS"
APP = f"CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOCREATEDB NOBYPASSRLS"


class Postgres:
    """One embedded server: ``start()``, ``stop()``, ``url()``; also a context manager.

    ``home`` holds the cluster, the socket folder and the log. ``durable=False`` is for tests: it
    forgets the last transactions when the machine stops.
    """

    def __init__(
        self,
        home: Path,
        *,
        durable: bool = True,
        log: Path | None = None,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.home = home.absolute()
        self.process: subprocess.Popen[bytes] | None = None
        self.run: Path | None = None
        self._log = log.absolute() if log else None
        self._durable = durable
        self._tell = tell

    @property
    def cluster(self) -> Path:
        """The data directory."""
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        """The file the server and initdb write to."""
        return self._log or self.home / "postgres.log"

    @property
    def is_running(self) -> bool:
        """True while the server process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Boot the server, making the cluster and the roles when they are missing.

        Returns when connections are accepted. Raises ``EngineError`` with the end of the log.
        """
        account = self._settle()
        self.run = socket_folder(self.home, account)
        programs = postgres_programs(account, self.home)
        self._clear(account)
        try:
            if not self.cluster.exists():
                self._make_cluster(programs, account)
            self._launch(programs, account)
            self._make_roles()
        except BaseException:
            self.stop("immediate")
            raise

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End the server: *fast* ends sessions and saves; *immediate* is a crash on purpose."""
        process, self.process = self.process, None
        if process is None:
            return
        steps = [(signal.SIGQUIT, 5.0)]
        if mode == "fast":
            steps.insert(0, (signal.SIGINT, 10.0))
        stop(process, *steps)

    def url(self, database: str = DATABASE, role: str = APP_ROLE) -> str:
        """Return the libpq URL of a database for a role, with the port against ``PGPORT``."""
        host = quote(str(self.run), safe="")
        return f"postgresql://{role}@/{database}?host={host}&port={PORT}"

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def _settle(self) -> Account:
        for home in (self.home, shelter_of(self.home)):
            if (home / "cluster").exists():
                account = account_for(home / "cluster")
                break
        else:
            account = account_for(self.cluster)
        self.home = settle(self.home, account, self._tell)
        return account

    def _clear(self, account: Account) -> None:
        """Undo what a killed run left: processes first, then the pid file, then drafts."""
        end_leftovers("postgres", self.home)
        if self.cluster.exists() and self.cluster.stat().st_uid != account.uid:
            message = f"{self.cluster} belongs to another user; use --var for a folder of your own"
            raise EngineError(message)
        if Path("/proc/self").exists():
            # No server works here, as just seen; the pid in the file may be anybody's by now.
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for draft in self.home.glob("draft-*"):
            shutil.rmtree(draft)

    def _make_cluster(self, programs: Path, account: Account) -> None:
        """Run initdb in a draft and rename it: a kill in between leaves no half cluster."""
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=self.home))
        os.chown(draft, account.uid, account.gid)
        options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        options += ["--builtin-locale=C.UTF-8", "--text-search-config=simple"]
        options += ["--auth-local=trust", "--auth-host=reject", f"--username={ADMIN_ROLE}"]
        if not self._durable:
            options.append("--no-sync")
        self.process = self._spawn([programs / "initdb", "-D", draft, *options], account)
        try:
            code = self.process.wait(BOOT_S)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            self._fail("initdb did not succeed")
        self.process = None
        draft.rename(self.cluster)

    def _launch(self, programs: Path, account: Account) -> None:
        settings = {**SETTINGS, **({} if self._durable else FORGETFUL)}
        quoted = str(self.run).replace('"', '""')
        settings["unix_socket_directories"] = f'"{quoted}"'
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # On the parent's death: SIGINT, PostgreSQL's orderly end.
        argv: list[str | Path] = [programs / "postgres", "-D", self.cluster, *flags]
        self.process = self._spawn(argv, account, orphan_signal=signal.SIGINT)
        accepted = until(lambda: self._answers() or not self.is_running, seconds=RECOVERY_S)
        if not accepted or not self.is_running:
            self._fail("PostgreSQL does not start")

    def _spawn(
        self,
        argv: Sequence[str | Path],
        account: Account,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> subprocess.Popen[bytes]:
        return spawn(
            argv,
            log=self.log,
            account=account,
            env=ENVIRONMENT,
            orphan_signal=orphan_signal,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(ADMIN_ROLE, ADMIN_ROLE), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_roles(self) -> None:
        """Create what is missing, so that a boot killed in between is completed by the next."""
        with psycopg.connect(self.url(ADMIN_ROLE, ADMIN_ROLE), autocommit=True) as admin:
            known = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles")}
            if OWNER_ROLE not in known:
                admin.execute(OWNER)
            if APP_ROLE not in known:
                admin.execute(APP)
            # The migrations set time-outs on the app role; PostgreSQL asks for this right.
            admin.execute(f"GRANT {APP_ROLE} TO {OWNER_ROLE} WITH ADMIN TRUE, SET TRUE")
            named = "SELECT 1 FROM pg_database WHERE datname = %s"
            if admin.execute(named, [DATABASE]).fetchone() is None:
                admin.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
            admin.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            admin.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}")

    def _fail(self, sentence: str) -> NoReturn:
        message = f"{sentence}; {self.log} ends:\n{tail(self.log)}"
        raise EngineError(message)
