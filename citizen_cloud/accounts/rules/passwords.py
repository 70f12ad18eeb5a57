"""What a password may be (OWASP ASVS 5.0, 6.2): long, not common, otherwise anything."""

from functools import cache
from importlib.resources import files

SHORTEST = 8
LONGEST = 128


def may_be_password(password: str, *, username: str) -> bool:
    """Return whether somebody may choose this password; it is judged exactly as received."""
    if not SHORTEST <= len(password) <= LONGEST:
        return False
    folded = password.casefold()
    return folded != username.casefold() and folded not in common_passwords()


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that lists of breaches begin with, folded to lower case.

    3,000 from the list Django ships (BSD), and those common in Chinese breaches.
    """
    listed = files("citizen_cloud.accounts.rules").joinpath("common_passwords.txt")
    return frozenset(listed.read_text("utf-8").splitlines())
