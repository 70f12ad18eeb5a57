"""Services are kept alive while wanted, and all of them end when asked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from embedded_runs import poll

from citizen_cloud.cli.supervise import CALM_S, FIRST_DELAY_S, LONGEST_DELAY_S, Tended
from citizen_cloud.embedded import EngineError

DRIVER = """
import os, sys
from pathlib import Path
from citizen_cloud.cli import supervise as s
s.GRACE_S = 1.0
folder = Path(sys.argv[1])
WRITE = "import os, signal, sys; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True);"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
def service(name, code):
    argv = (sys.executable, "-c", code + WRITE + "signal.pause()", str(folder / name))
    return s.Service(name, argv, folder / "log", dict(os.environ))
services = [service("polite", ""), service("stubborn", DEAF)]
try:
    with s.stoppable(), s.running(services):
        s.supervise(
            [s.Tended(e.name, e, lambda line: print(line, flush=True)) for e in services],
            reload=lambda: print("reloading", flush=True),
        )
except s.Stopped as stopped:
    print(f"stopped by {stopped}", flush=True)
"""


@pytest.fixture
def driver(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    poll(lambda: len(pids(tmp_path, "polite")) == len(pids(tmp_path, "stubborn")) == 1)
    yield process
    process.kill()
    process.communicate()
    # The deaf one outlives a killed supervisor, which is its point; not this test.
    for name in ("polite", "stubborn"):
        for pid in pids(tmp_path, name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def pids(folder: Path, name: str) -> list[int]:
    """Return the processes a service has had, oldest first."""
    path = folder / name
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_service_that_dies_is_started_again(
    driver: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    os.kill(pids(tmp_path, "polite")[0], signal.SIGKILL)
    assert driver.stdout
    assert driver.stdout.readline().startswith("polite ended unexpectedly")
    poll(lambda: len(pids(tmp_path, "polite")) == 2)
    assert is_alive(pids(tmp_path, "polite")[1])
    assert len(pids(tmp_path, "stubborn")) == 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_all_services_end_even_those_that_will_not(
    driver: "subprocess.Popen[str]", tmp_path: Path, signum: signal.Signals
) -> None:
    started = time.monotonic()
    driver.send_signal(signum)
    # Pressed twice, as people do: the way out goes on.
    driver.send_signal(signum)
    assert driver.wait(10) == 0
    assert time.monotonic() - started < 4
    assert driver.stdout
    assert f"stopped by {signum.name}" in driver.stdout.read()
    assert not any(is_alive(pids(tmp_path, name)[0]) for name in ("polite", "stubborn"))


class Failing:
    """Something that never comes up."""

    is_running = False
    starts = 0

    def start(self) -> None:
        self.starts += 1
        raise EngineError("still broken")


def test_pauses_grow_while_starting_fails_and_shrink_after_calm() -> None:
    told: list[str] = []
    subject = Failing()
    tended = Tended("thing", subject, told.append)
    now = time.monotonic()
    pauses = []
    for _ in range(10):
        pause = tended.tend(now)
        pauses.append(pause)
        now += pause
        assert tended.tend(now) == 0.0
    assert pauses[:3] == pytest.approx([FIRST_DELAY_S, FIRST_DELAY_S * 2, FIRST_DELAY_S * 4])
    assert pauses[-1] == pytest.approx(LONGEST_DELAY_S)
    assert subject.starts == 10
    assert told.count("still broken") == 10
    subject.is_running = True
    tended.tend(now + CALM_S + 1)
    subject.is_running = False
    assert tended.tend(now + CALM_S + 2) == pytest.approx(FIRST_DELAY_S)
