"""What the messages room adds: one-time codes as texts, the delivery job, personal data."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, PersonalData, Sealed, Subject
from citizen_cloud.messages import account_news, approval_news, senders
from citizen_cloud.messages.jobs import KEEP_DAYS, deliver_due, forget_old, text_one_time_code
from citizen_cloud.messages.services.deliveries import phone_of, waiting_for
from citizen_cloud.messages.way_in import tell_way_in_changed
from citizen_cloud.text import Text

_DELETE = text("DELETE FROM messages.message WHERE account_id = :id")
_MESSAGES = text(
    """
    SELECT id, kind, title, body, created_at, read_at FROM messages.message
     WHERE account_id = :id ORDER BY id
    """
)
# A text of the inbox has its message's key.
_TEXTS = text(
    """
    SELECT d.id, d.channel, d.kind, d.status, d.created_at, d.sent_at, d.expires_at
      FROM messages.delivery d
     WHERE d.id = ANY(:waiting) OR d.dedupe_key IN
           (SELECT dedupe_key FROM messages.message WHERE account_id = :id)
     ORDER BY d.id
    """
)
_STOP_TEXTS = text(
    """
    DELETE FROM messages.delivery d
     WHERE d.id = ANY(:waiting) OR d.dedupe_key IN
           (SELECT dedupe_key FROM messages.message WHERE account_id = :id)
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the inbox of an account, and the texts sent to it or waiting for its phone."""
    asked = {"id": subject.account_id, "waiting": waiting_for(session, subject.account_id)}
    return {
        "messages": [dict(row) for row in session.execute(_MESSAGES, asked).mappings()],
        "texts": [dict(row) for row in session.execute(_TEXTS, asked).mappings()],
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete the inbox of an account, its texts, and what waits for its phone; return how many."""
    del now
    asked = {"id": subject.account_id, "waiting": waiting_for(session, subject.account_id)}
    if (phone := phone_of(session, subject.account_id)) is not None:
        senders.forget(phone)
    gone = [rows_changed(session, statement, asked) for statement in (_STOP_TEXTS, _DELETE)]
    return sum(gone)


contribution = Contribution(
    name="messages",
    handlers={
        "accounts.otp_requested": text_one_time_code,
        **account_news.HANDLERS,
        **approval_news.HANDLERS,
        "accounts.way_in_changed": tell_way_in_changed,
    },
    jobs=(
        Job(name="messages.deliver", cron="@pulse", run=deliver_due),
        Job(name="messages.forget_old", cron="23 4 * * *", run=forget_old),
    ),
    personal_data=PersonalData(
        categories=(Text("站内消息", "Inbox messages"), Text("短信", "Texts")),
        purpose=Text("告知办事结果", "To tell citizens about their business"),
        legal_basis=Text("提供服务所必需", "Needed to provide the service"),
        retention_days=KEEP_DAYS,
        tables=frozenset({"messages.delivery", "messages.message"}),
        export=export,
        erase=erase,
    ),
    sealed=(
        Sealed(table="messages.delivery", column="secret", place="messages.delivery:secret:{id}"),
    ),
)
