"""The embedded Redis: a unix socket, nothing on disk, optional. Without it the app still serves."""

import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from redis import Redis as Client
from redis import RedisError

from citizen_cloud.embedded.account import Account, EngineError
from citizen_cloud.embedded.process import spawn, stop, tail, until
from citizen_cloud.embedded.programs import redis_program

BOOT_S = 10.0
# Commands by which a stolen connection becomes a file on disk or a copy of the data elsewhere.
FORBIDDEN = ("CONFIG", "DEBUG", "MODULE", "MIGRATE", "REPLICAOF", "SLAVEOF")


class Redis:
    """One embedded server; ``start()`` answers False where no server program exists."""

    def __init__(self, run: Path, account: Account, *, log: Path) -> None:
        self.socket = run / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None
        self._account = account
        self._log = log

    @property
    def is_running(self) -> bool:
        """True while the server process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def url(self) -> str:
        """The URL for redis-py."""
        return f"unix://{quote(str(self.socket))}"

    def start(self) -> bool:
        """Boot the server and wait until it answers.

        Returns False when there is no program to run. Raises ``EngineError`` when it fails.
        """
        program = redis_program()
        if program is None:
            return False
        # Its own user if that user can run the program, else ours: the socket stays private.
        account = self._account if self._account.can(program, "--version") else None
        self.process = spawn(
            [program, "-"],
            log=self._log,
            account=account,
            text=self._configuration(),
        )
        try:
            answered = until(lambda: self._answers() or not self.is_running, seconds=BOOT_S)
        except BaseException:
            self.stop()
            raise
        if not answered or not self.is_running:
            self.stop()
            message = f"Redis does not start; {self._log} ends:\n{tail(self._log)}"
            raise EngineError(message)
        return True

    def stop(self) -> None:
        """End the server; there is nothing to save."""
        process, self.process = self.process, None
        if process is not None:
            stop(process, (signal.SIGTERM, 3.0))
            self.socket.unlink(missing_ok=True)

    def _configuration(self) -> str:
        lines = [
            "port 0",
            f"unixsocket {_quoted(self.socket)}",
            "unixsocketperm 700",
            f"dir {_quoted(self.socket.parent)}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "protected-mode yes",
            "maxmemory 64mb",
            "maxmemory-policy volatile-lru",
            *(f'rename-command {name} ""' for name in FORBIDDEN),
        ]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        client = Client(unix_socket_path=str(self.socket), socket_timeout=1)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
