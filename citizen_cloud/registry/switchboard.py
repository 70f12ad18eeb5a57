"""The present state of every module, known in each worker without asking per request.

Changes travel by ``NOTIFY``; a poll every two seconds catches what a lost connection missed. With
the database gone the last known states stay in force.
"""

import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog
from sqlalchemy.engine import make_url

from citizen_cloud.manifest import ModuleState, ServiceModule

CHANNEL = "registry_changed"
POLL_S = 2.0

log = structlog.get_logger(__name__)


class Switchboard:
    """States and settings of the installed modules, refreshed in the background."""

    def __init__(self, modules: Mapping[str, ServiceModule], database_url: str) -> None:
        self._modules = modules
        self._dsn = make_url(database_url).set(drivername="postgresql")
        self._rows: dict[str, tuple[ModuleState, dict[str, Any]]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def state(self, name: str) -> ModuleState:
        """Return the state in force; a module nobody switched yet has its initial one."""
        row = self._rows.get(name)
        return row[0] if row else self._modules[name].initial_state

    def settings(self, name: str) -> dict[str, Any]:
        """Return the module's settings: its defaults, overlaid with what was set."""
        defaults = {setting.name: setting.default for setting in self._modules[name].settings}
        row = self._rows.get(name)
        return {**defaults, **(row[1] if row else {})}

    def take(self, rows: Mapping[str, tuple[ModuleState, dict[str, Any]]]) -> None:
        """Replace what is known."""
        self._rows = dict(rows)

    def refresh(self) -> None:
        """Read the states now, on a connection of its own."""
        with self._connect() as connection:
            self._read(connection)

    def start(self) -> None:
        """Begin to follow changes in a daemon thread (a greenlet under gevent)."""
        self._thread = threading.Thread(target=self._follow, name="switchboard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; it notices within the poll interval."""
        self._stopping.set()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        self._read(connection)
                        for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                            break
            except psycopg.Error as error:
                log.warning("switchboard_unreachable", error=type(error).__name__)
                self._stopping.wait(POLL_S / 2)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self._dsn.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=5,
            options="-c role=citizen_cloud_app -c statement_timeout=5s",
        )

    def _read(self, connection: psycopg.Connection[Any]) -> None:
        rows = connection.execute("SELECT name, state, settings FROM registry.module").fetchall()
        self.take({name: (state, settings) for name, state, settings in rows})
