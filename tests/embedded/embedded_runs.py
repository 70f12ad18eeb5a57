"""Runs of the embedded servers in processes of their own, and who is still alive."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

RUN = """
import sys
from pathlib import Path
from citizen_cloud.cli.supervise import Stopped, stoppable
from citizen_cloud.embedded import EngineError, engines
try:
    with stoppable(), engines(Path(sys.argv[1])) as environment:
        print("up", flush=True)
        sys.stdin.read()
except (EngineError, Stopped) as end:
    print(type(end).__name__, end, flush=True)
"""


class Run:
    """Servers run by a process of its own, which can be killed."""

    def __init__(self, var: Path) -> None:
        self.folder = var.parent
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            text=True,
        )

    def line(self) -> str:
        """Return the next line it says; empty when it has ended."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """Kill it if it still lives, and let go of its pipes."""
        self.process.kill()
        self.process.communicate()


def pids_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder or below it.

    PostgreSQL works in its cluster, Redis beside its socket, initdb and a run where we put it.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def alive_in(folder: Path) -> list[str]:
    """Return the names of those processes."""
    names = []
    for pid in pids_in(folder):
        try:
            names.append(Path(f"/proc/{pid}/comm").read_text().strip())
        except OSError:
            continue
    return names


def poll(ready: Callable[[], object], seconds: float = 15) -> None:
    """Wait until ready, or fail."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


def in_child(work: Callable[[], None], *, uid: int) -> int:
    """Run something as another user in a forked child; return its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001 - a forked child must not return to pytest
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
