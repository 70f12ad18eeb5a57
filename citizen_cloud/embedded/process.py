"""Child processes that never outlive this one, and the lock that keeps a second run out.

Linux ends a child for us when its parent dies, even by SIGKILL (``PR_SET_PDEATHSIG``). That was
chosen over a watchdog on a pipe because nothing has to be alive to do it and there is no moment
between start and registration. Its three traps are met here: it is set in the child after the
change of user, which would clear it; the child looks whether the parent died before it was set;
and because it follows the parent's *thread*, only the main thread may start a process.
Elsewhere than on Linux an orderly end still stops everything; a SIGKILL may leave an engine.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from citizen_cloud.embedded.account import Account, EngineError

PR_SET_PDEATHSIG = 1
LOG_BYTES = 8 * 1024 * 1024
LEFTOVER_GRACE_S = 10.0
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    text: str = "",
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, its output appended to ``log``.

    A session of its own, because Ctrl-C goes to the terminal's whole group and would stop the
    database while requests still end. ``text`` is given on standard input. ``orphan_signal`` is
    what the program gets when this process dies. Raises ``EngineError`` when it cannot be run.
    """
    if threading.current_thread() is not threading.main_thread():
        message = "a process may only be started from the main thread: it ends with that thread"
        raise RuntimeError(message)
    with _open_log(log) as sink:
        try:
            process = subprocess.Popen(  # noqa: S603 - the programs are ours
                list(map(str, argv)),
                stdin=subprocess.PIPE if text else subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=env,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid(), orphan_signal),  # noqa: PLW1509 - one system call
                **(account.switch() if account else {}),
            )
        except (OSError, subprocess.SubprocessError) as error:
            message = f"cannot start {argv[0]}: {error}"
            raise EngineError(message) from error
    if process.stdin:
        with process.stdin as stdin:
            stdin.write(text.encode())
    return process


def _end_with(parent: int, signum: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    libc = _libc

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:
            os._exit(1)

    return ask


@contextmanager
def _open_log(path: Path) -> Iterator[int]:
    """Open a log for appending, readable by its owner; past 8 MiB the old one moves aside."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, for an error message."""
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def stop(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Send each signal and give it its seconds; what is still alive after the last is killed."""
    for signum, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(signum)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(ready: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Ask again and again until the answer is yes; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end_leftovers(program: str, folder: Path) -> None:
    """End what a run that died has left of ``program`` working in ``folder``.

    Safe because the caller holds the folder's lock: nobody else's server can be there. The kernel
    has already asked them to go; this waits and then insists.
    """
    if until(lambda: not _working_in(program, folder), seconds=LEFTOVER_GRACE_S):
        return
    for pid in _working_in(program, folder):
        os.kill(pid, signal.SIGKILL)
    if not until(lambda: not _working_in(program, folder), seconds=LEFTOVER_GRACE_S):
        message = f"{program} processes of an earlier run in {folder} do not end"
        raise EngineError(message)


def _working_in(program: str, folder: Path) -> list[int]:
    """Find processes by working directory: a recorded pid may have become somebody else's."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if _link(entry / "exe").startswith(program)
        and _link_path(entry / "cwd").is_relative_to(folder)
    ]


def _link(path: Path) -> str:
    return _link_path(path).name


def _link_path(path: Path) -> Path:
    try:
        return path.readlink()
    except OSError:
        return Path()


@contextmanager
def only_run(var: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go when it dies, however it dies.

    Raises ``EngineError`` naming the other process.
    """
    path = var / "serve.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = path.read_text().strip() or "unknown"
            message = f"{var} is in use by another run (process {pid}); stop it or use --var"
            raise EngineError(message) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def is_in_use(var: Path) -> bool:
    """Tell whether a run holds the folder now."""
    try:
        descriptor = os.open(var / "serve.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
