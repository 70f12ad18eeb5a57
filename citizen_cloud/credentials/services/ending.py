"""Forget codes for good, of a service that has come to its end."""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_FORGET = text(
    """
    DELETE FROM credentials.credential WHERE jti = ANY(ARRAY(
        SELECT jti FROM credentials.credential WHERE type = ANY(:types) LIMIT :most))
    """
)


def forget_types(session: Session, *, types: Collection[str], most: int) -> int:
    """Delete so many codes of these types, living or not, with their keys; return how many.

    A code without its record is refused by everybody who asks online, and by the word that its
    type has ended (``registry.ended``) by everybody else: that one stays.
    """
    asked = {"types": list(types), "most": most}
    return rows_changed(session, _FORGET, asked)


_DEVICE_KEYS = {
    table: text(
        f"""
        DELETE FROM {table} WHERE id = ANY(ARRAY(SELECT id FROM {table} LIMIT :most))
        """  # noqa: S608 - one of two names
    )
    for table in ("credentials.device_key", "credentials.device_challenge")
}


def forget_device_keys(session: Session, *, most: int) -> Mapping[str, int]:
    """Delete so many registered keys of phones, and challenges; return how many of each."""
    return {
        table: rows_changed(session, statement, {"most": most})
        for table, statement in _DEVICE_KEYS.items()
    }
