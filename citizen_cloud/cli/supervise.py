"""Keeping processes alive while asked to, and ending them in order when asked to stop."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

from citizen_cloud.embedded import EngineError
from citizen_cloud.embedded.process import spawn, stop

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
# After this long without trouble the next failure is a new one.
CALM_S = 60.0
GRACE_S = 20.0
ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Asks a run to let its services read their settings and keys again.
RELOAD = signal.SIGUSR1


class Stopped(BaseException):
    """Somebody asked this process to stop."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise ``Stopped`` in the block on INT, TERM or HUP, once: the way out is not interrupted."""

    def heed(signum: int, _frame: FrameType | None) -> NoReturn:
        for each in ASKED:
            signal.signal(each, _note)
        raise Stopped(signal.Signals(signum).name)

    before = {each: signal.signal(each, heed) for each in ASKED}
    # Before there is anything to reload, the signal must not end the process.
    before[RELOAD] = signal.signal(RELOAD, _note)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _note(_signum: int, _frame: FrameType | None) -> None:
    """Take note of a signal: it has woken the process, which is all it is for."""


@dataclass
class Service:
    """A program of ours that runs as long as the supervisor."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the program; if this process dies, the program gets SIGTERM."""
        self.process = spawn(
            self.argv, log=self.log, env=self.environment, orphan_signal=signal.SIGTERM
        )

    def reload(self) -> None:
        """Ask for new settings: gunicorn replaces its workers, the job worker ends to be begun."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)


@contextmanager
def running(services: Sequence[Service]) -> Iterator[None]:
    """Run the services for the block; then ask all to end, and kill what does not in time."""
    try:
        for service in services:
            service.start()
        yield
    finally:
        deadline = time.monotonic() + GRACE_S
        started = [service.process for service in services if service.process]
        for process in started:
            if process.poll() is None:
                process.terminate()
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            stop(process)


class Startable(Protocol):
    """What can be looked after: a service, a database."""

    @property
    def is_running(self) -> bool:
        """True while it lives."""
        ...

    def start(self) -> object:
        """Start it, or start it again."""
        ...


@dataclass
class Tended:
    """One thing that is started again when it ends, with growing pauses while that fails."""

    name: str
    subject: Startable
    tell: Callable[[str], None]
    _delay: float = FIRST_DELAY_S
    _due: float | None = None
    _since: float = field(default_factory=time.monotonic)

    def tend(self, now: float) -> float:
        """Look after it; return in how many seconds to look again at the latest."""
        if self.subject.is_running:
            if now - self._since > CALM_S:
                self._delay = FIRST_DELAY_S
            return CALM_S
        if self._due is None:
            self.tell(f"{self.name} ended unexpectedly; starting it again in {self._delay:g} s")
            self._due = now + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY_S)
        if now < self._due:
            return self._due - now
        self._due, self._since = None, now
        try:
            self.subject.start()
        except EngineError as error:
            self.tell(str(error))
        return 0.0


def supervise(tended: Sequence[Tended], *, reload: Callable[[], None]) -> NoReturn:
    """Look after everything until ``Stopped``; sleeps until a child ends or a pause is over.

    ``reload`` is called when somebody sends ``RELOAD``.
    """
    asked: list[int] = []
    signal.signal(RELOAD, lambda signum, _frame: asked.append(signum))
    with _woken() as wait:
        while True:
            if asked:
                asked.clear()
                reload()
            now = time.monotonic()
            wait(min(each.tend(now) for each in tended))


@contextmanager
def _woken() -> Iterator[Callable[[float], None]]:
    """Yield a wait that any signal ends, also one that came just before it began."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before_handler = signal.signal(signal.SIGCHLD, _note)
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float) -> None:
        if select.select([reader], [], [], seconds)[0]:
            os.read(reader, 4096)

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(before_fd)
        signal.signal(signal.SIGCHLD, before_handler)
        os.close(reader)
        os.close(writer)
