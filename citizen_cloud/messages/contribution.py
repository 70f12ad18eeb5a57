"""What the messages room adds: one-time codes as texts, the delivery job, personal data."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.manifest import Contribution, Job, PersonalData
from citizen_cloud.messages.jobs import text_one_time_code
from citizen_cloud.messages.models import Delivery, Message
from citizen_cloud.messages.services import deliver_due
from citizen_cloud.text import Text

KEEP_DAYS = 365


def export(session: Session, account_id: UUID) -> dict[str, Any]:
    """Return the inbox of an account."""
    rows = session.execute(
        text(
            "SELECT kind, title, body, created_at, read_at FROM messages.message "
            "WHERE account_id = :id ORDER BY id"
        ),
        {"id": account_id},
    )
    return {"messages": [dict(row) for row in rows.mappings()]}


def erase(session: Session, account_id: UUID, now: datetime) -> int:
    """Delete the inbox of an account; return how many messages."""
    del now
    result = session.execute(
        text("DELETE FROM messages.message WHERE account_id = :id"), {"id": account_id}
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def forget_old(now: datetime) -> int:
    """Delete messages and finished deliveries that are older than a year; return how many."""
    oldest = now - timedelta(days=KEEP_DAYS)
    with db.transaction() as session:
        results = [
            session.execute(delete(table).where(table.created_at < oldest))
            for table in (Message, Delivery)
        ]
    counts: list[int] = [result.rowcount for result in results]  # type: ignore[attr-defined]
    return sum(counts)


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
)
