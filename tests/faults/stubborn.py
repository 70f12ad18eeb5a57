"""Citizens who do not give up: the same request, with the same key, until there is an answer."""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

DEFINITE = frozenset({200, 201, 400, 401, 403, 404, 409, 422})
PATIENCE_S = 45.0
_labels = count(1)


@dataclass
class Wish:
    """One booking somebody wants, whatever happens on the way."""

    citizen: object
    token: str
    offer: object
    key: str
    quantity: int = 1
    status: int = 0
    body: dict = field(default_factory=dict)
    tries: int = 0
    seconds: float = 0.0
    replayed: bool = False

    @property
    def booking_id(self):
        return self.body.get("id") if self.status == 201 else None


@dataclass
class Crowd:
    """Some threads that fulfil wishes; what they met on the way is counted."""

    port: int
    threads: int = 16
    seed: int = int(os.environ.get("PROVE_SEED", "1"))
    met: Counter = field(default_factory=Counter)
    answered_at: list = field(default_factory=list)
    slowest: float = 0.0

    def fulfil(self, wishes, *, meanwhile=None):
        """Send every wish until it has an answer; ``meanwhile()`` runs in this thread."""
        waiting = list(reversed(wishes))
        lock = threading.Lock()
        helpers = [
            threading.Thread(target=self._work, args=(waiting, lock, number), daemon=True)
            for number in range(self.threads)
        ]
        for helper in helpers:
            helper.start()
        if meanwhile is not None:
            meanwhile()
        for helper in helpers:
            helper.join(PATIENCE_S * 2)
        assert not any(helper.is_alive() for helper in helpers), "a client got no answer"
        return wishes

    def _work(self, waiting, lock, number):
        dice = random.Random(self.seed * 1000 + number)
        line = None
        while True:
            with lock:
                if not waiting:
                    break
                wish = waiting.pop()
            line = self._insist(line, wish, dice, lock)
        if line is not None:
            line.close()

    def _insist(self, line, wish, dice, lock):
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_S:
            wish.tries += 1
            line = line or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                status = self._ask(line, wish)
            except (OSError, http.client.HTTPException) as error:
                line.close()
                line = None
                self._note(lock, type(error).__name__)
            else:
                self._note(lock, status)
                if status in DEFINITE:
                    wish.seconds = time.monotonic() - began
                    with lock:
                        self.answered_at.append(time.monotonic())
                    return line
            time.sleep(0.02 + dice.random() * 0.1)
        return line

    def _note(self, lock, what):
        with lock:
            self.met[what] += 1

    @staticmethod
    def _ask(line, wish):
        headers = {
            "Authorization": f"Bearer {wish.token}",
            "Idempotency-Key": wish.key,
            "Content-Type": "application/json",
        }
        body = json.dumps({"quantity": wish.quantity})
        line.request("POST", f"/api/v1/masks/offers/{wish.offer}/bookings", body, headers)
        answer = line.getresponse()
        raw = answer.read()
        if answer.status in DEFINITE:
            wish.status, wish.body = answer.status, json.loads(raw)
            wish.replayed = answer.headers.get("Idempotent-Replayed") == "true"
        if answer.will_close:
            line.close()
        return answer.status


def wishes(citizens, offers, *, quantity=1, per_citizen=1):
    """Return one wish per citizen and round, spread over the offers; no key twice in a run."""
    label = next(_labels)
    tokens = {citizen.number: citizen.token() for citizen in citizens}
    return [
        Wish(
            citizen,
            tokens[citizen.number],
            offers[(citizen.number + turn) % len(offers)],
            f"w{label}-{citizen.number}-{turn}",
            quantity,
        )
        for turn in range(per_citizen)
        for citizen in citizens
    ]


def missing(world, wished):
    """Return what was acknowledged and is gone, what is there twice, and what nobody knows of."""
    rows = world.rows(
        "SELECT id::text, booked_by::text, request_key FROM booking.booking "
        "WHERE slot_id = ANY(%s)",
        list({wish.offer for wish in wished}),
    )
    ids = {row[0] for row in rows}
    keys = Counter((row[1], row[2]) for row in rows)
    lost = [wish.key for wish in wished if wish.booking_id and wish.booking_id not in ids]
    twice = [key for key, count in keys.items() if count > 1]
    nobodys = ids - {wish.booking_id for wish in wished}
    return lost, twice, nobodys
