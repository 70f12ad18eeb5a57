"""What a recovery at a counter means for a wish to leave: it may have been the thief's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import record
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.privacy.services.closures import act
from citizen_cloud.text import Text

UNDONE = Text("账号注销已撤销", "Your account stays")
UNDONE_BODY = Text(
    "您的账号已在服务窗口恢复，此前提出的注销申请已撤销。如仍需注销，请重新申请。",
    "Your account was recovered at a counter, so the closure that was asked for before is undone. "
    "Ask again if you still want to leave.",
)
_UNDO = text(
    """
    UPDATE privacy.closure SET status = 'undone', ended_at = :now
     WHERE account_id = :account_id AND status = 'cooling' AND requested_at <= :until
    RETURNING id
    """
)


def recovered(session: Session, event: Event, now: datetime) -> None:
    """Undo a closure that was asked for before its owner proved at a counter who that is."""
    account_id = UUID(event.payload["account_id"])
    asked = {"account_id": account_id, "until": event.created_at, "now": now}
    closure_id = session.scalar(_UNDO, asked)
    if closure_id is None:
        return
    note = Note(
        account_id=account_id,
        kind="privacy.closure_undone",
        title=UNDONE,
        body=UNDONE_BODY,
        dedupe_key=f"privacy.closure_undone:{closure_id}",
        subject_type="closure",
        subject_id=closure_id,
    )
    notify(session, note=note, now=now)
    record(session, act("closure_undone", closure_id, None))
