"""What the messages room adds: one-time codes as texts, the delivery job, personal data."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.manifest import Contribution, Job, PersonalData, Sealed, Subject
from citizen_cloud.messages.jobs import KEEP_DAYS, deliver_due, forget_old, text_one_time_code
from citizen_cloud.text import Text

_DELETE = text("DELETE FROM messages.message WHERE account_id = :id")
# A text of the inbox has its message's key.
_STOP_TEXTS = text(
    """
    DELETE FROM messages.delivery WHERE dedupe_key IN
           (SELECT dedupe_key FROM messages.message WHERE account_id = :id)
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the inbox of an account."""
    rows = session.execute(
        text(
            "SELECT kind, title, body, created_at, read_at FROM messages.message "
            "WHERE account_id = :id ORDER BY id"
        ),
        {"id": subject.account_id},
    )
    return {"messages": [dict(row) for row in rows.mappings()]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete the inbox of an account and its texts not sent yet; return how many messages."""
    del now
    session.execute(_STOP_TEXTS, {"id": subject.account_id})
    result = session.execute(_DELETE, {"id": subject.account_id})
    return int(result.rowcount)  # type: ignore[attr-defined]


contribution = Contribution(
    name="messages",
    handlers={"accounts.otp_requested": text_one_time_code},
    jobs=(
        Job(name="messages.deliver", cron="@pulse", run=deliver_due),
        Job(name="messages.forget_old", cron="23 4 * * *", run=forget_old),
    ),
    personal_data=PersonalData(
        categories=(Text("站内消息", "Inbox messages"),),
        purpose=Text("告知办事结果", "To tell citizens about their business"),
        legal_basis=Text("提供服务所必需", "Needed to provide the service"),
        retention_days=KEEP_DAYS,
        tables=frozenset({"messages.message"}),
        export=export,
        erase=erase,
    ),
    sealed=(
        Sealed(table="messages.delivery", column="secret", place="messages.delivery:secret:{id}"),
    ),
)
