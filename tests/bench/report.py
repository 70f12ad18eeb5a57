"""The table, and what stands around it in ``docs/benchmarks.md``."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from statistics import median

from bench import peak

PACKAGES = ("flask", "gunicorn", "gevent", "sqlalchemy", "psycopg")
TITLES = {
    "hello": "Flask saying hello (same server, same worker)",
    "me": "`GET /api/v1/me`, signed in",
    "offers": "First page of offers (20 of 400)",
    "book": "Booking, 400 offers, each by another citizen with a fresh token",
    "pgbench": "pgbench: the same statement, prepared",
    "full": "Refusing a sold-out offer",
    "hot": "Booking, all on one offer that is marked hot",
    "pgbench hot": "pgbench: the same statement, one slot",
    "credential": "`POST /health-code/credential`: a code for a day, fresh token, proof checked",
    "thin": "`GET /health-code/code`: a code for a minute, fresh token",
    "verify": "`POST /health-code/verifications`: a shown code, by an inspector at a place",
}
# (row, of what, yardstick, "at most" or "at least", wanted)
AIMS = (
    ("me", "worker CPU", "hello", "at most", 2.5),
    ("offers", "throughput", "hello", "at least", 0.5),
    ("book", "throughput", "pgbench", "at least", 0.1),
    ("full", "throughput", "hello", "at least", 0.5),
    ("hot", "throughput", "pgbench hot", "at least", 0.1),
    ("book", "all CPU", "pgbench", "at most", 10.0),
    ("credential", "throughput", "hello", "at least", 0.5),
    ("thin", "throughput", "hello", "at least", 0.4),
    ("verify", "throughput", "hello", "at least", 0.25),
)
NOISE = 0.1
QUIET = ""
LOUD = ": **measure again on a quiet machine**; until then trust the CPU figures at most"
FIGURES = {
    "throughput": lambda row: row.per_second,
    "worker CPU": lambda row: row.worker_us,
    # pgbench has no workers; its own cost is left out, in its favour.
    "all CPU": lambda row: [
        a + b for a, b in zip_longest(row.worker_us, row.postgres_us, fillvalue=0.0)
    ],
}
HEAD = """# Benchmarks

Written by `./scripts/bench`, which boots its own durable PostgreSQL (fsync on, on a disk) and Redis,
fills a city, serves the application and a Flask that says hello by the same gunicorn configuration,
and measures everything in one run with its own client on the same machine. Rows take turns, so that
a noisy neighbour hurts all alike; figures are medians, with the lowest and highest repetition.
"Worker CPU" is user and system time of the API workers per request, "PostgreSQL CPU" that of all its
processes. Where others use the machine meanwhile, throughput suffers in proportion to the number
of processes a row keeps busy, and the CPU figures are the sounder ones. Absolute figures mean little elsewhere; the ratios are what is promised.

"""


def spread(values, form="{:,.0f}"):
    """Return a median and its range."""
    if not values:
        return "–"
    low, high = form.format(min(values)), form.format(max(values))
    return f"{form.format(median(values))} ({low}–{high})"


def ratio(bench, aim):
    """Return the median over repetitions of a row against its yardstick in the same one."""
    row, of, yardstick, _, _ = aim
    ours, theirs = (FIGURES[of](bench.rows[one]) for one in (row, yardstick))
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def write(bench, client, others, given):
    """Return the whole page."""
    rate, seconds = client
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    server = bench.here.postgres_admin()
    with server:
        engine = server.execute("SHOW server_version").fetchone()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    clients = bench.clients
    machine = (
        f"{os.cpu_count()} cores and {_memory_gb()} GB of memory shared by client, servers and "
        f"database; Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"PostgreSQL {engine}, {packages}. 2 workers; {given.repetitions} repetitions of "
        f"{given.seconds:g} s; 16 keep-alive connections, 32 for bookings; pgbench with its best "
        f"number of clients ({clients['spread']} spread, {clients['hot']} on one slot). The client "
        f"itself manages {rate:,.0f} requests/s against fixed bytes and costs "
        f"{seconds * 1e6:.0f} µs of CPU a request, which the servers do not get. When this began, "
        f"{others:.0%} of the machine worked for others{QUIET if others < NOISE else LOUD}.\n\n"
    )
    lines = [
        f"{HEAD}## {when}\n\n{machine}",
        "| what | requests/s | worker CPU, µs | PostgreSQL CPU, µs | p50, ms | p99, ms |\n",
        "|---|---|---|---|---|---|\n",
    ]
    lines += [
        f"| {TITLES[name]} | {spread(row.per_second)} | {spread(row.worker_us)} "
        f"| {spread(row.postgres_us)} | {spread(row.p50_ms, '{:.1f}')} "
        f"| {spread(row.p99_ms, '{:.1f}')} |\n"
        for name, row in bench.rows.items()
    ]
    lines.append("\n| promise | measured | kept |\n|---|---|---|\n")
    for aim in AIMS:
        row, of, yardstick, direction, wanted = aim
        found = ratio(bench, aim)
        kept = found <= wanted if direction == "at most" else found >= wanted
        lines.append(
            f"| {TITLES[row]}: {of} {direction} {wanted} × that of “{TITLES[yardstick]}” "
            f"| {found:.2f} × | {'yes' if kept else '**no**'} |\n"
        )
    rate, slowest = bench.offline
    lines.append(
        f"\nWith nothing but a snapshot one core checks **{rate:,.0f} shown codes a second** "
        f"(bound to a place, two signatures each, by another phone each time); the slowest took "
        f"{slowest:.1f} ms.\n\n{peak.paragraph(bench.rows, rate)}"
    )
    return "".join(lines)


def _memory_gb():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) / 1024**2)
    return 0


def keep(path, text):
    """Write the page."""
    Path(path).write_text(text, encoding="utf-8")
