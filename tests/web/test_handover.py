"""Workers are replaced without a pause: the old ones serve until the new ones do."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

# Far less than loading takes; a busy machine makes single answers slow.
LONGEST_S = 1.5


class Served:
    def __init__(self, home):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "-c", "python:citizen_cloud.web.gunicorn_conf"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--workers", "2", "slow_app:application"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        self.log = home / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd=home
            )

    def ask(self):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("GET", "/")
            return int(line.getresponse().read())
        finally:
            line.close()

    def workers(self):
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}


def until(ready, seconds=30):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


@pytest.fixture
def served(tmp_path):
    running = Served(tmp_path)

    def is_up():
        assert running.process.poll() is None, running.log.read_text()
        try:
            return running.ask() > 0
        except OSError:
            return False

    try:
        until(is_up)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_a_reload_makes_nobody_wait_for_the_new_workers(served):
    old = served.workers()
    waits, failures, stop = [], [], threading.Event()

    def ask_on_and_on():
        while not stop.is_set():
            began = time.monotonic()
            try:
                served.ask()
            except (OSError, http.client.HTTPException) as error:
                failures.append(type(error).__name__)
            waits.append(time.monotonic() - began)

    asking = [threading.Thread(target=ask_on_and_on) for _ in range(3)]
    for thread in asking:
        thread.start()
    served.process.send_signal(signal.SIGHUP)
    until(lambda: len(served.workers()) == 2 and not served.workers() & old)
    time.sleep(0.3)
    stop.set()
    for thread in asking:
        thread.join()
    assert failures == []
    assert max(waits) < LONGEST_S, "somebody waited for an application to be loaded"


def test_a_stop_during_a_reload_is_not_held_up(served):
    served.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    began = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(25)
    assert time.monotonic() - began < 20


def test_a_stop_waits_for_no_successor(served):
    began = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(20)
    assert time.monotonic() - began < 8
