"""Connections under gevent: how they wait, how a lost one is noticed before it is used."""

from select import POLLIN
from typing import Any

import psycopg
from gevent import Timeout, get_hub
from gevent.monkey import get_original, is_module_patched
from psycopg.pq import ConnStatus
from sqlalchemy.exc import DisconnectionError

# The kernel's own poll: with no time to wait there is nothing for gevent to take over.
_poll = get_original("select", "poll")
# Longer than any time-out of the server's own: past it the server itself does not live.
PATIENCE_S = 18.0


def refuse_stale(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that ended while it lay there; asks the kernel only.

    An idle PostgreSQL connection has nothing to say: bytes to read, or its end, mean that the
    server has gone, restarted or dismissed us. So no request pays for a restart that is over, and
    none pays a round trip to find out. Raises ``DisconnectionError``, which the pool handles.
    """
    held = connection.pgconn
    if held.status == ConnStatus.OK:
        poller = _poll()
        poller.register(held.socket, POLLIN)
        if not poller.poll(0):
            return
    raise DisconnectionError


def refuse_outdated(context: Any) -> None:
    """Treat a connection as lost whose prepared statements a migration has made useless.

    It would refuse the same statement for ever: what psycopg prepared is forgotten at a rollback,
    and in autocommit there is none. So it is replaced, and all that are as old as it.
    """
    # By the server's function: its words are translated.
    if getattr(context.original_exception, "sqlstate", None) == "0A000":
        diagnosis = context.original_exception.diag
        context.is_disconnect |= diagnosis.source_function == "RevalidateCachedQuery"


class CooperativeConnection(psycopg.Connection[Any]):
    """psycopg under gevent, waiting on the event loop itself.

    What psycopg does by itself there, a patched ``poll()`` around each wait, costs some 50 µs of
    CPU a statement more.
    """

    def wait(self, gen: Any, interval: float = 0.0, timeout: float | None = None) -> Any:
        """Run one of psycopg's generators, letting other greenlets run while PostgreSQL works.

        Raises ``OperationalError`` and closes the connection when the server says nothing for
        ``PATIENCE_S``: a stopped process or a cut cable obeys no ``statement_timeout``.
        """
        if timeout is not None:
            return super().wait(gen, interval or 0.1, timeout)
        try:
            wanted = next(gen)
        except StopIteration as done:
            # A local setting, as when a connection becomes autocommit: nothing to wait for.
            return done.value
        silence = psycopg.OperationalError("the server does not answer")
        try:
            with Timeout(PATIENCE_S, silence):
                return self._run(gen, wanted)
        except psycopg.OperationalError as error:
            if error is silence:
                self.pgconn.finish()
            raise

    def _run(self, gen: Any, wanted: Any) -> Any:
        hub = get_hub()
        try:
            while True:
                # psycopg's read and write are libev's.
                watcher = hub.loop.io(self.pgconn.socket, int(wanted))
                try:
                    hub.wait(watcher)
                finally:
                    watcher.close()
                wanted = gen.send(wanted)
        except StopIteration as done:
            return done.value


def connect_one(
    _dialect: object, _record: object, words: Any, named: Any
) -> psycopg.Connection[Any]:
    """Open a connection of the kind this process needs; gevent patches before it imports us."""
    kind = CooperativeConnection if is_module_patched("select") else psycopg.Connection
    return kind.connect(*words, **named)
