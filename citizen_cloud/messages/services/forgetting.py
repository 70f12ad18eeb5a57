"""Forget what was told, of a service that has come to its end."""

from collections.abc import Collection, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_FORGET = {
    table: text(
        f"""
        DELETE FROM {table} WHERE id = ANY(ARRAY(
            SELECT id FROM {table} WHERE kind::text ^@ ANY(cast(:kinds AS text[])) LIMIT :most))
        """  # noqa: S608 - one of two names
    )
    for table in ("messages.message", "messages.delivery")
}


def forget_kinds(session: Session, *, kinds: Collection[str], most: int) -> Mapping[str, int]:
    """Delete so many messages and texts whose kind begins so; return how many of each table."""
    asked = {"kinds": list(kinds), "most": most}
    return {table: rows_changed(session, statement, asked) for table, statement in _FORGET.items()}
