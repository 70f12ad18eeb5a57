"""End what an account gave to partners, when somebody else may have given it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Event

_END = text(
    """
    UPDATE oidc.issuance SET revoked_at = :now, revoked_because = :reason
     WHERE account_id = :account_id AND created_at <= :until AND revoked_at IS NULL
    """
)


def recovered(session: Session, event: Event, now: datetime) -> None:
    """Sign an account out of every partner: who lost the phone may be signed in there by it."""
    _end_all(session, event, "recovered", now)


def way_in_changed(session: Session, event: Event, now: datetime) -> None:
    """Keep what a suspension stopped from coming back to life with the account."""
    if event.payload["what"] == "suspended":
        _end_all(session, event, "suspended", now)


def _end_all(session: Session, event: Event, reason: str, now: datetime) -> None:
    """End what was given before the event; what came after it was given by its owner."""
    account_id = UUID(event.payload["account_id"])
    asked = {"account_id": account_id, "until": event.created_at, "reason": reason, "now": now}
    ended = rows_changed(session, _END, asked)
    if not ended:
        return
    act = Act(
        actor_kind="system",
        actor_id=None,
        action="oidc.sign_ins_ended",
        object_type="account",
        object_id=account_id,
        payload={"reason": reason, "ended": ended},
    )
    record(session, act)
