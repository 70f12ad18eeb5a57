"""CPU seconds of processes, read from /proc."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _fields(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat[stat.rindex(")") + 2 :].split()


def of(pids):
    """Return user and system seconds of some processes."""
    found = [fields for pid in pids if (fields := _fields(pid))]
    return sum(int(f[11]) + int(f[12]) for f in found) / TICKS


def busy_share(seconds=2.0):
    """Return how much of the machine works for anybody at present, between 0 and 1."""
    first = _machine()
    time.sleep(seconds)
    idle, total = (b - a for a, b in zip(first, _machine(), strict=True))
    return 1 - idle / total


def _machine():
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def children(pid):
    """Return the pids of a process's children."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if (fields := _fields(entry.name)) and int(fields[1]) == pid
    ]


def of_family(pid):
    """Return the seconds of a process's children, living or ended, and its own.

    PostgreSQL: backends, writers and checkpointer together.
    """
    fields = _fields(pid)
    own = sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICKS
    return own + of(children(pid))
