"""What the peak of a province costs, worked out from what was measured in the same run."""

from math import ceil
from statistics import median

SHOWS_PER_S = 23_000
PEOPLE = 126_000_000
# When a day's codes are fetched: the app asks at a moment of its own choice in these hours.
MORNING_H = 6
# How full a core may be kept, and how many a server has.
FULL = 0.7
CORES = 32


def paragraph(rows, offline_rate):
    """Return the comparison; ``rows`` hold worker and PostgreSQL CPU per request."""
    us = {name: _us(rows[name]) for name in ("credential", "thin", "verify")}
    issues = PEOPLE / (MORNING_H * 3600)
    thin, online, issuing = (
        _costs(SHOWS_PER_S, us["thin"]),
        _costs(SHOWS_PER_S, us["verify"]),
        _costs(issues, us["credential"]),
    )
    gates = SHOWS_PER_S / offline_rate
    return f"""### What {SHOWS_PER_S:,} shows a second cost

That was the peak of a province of {PEOPLE // 1_000_000} million people. Worked out from the CPU per request above
(workers and PostgreSQL together), with cores {FULL:.0%} full and {CORES} of them in a server; Redis, load balancers,
replicas and the disk under the write-ahead log come on top, and one PostgreSQL does not grow to all of
these figures, so people would be parted among several by where they live.

| how codes are shown and checked | server calls a show | calls/s | cores | servers |
|---|---|---|---|---|
| thin clients, checked by eye | 1 | {SHOWS_PER_S:,} | {thin} |
| thin clients, checked online | 2 | {2 * SHOWS_PER_S:,} | {_costs(SHOWS_PER_S, us["thin"] + us["verify"])} |
| device proofs, checked online | 1 | {SHOWS_PER_S:,} | {online} |
| device proofs, checked offline | **0** | 0 | 0 | 0 |
| issuing a code a day to everybody, spread over {MORNING_H} h of the morning | – | {issues:,.0f} | {issuing} |

With device proofs and offline gates the peak costs the servers nothing: what is left is issuing, which
is not tied to the moment of showing. It can be spread further ({PEOPLE / 86_400:,.0f} calls/s over a whole day, {_cores(PEOPLE / 86_400, us["credential"]):,}
cores), and a code fetched yesterday evening serves while everything here is down. The checking itself is {ceil(gates):,}
cores' work, done by the gates, each of which needs a few checks a second and has a core that does {offline_rate:,.0f}.
With thin clients every show is a call at the moment of the peak, and nobody gets in while it fails.
"""


def _us(row):
    return median(a + b for a, b in zip(row.worker_us, row.postgres_us, strict=True))


def _cores(per_s, us):
    return ceil(per_s * us / 1e6 / FULL)


def _costs(per_s, us):
    cores = _cores(per_s, us)
    return f"{cores:,} | {ceil(cores / CORES):,}"
