"""How long sign-ins, codes and attempts last."""

from dataclasses import dataclass
from datetime import timedelta

ACCESS_TOKEN = timedelta(minutes=10)
# A lost answer: the same refresh token gives the same successor for this long.
REFRESH_REPEAT = timedelta(seconds=30)
# A busy staff member costs one write a minute, not one a request.
IDLE_STEP = timedelta(minutes=1)

OTP_DIGITS = 6
OTP_LIFE = timedelta(minutes=5)
OTP_TRIES = 5
OTP_RESEND = timedelta(seconds=60)
OTP_PER_DAY = 10
OTP_FAILURES_PER_DAY = 20
OTP_LOCK = timedelta(minutes=60)

ACCOUNTS_PER_PHONE = 2
# A carrier gives a number out again after about this long; whoever was away longer has lost it.
PHONE_IDLE = timedelta(days=90)

# What somebody else handed out opens an account for a short while only.
ONE_TIME_PASSWORD = timedelta(hours=72)
RESET = timedelta(hours=24)
NEW_TOTP = timedelta(minutes=10)
# From the staff member's screen to the same person's phone.
BINDING = timedelta(minutes=10)
RECOVERY_CODES = 10

FREE_FAILURES = 5
LONGEST_LOCK = timedelta(minutes=15)


@dataclass(frozen=True)
class Lifetime:
    """How long a sign-in lasts in all, and without a request."""

    total: timedelta
    idle: timedelta | None = None


LIFETIMES = {
    "citizen": Lifetime(timedelta(days=30)),
    "staff": Lifetime(timedelta(hours=12), timedelta(minutes=30)),
    "admin": Lifetime(timedelta(hours=8), timedelta(minutes=15)),
}


def lock_after(failures: int) -> timedelta | None:
    """Return how long an account pauses after so many failures in a row: doubling, ≤15 min."""
    if failures < FREE_FAILURES:
        return None
    doublings = min(failures - FREE_FAILURES, 10)
    return min(timedelta(minutes=1 << doublings), LONGEST_LOCK)
