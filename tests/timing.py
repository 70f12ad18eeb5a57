"""Do two kinds of request take the same time? Interleaved calls and a rank test."""

import math
import random
import time

# A true null hypothesis gives a smaller p once in a hundred rounds; three rounds in a row once in
# a million. A real difference fails all of them.
P = 0.01
ROUNDS = 3


def p_value(left, right):
    """Return the two-sided p of Mann and Whitney's U test, normal approximation with ties."""
    pooled = sorted([*((value, 0) for value in left), *((value, 1) for value in right)])
    ranks, ties, at = 0.0, 0, 0
    while at < len(pooled):
        end = at
        while end < len(pooled) and pooled[end][0] == pooled[at][0]:
            end += 1
        mean = (at + 1 + end) / 2
        ranks += mean * sum(1 for _, kind in pooled[at:end] if kind == 0)
        ties += (end - at) ** 3 - (end - at)
        at = end
    m, n = len(left), len(right)
    total = m + n
    u = ranks - m * (m + 1) / 2
    spread = math.sqrt(m * n / 12 * (total + 1 - ties / (total * (total - 1))))
    z = (u - m * n / 2) / spread if spread else 0.0
    return math.erfc(abs(z) / math.sqrt(2))


def measured(calls, each, *, before=lambda: None, seed=0):
    """Call two things ``each`` times, in pairs of random order; return their durations."""
    rng = random.Random(seed)
    taken = ([], [])
    for number in range(each):
        order = [0, 1]
        rng.shuffle(order)
        for kind in order:
            before()
            began = time.perf_counter()
            calls[kind](number)
            taken[kind].append(time.perf_counter() - began)
    return taken


def smallest_difference(calls, each, **options):
    """Return the p of the first round that finds none, of the last one otherwise."""
    for turn in range(ROUNDS):
        p = p_value(*measured(calls, each, seed=turn, **options))
        if p > P:
            break
    return p


def finds(calls, each, **options):
    """Return whether a round finds a difference that is known to be there."""
    return any(p_value(*measured(calls, each, seed=turn, **options)) <= P for turn in range(ROUNDS))
