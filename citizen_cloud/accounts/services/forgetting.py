"""Forget looks and consents, of a service that has come to its end."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_LOOKS = text(
    """
    DELETE FROM accounts.data_access WHERE id = ANY(ARRAY(
        SELECT id FROM accounts.data_access
         WHERE purpose::text ^@ ANY(cast(:purposes AS text[])) LIMIT :most))
    """
)
_CONSENTS = text(
    """
    DELETE FROM accounts.consent WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM accounts.consent WHERE purpose = ANY(:purposes) LIMIT :most))
    """
)


def forget_looks(session: Session, *, purposes: Collection[str], most: int) -> int:
    """Delete so many notes of looks whose purpose begins so; return how many."""
    asked = {"purposes": list(purposes), "most": most}
    return rows_changed(session, _LOOKS, asked)


def forget_consents(session: Session, *, purposes: Collection[str], most: int) -> int:
    """Delete so many consents to these purposes; return how many."""
    asked = {"purposes": list(purposes), "most": most}
    return rows_changed(session, _CONSENTS, asked)
