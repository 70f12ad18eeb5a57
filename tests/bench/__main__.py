"""Measure the application against its yardsticks in one run: ``scripts/bench``."""

import argparse
import json
import signal
import sys
import time
from dataclasses import dataclass, field

from bench import ceiling, cpu, load, offline, report
from bench.baseline import Pgbench
from bench.health import HealthRequests
from bench.stage import stage

LINES = 16
LINES_BOOKING = 32
# Turns share people out: one for the warming up, five repetitions.
TURNS = 6


@dataclass
class Row:
    """One line of the table: what each repetition found."""

    name: str
    per_second: list = field(default_factory=list)
    worker_us: list = field(default_factory=list)
    postgres_us: list = field(default_factory=list)
    p50_ms: list = field(default_factory=list)
    p99_ms: list = field(default_factory=list)


def body(quantity=1):
    return json.dumps({"quantity": quantity}).encode()


class Bench:
    """The rows, and how each is asked for."""

    def __init__(self, here, *, seconds, tell):
        self.here = here
        self.seconds = seconds
        self.tell = tell
        self.turn = 0
        self.pgbench = Pgbench(here)
        self.clients = {}
        self.few = here.citizens[-200:]
        self.health = HealthRequests(here.health)
        self.offline = (0.0, 0.0)
        names = ("hello", "me", "offers", "book", "pgbench", "full", "hot", "pgbench hot")
        names = (*names, "credential", "thin", "verify")
        self.rows = {name: Row(name) for name in names}

    def prepare(self):
        """Warm up every path once, and find pgbench's best number of clients."""
        for kind in ("spread", "hot"):
            self.clients[kind] = self.pgbench.best_clients(seconds=2, kind=kind)
        self.tell(f"pgbench books most with {self.clients} clients")
        self.repeat(1.5)
        for row in self.rows.values():
            for found in (row.per_second, row.worker_us, row.postgres_us, row.p50_ms, row.p99_ms):
                found.clear()

    def repeat(self, seconds):
        """Measure every row once."""
        here = self.here
        self.turn += 1
        self._measure("hello", here.hello, [load.request("GET", "/")], seconds)
        me = [load.request("GET", "/api/v1/me", token=c.token()) for c in self.few]
        self._measure("me", here.app, me, seconds)
        first_page = load.request("GET", f"/api/v1/masks/campaigns/{here.campaign}/offers")
        self._measure("offers", here.app, [first_page], seconds)
        self._measure("book", here.app, self._bookings(here.offers, "s"), seconds, once=True)
        self._pgbench("pgbench", "spread", seconds)
        full = [self._booking(c, here.full, "f") for c in self.few]
        self._measure("full", here.app, full, seconds, expect=409)
        self._measure("hot", here.app, self._bookings([here.hot], "h"), seconds, once=True)
        self._pgbench("pgbench hot", "hot", seconds)
        self._repeat_health(seconds)

    def _repeat_health(self, seconds):
        """Measure issuing, the thin client and verifying; each line of a turn is another person."""
        here, turn = self.here.health, self.turn % TURNS
        carriers = here.carriers[turn::TURNS]
        share = len(here.thin) // TURNS
        thin = here.thin[turn * share : (turn + 1) * share]
        asked = self.health.credentials(carriers)
        self._measure("credential", self.here.app, asked, seconds, once=True, expect=200)
        asked = self.health.thin(thin)
        self._measure("thin", self.here.app, asked, seconds, once=True, expect=200)
        with self.here.database.transaction() as session:
            asked = self.health.verifications(session, carriers)
        self._measure("verify", self.here.app, asked, seconds, once=True, expect=200)

    def _bookings(self, offers, label):
        """Return one request per citizen of this turn, with tokens no worker has seen.

        Turns share the citizens out; each may take one piece of an offer.
        """
        share = len(self.here.citizens) // 6
        begin = (self.turn % 6) * share
        citizens = self.here.citizens[begin : begin + share]
        return [
            self._booking(c, offers[(c.number + self.turn) % len(offers)], label) for c in citizens
        ]

    def _booking(self, citizen, offer, label):
        return load.request(
            "POST",
            f"/api/v1/masks/offers/{offer}/bookings",
            token=citizen.token(),
            body=body(),
            key=f"{label}{self.turn}-{citizen.number}",
        )

    def _measure(self, name, server, requests, seconds, *, once=False, expect=None):
        row = self.rows[name]
        lines = LINES_BOOKING if once else LINES
        before = self.here.usage(server)
        found = load.run(server.port, requests, connections=lines, seconds=seconds, once=once)
        after = self.here.usage(server)
        wanted = expect or (201 if once else 200)
        if set(found.statuses) != {wanted} or found.broken:
            sample = found.sample.decode("utf-8", "replace")
            said = f"{name}: {found.statuses}, {found.broken} broken\n{sample}"
            raise RuntimeError(said + self.here.logs())
        workers, postgres = (b - a for a, b in zip(before, after, strict=True))
        row.per_second.append(found.per_second)
        row.worker_us.append(workers / found.count * 1e6)
        row.postgres_us.append(postgres / found.count * 1e6)
        row.p50_ms.append(found.percentile(0.5) * 1e3)
        row.p99_ms.append(found.percentile(0.99) * 1e3)
        self.tell(f"{name}: {found.per_second:,.0f}/s, {row.worker_us[-1]:.0f} us of a worker")

    def _pgbench(self, name, kind, seconds):
        row = self.rows[name]
        length = round(seconds)
        before = cpu.of_family(self.here.postgres.process.pid)
        rate = self.pgbench.run(clients=self.clients[kind], seconds=length, kind=kind)
        # A backend's time is its parent's to tell once it has gone.
        time.sleep(0.5)
        used = cpu.of_family(self.here.postgres.process.pid) - before
        row.per_second.append(rate)
        row.postgres_us.append(used / (rate * length) * 1e6)
        self.tell(f"{name}: {rate:,.0f}/s")


def main():
    """Run and write the table."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--out", default="", help="the Markdown file to write")
    given = parser.parse_args()
    began = time.monotonic()

    def tell(sentence):
        print(f"[{time.monotonic() - began:6.1f} s] {sentence}", flush=True)  # noqa: T201

    # A slice of citizens for each repetition; a booking costs at least 0.3 ms.
    citizens = int(6 * given.seconds * 3_000)
    # Asked to stop, it takes its servers down on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    others = cpu.busy_share()
    tell(f"others keep {others:.0%} of this machine busy")
    with stage(citizens=citizens, tell=tell) as here:
        bench = Bench(here, seconds=given.seconds, tell=tell)
        bench.prepare()
        for number in range(given.repetitions):
            tell(f"repetition {number + 1} of {given.repetitions}")
            bench.repeat(given.seconds)
        with here.database.transaction() as session:
            bench.offline = offline.measure(session, here.health.carriers)
        tell(f"offline: {bench.offline[0]:,.0f} codes/s of one core")
        client = ceiling.measure()
        text = report.write(bench, client, others, given)
    tell("done")
    print(text)  # noqa: T201
    if given.out:
        report.keep(given.out, text)


if __name__ == "__main__":
    main()
