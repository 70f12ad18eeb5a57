"""What the accounts room announces, and what it ends at partners."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.recovery import RECOVERED
from citizen_cloud.audit.services import Act, record
from citizen_cloud.manifest import Event

# An event may come late: the owner has signed in at partners again by then, with the new phone.
_END = text(
    """
    UPDATE oidc.issuance SET revoked_at = :now, revoked_because = 'recovered'
     WHERE account_id = :account_id AND created_at <= :until AND revoked_at IS NULL
    """
)


def recovered(session: Session, event: Event, now: datetime) -> None:
    """Close every sign-in at a partner of an account that got its owner back at a counter.

    Their tokens were refused from the recovery on, for its sign-ins ended (``services.standing``);
    this writes it down, also where a sign-in was forgotten meanwhile. Repeated it changes nothing.
    """
    account_id = UUID(event.payload["account_id"])
    asked = {"account_id": account_id, "until": event.created_at, "now": now}
    ended = session.execute(_END, asked).rowcount  # type: ignore[attr-defined]
    if not ended:
        return
    act = Act(
        actor_kind="system",
        actor_id=None,
        action="oidc.recovered",
        object_type="account",
        object_id=account_id,
        payload={"sign_ins": ended},
    )
    record(session, act)


HANDLERS = {RECOVERED: recovered}
