"""What the jobs room adds: forgetting news, delivered long ago or of somebody who leaves."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, PersonalData, Sealed, Subject
from citizen_cloud.text import Text

KEEP = "7 days"


def forget_delivered(now: datetime) -> int:
    """Delete outbox rows that are over for a week; return how many."""
    with db.transaction() as session:
        return rows_changed(
            session,
            text(
                "DELETE FROM jobs.outbox "
                "WHERE done_at < cast(:now AS timestamptz) - cast(:keep AS interval)"
            ),
            {"now": now, "keep": KEEP},
        )


# The ids are compared as text: a payload is JSON.
_OF = "(payload ->> 'account_id' = :account OR payload ->> 'person_id' = :person)"
_NEWS = text(
    f"""
    SELECT id, event, payload, created_at, due_at, done_at, outcome
      FROM jobs.outbox WHERE {_OF} ORDER BY id
    """  # noqa: S608 - a constant
)
# What was delivered stays as a count, for the books that are compared with it. What still waits is
# needed as it is: a cancelled booking's code dies by it.
_FORGET = text(
    f"""
    UPDATE jobs.outbox SET payload = payload - 'account_id' - 'person_id' - 'reference'
     WHERE done_at IS NOT NULL AND {_OF}
    """  # noqa: S608 - a constant
)


def _asked(subject: Subject) -> dict[str, str | None]:
    found = (("account", subject.account_id), ("person", subject.person_id))
    return {name: None if value is None else str(value) for name, value in found}


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the news about somebody that waits or was delivered within the week."""
    rows = session.execute(_NEWS, _asked(subject)).mappings()
    return {"news": [dict(row) for row in rows]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Take out of delivered news whom it was about."""
    del now
    return rows_changed(session, _FORGET, _asked(subject))


contribution = Contribution(
    name="jobs",
    jobs=(Job(name="jobs.forget_delivered", cron="41 3 * * *", run=forget_delivered),),
    sealed=(Sealed(table="jobs.outbox", column="secret", place="jobs.outbox:secret:{id}"),),
    personal_data=PersonalData(
        categories=(Text("系统内部通知(仅含编号)", "News between services, ids only"),),
        purpose=Text("在各服务之间传递办理结果", "To tell services what became of business"),
        legal_basis=Text("提供服务所必需", "Needed to provide the service"),
        retention_days=7,
        tables=frozenset({"jobs.outbox"}),
        kept=(
            Text(
                "尚未送达的通知(仅含编号),至多保留7天",
                "News not delivered yet, ids only, for a week at most",
            ),
        ),
        export=export,
        erase=erase,
    ),
)
