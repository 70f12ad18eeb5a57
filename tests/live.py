"""A real server for tests: gunicorn with its workers, on a database of the test's own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
READY_S = 90


def environment(settings, **extra):
    """Return the variables of a process that serves these settings."""
    ours = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "CITIZEN_CLOUD_ENV": settings.environment,
        "CITIZEN_CLOUD_TOKEN_KEYS": settings.token_keys,
        "CITIZEN_CLOUD_FIELD_KEYS": settings.field_keys,
        "CITIZEN_CLOUD_LOOKUP_KEYS": settings.lookup_keys,
        "CITIZEN_CLOUD_QUOTA_KEY": settings.quota_key,
        "CITIZEN_CLOUD_CREDENTIAL_KEYS": settings.credential_keys,
        "CITIZEN_CLOUD_TRUST_KEYS": settings.trust_keys,
        "CITIZEN_CLOUD_SMS_LOG": str(settings.sms_log),
    }
    if settings.redis_url:
        ours["REDIS_URL"] = settings.redis_url
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CITIZEN_CLOUD", "REDIS_URL"))}
    return {**kept, **ours, **extra}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """gunicorn's master and what it answers; every process is ours and is ended by pid."""

    def __init__(self, settings, log, *, workers=2, **extra):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            "python:citizen_cloud.web.gunicorn_conf",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--workers",
            str(workers),
            "citizen_cloud.wsgi:application",
        ]
        self._environment = environment(settings, **extra)
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.status("/readyz") == 200:
                return self
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text()[-3000:])

    def workers(self):
        """Return the pids of the worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def call(self, method, path, body=None, *, token=None, headers=None, timeout=20):
        """Return (status, headers, parsed body) of one request."""
        sent = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers, _parsed(error.read())

    def status(self, path):
        try:
            return self.call("GET", path, timeout=2)[0]
        except OSError:
            return 0


def _parsed(raw):
    try:
        return json.loads(raw)
    except ValueError:
        return raw


@contextmanager
def serving(settings, log, **options):
    """Run a server for a block."""
    server = Server(settings, log, **options)
    try:
        yield server.start()
    finally:
        server.stop()
