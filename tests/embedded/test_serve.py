"""The one command people run first, from nothing to an API and back to nothing."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from embedded_runs import pids_in, poll

COMMAND = (sys.executable, "-P", "-m", "citizen_cloud.cli")


class Served:
    """A running ``serve`` and what it has said so far."""

    def __init__(self, var: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.var = var
        self.said = var.parent / "said"
        # It waits for the servers and the API in the folder where pids_in() will look.
        with self.said.open("wb") as said:
            argv = (*COMMAND, "serve", "--port", str(self.port), "--var", str(var))
            self.process = subprocess.Popen(argv, stdout=said, stderr=said, cwd=var.parent)

    def lines(self) -> str:
        """Return everything it has said."""
        return self.said.read_text()

    def has_said(self, words: str) -> bool:
        """Tell whether it has said something; fail when it ended instead."""
        assert self.process.poll() is None, self.lines()
        return words in self.lines()

    def body(self, path: str) -> bytes:
        """Return what a GET answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def status(self, path: str) -> int:
        """Return the status of a GET; 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """Share one installation in a path with a space."""
    folder = Path(tempfile.mkdtemp(prefix="city cloud ", dir="/tmp"))
    folder.chmod(0o711)
    running = Served(folder / "var")
    try:
        poll(lambda: running.has_said("Ctrl-C"), seconds=120)
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        poll(lambda: not pids_in(folder))
        rmtree(folder)


def workers(served: Served) -> set[int]:
    """Return the processes that answer requests."""
    (master,) = masters(served)
    return {int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()}


def masters(served: Served) -> list[int]:
    """Return the gunicorn processes that are children of ``serve``."""
    found = []
    for pid in pids_in(served.var.parent):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # gone since it was listed
        if b"gunicorn" in command and f"PPid:\t{served.process.pid}\n" in status:
            found.append(pid)
    return found


def test_the_first_run_serves_and_tells_people_what_to_do(served: Served) -> None:
    assert served.status("/livez") == 200
    assert served.status("/readyz") == 200
    told = served.lines()
    for words in (f"http://127.0.0.1:{served.port}/docs", "sms.log", "demo.json", "scripts/test"):
        assert words in told


def test_another_run_is_refused_in_one_sentence(served: Served) -> None:
    for port in (served.port, served.port - 1):
        argv = (*COMMAND, "serve", "--port", str(port), "--var", str(served.var))
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert len(done.stderr.splitlines()) == 1


def test_commands_in_another_terminal_join_the_run(served: Served) -> None:
    environment = {**os.environ, "CITIZEN_CLOUD_VAR": str(served.var)}
    argv = (*COMMAND, "db", "upgrade")
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    published = served.var / "environment.json"
    assert published.stat().st_mode & 0o077 == 0
    assert "DATABASE_URL" in json.loads(published.read_text())


def test_without_a_run_a_command_says_what_is_missing(tmp_path: Path) -> None:
    environment = {**os.environ, "CITIZEN_CLOUD_VAR": str(tmp_path)}
    argv = (*COMMAND, "db", "upgrade")
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "start ./scripts/serve first" in done.stderr


def test_a_new_key_reaches_every_process_and_the_city_goes_on(served: Served) -> None:
    environment = {**os.environ, "CITIZEN_CLOUD_VAR": str(served.var)}
    before = workers(served)
    argv = (*COMMAND, "keys", "add", "field", "lookup", "token")
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "replaces its workers" in done.stdout
    poll(lambda: served.has_said("read settings and keys again"))
    while workers(served) & before:
        assert b"ok" in served.body("/livez")
    poll(lambda: served.has_said("job worker ended"), seconds=60)
    entries = (served.var / "keys" / "field_keys.key").read_text().split()
    assert [entry.partition(":")[0] for entry in entries] == ["k1", "k2"]
    # Keys are published for every process: the signing keys are the quickest to look at.
    poll(lambda: b'"k2"' in served.body("/.well-known/jwks.json"), seconds=60)


def test_a_killed_api_comes_back(served: Served) -> None:
    (master,) = masters(served)
    os.kill(master, signal.SIGKILL)
    poll(lambda: served.has_said("API ended unexpectedly"))
    poll(lambda: served.status("/readyz") == 200, seconds=30)
    assert masters(served) != [master]


def test_a_stop_ends_everything_and_a_second_start_is_quick(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0
    poll(lambda: not pids_in(served.var.parent), seconds=3)
    again = Served(served.var)
    try:
        # Seconds on a quiet machine; a test is no stopwatch for a busy one.
        poll(lambda: again.has_said("ready"), seconds=30)
        assert again.status("/readyz") == 200
    finally:
        again.process.kill()
        again.process.wait()
    poll(lambda: not pids_in(served.var.parent), seconds=20)
