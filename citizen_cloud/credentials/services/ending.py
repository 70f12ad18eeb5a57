"""Forget codes for good, of a service that has come to its end."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

_FORGET = text(
    """
    DELETE FROM credentials.credential WHERE jti = ANY(ARRAY(
        SELECT jti FROM credentials.credential WHERE type = ANY(:types) LIMIT :most))
    """
)


def forget_types(session: Session, *, types: Collection[str], most: int) -> int:
    """Delete so many codes of these types, living or not, with their keys; return how many.

    A code without its record is refused by everybody who asks online.
    """
    asked = {"types": list(types), "most": most}
    return int(session.execute(_FORGET, asked).rowcount)  # type: ignore[attr-defined]
