"""Passwords: argon2id (RFC 9106, low-memory profile), off the event loop, a few at a time."""

import base64
import secrets
import time

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from citizen_cloud.web.beside import Beside

# Each run takes 64 MiB and 4 threads: more at once would only push each other out of the caches.
AT_ONCE = 2
PATIENCE_S = 5.0
# No refusal of a password comes sooner: what little more the database does for a name that exists
# (a row to change, a version to step over) ends long before.
SOONEST_S = 0.5


class Passwords:
    """Hash and compare; an absent hash costs the same time as a wrong password."""

    def __init__(
        self, profile: Parameters = RFC_9106_LOW_MEMORY, *, soonest_s: float = 0.0
    ) -> None:
        self._soonest_s = soonest_s
        self._hasher = PasswordHasher.from_parameters(profile)
        self._nobody = _unmatchable(profile)
        self._beside = Beside(at_once=AT_ONCE, patience_s=PATIENCE_S)

    def hash(self, password: str) -> str:
        """Return what is stored of a password. Raises ``Unavailable`` when too many wait."""
        return self._beside.run(lambda: self._hasher.hash(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Return whether the password is right; without a stored hash it never is."""
        is_right = self._beside.run(lambda: self._verify(stored or self._nobody, password))
        return is_right and stored is not None

    def wait_out(self, began: float) -> None:
        """Wait until a refusal may be told that began at this monotonic time; hold nothing."""
        left_s = began + self._soonest_s - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _unmatchable(profile: Parameters) -> str:
    """Return a well-formed hash of nothing, made with the same costs."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
        for size in (profile.salt_len, profile.hash_len)
    )
    costs = f"m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}"
    return f"$argon2id$v={profile.version}${costs}${salt}${digest}"


_current = [Passwords(soonest_s=SOONEST_S)]


def install(passwords: Passwords) -> None:
    """Use other costs; tests do."""
    _current[:] = [passwords]


def current() -> Passwords:
    """Return the process's hasher."""
    return _current[0]
