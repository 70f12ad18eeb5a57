"""Citizens who go on with their lives whatever operators do; every answer that is wrong is kept.

Each signs in by a texted code, proves a name, books, cancels, refreshes, and begins again with a
new phone. Half of them keep their connection, half open one for each request. Nothing is asked
twice: an answer lost is a failure.
"""

import http.client
import json
import random
import re
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import people
from live import ROOT

# A worker that is replaced on a busy machine is away for many seconds; codes live five minutes.
TEXT_S = 90.0


class Broken(Exception):
    """An answer that nobody should get."""


class Line:
    """One citizen's connection, and an address of his own behind the proxy."""

    def __init__(self, port, *, keep, seed):
        self._port = port
        self._keep = keep
        self._dice = random.Random(seed)
        self._open = None
        self.move()

    def move(self):
        self._address = ".".join(str(self._dice.randrange(1, 255)) for _ in range(4))

    def call(self, method, path, body=None, *, token=None):
        headers = {"X-Forwarded-For": self._address, "Content-Type": "application/json"}
        headers["Idempotency-Key"] = f"e{self._dice.getrandbits(64):x}"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body)
        line = self._kept() or http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            line.request(method, "/api/v1" + path, data, headers)
            answer = line.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
            raise
        if self._keep and not answer.will_close:
            self._open = line
        else:
            line.close()
        return answer.status, json.loads(raw) if raw else None

    def _kept(self):
        """Return the open connection unless the server has ended it, as every client looks."""
        line, self._open = self._open, None
        if line is not None and select.select([line.sock], [], [], 0)[0]:
            line.close()
            return None
        return line

    def close(self):
        if self._open is not None:
            self._open.close()


class Texts:
    """The texts that arrived, by phone."""

    def __init__(self, log, *, patience_s=TEXT_S):
        self._log = log
        self._patience_s = patience_s

    def code(self, phone, alive):
        deadline = time.monotonic() + self._patience_s
        while time.monotonic() < deadline and alive():
            lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
            for line in reversed(lines):
                if f'"{phone}"' in line:
                    return re.search("[0-9]{6}", json.loads(line)["text"])[0]
            time.sleep(0.05)
        raise Broken("no text")


@dataclass
class Everyday:
    """A crowd that lives until told to stop; ``wrong`` stays empty in a good city."""

    port: int
    offers: list
    texts: Texts
    size: int = 6
    seed: int = 1
    done: Counter = field(default_factory=Counter)
    wrong: list = field(default_factory=list)
    lives: dict = field(default_factory=dict)
    slowest: float = 0.0

    def __enter__(self):
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._live, args=(number,), daemon=True)
            for number in range(self.size)
        ]
        self.lives = dict.fromkeys(range(self.size), 0)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def let_everybody_begin_anew(self, seconds=120):
        """Wait until everybody has begun and ended a whole life from now."""
        goal = {number: count + 2 for number, count in self.lives.items()}
        deadline = time.monotonic() + seconds
        while any(self.lives[number] < count for number, count in goal.items()):
            assert time.monotonic() < deadline, self.summary()
            assert len(self.wrong) < 20, self.summary()
            time.sleep(0.05)

    def summary(self):
        return f"{dict(self.done)}, wrong: {self.wrong[:10]}"

    @property
    def requests(self):
        return sum(self.done.values())

    def _live(self, number):
        line = Line(self.port, keep=number % 2 == 0, seed=self.seed * 1000 + number)
        while not self._stop.is_set():
            line.move()
            try:
                self._one_life(line)
            except Broken as error:
                if not self._stop.is_set():
                    self.wrong.append(str(error))
            self.lives[number] += 1
        line.close()

    def _one_life(self, line):
        tokens = self._sign_in(line)
        if tokens is None:
            return
        token = tokens["access_token"]
        consent = {"purpose": "real_name", "version": 1}
        self._ask(line, 200, "POST", "/me/consents", consent, token=token)
        with self._lock:
            number = people.document()
        proof = {"document_type": "resident_id", "document_number": number, "name": "王小明"}
        self._ask(line, 200, "POST", "/me/real-name", proof, token=token)
        for offer in self.offers[:2]:
            path = f"/masks/offers/{offer}/bookings"
            booked = self._ask(line, 201, "POST", path, {"quantity": 3}, token=token)
            renewed = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            tokens = self._ask(line, 200, "POST", "/auth/token", renewed)
            token = tokens["access_token"]
            me = self._ask(line, 200, "GET", "/me", token=token)
            if me["level"] != 2:
                raise Broken("a person was not recognised")
            path = f"/bookings/{booked['id']}/cancel"
            self._ask(line, 200, "POST", path, {}, token=token)
        self._ask(line, 204, "POST", "/auth/logout", token=token)

    def _sign_in(self, line):
        phone = people.new_phone()
        sent = self._ask(line, 202, "POST", "/auth/otp", {"phone": phone})
        code = self.texts.code(phone, lambda: not self._stop.is_set())
        grant = {"grant_type": "otp", "challenge_id": sent["challenge_id"], "code": code}
        grant["device"] = {"name": "手机"}
        return self._ask(line, 200, "POST", "/auth/token", grant)

    def _ask(self, line, expected, method, path, body=None, *, token=None):
        began = time.monotonic()
        kind = f"{method} {re.sub('/[0-9a-f-]{36}', '', path)}"
        try:
            status, answer = line.call(method, path, body, token=token)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{kind}: {type(error).__name__}") from error
        with self._lock:
            self.done[kind] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
        if status != expected:
            code = answer.get("code") if isinstance(answer, dict) else answer
            raise Broken(f"{kind}: {status} {code}")
        return answer


class JobWorker:
    """The worker beside the server, started again like a supervisor would."""

    def __init__(self, environment, log):
        self._environment = environment
        self._log = log
        self._process = None

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._end()

    def reload(self):
        self._end()
        self._start()

    def _start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "citizen_cloud.cli", "jobs", "work"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
