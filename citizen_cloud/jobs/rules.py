"""Lanes: what kind of news may go before what; decided by the room that announces it."""

from typing import Literal

# urgent: one-time codes, security, a colour given by hand; few at any time, each one now.
# prompt: what one person waits for.
# bulk: what thousands are told at once.
Lane = Literal["urgent", "prompt", "bulk"]
LANES: tuple[Lane, ...] = ("urgent", "prompt", "bulk")
# A household, a school class. Above it nobody's news is more urgent than anybody else's.
A_FEW = 30


def lane_of(count: int) -> Lane:
    """Return the lane of news about so many people at once."""
    return "prompt" if count <= A_FEW else "bulk"
