"""What the web room adds: idempotent answers, forgotten after a day and with their account."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, PersonalData, Subject
from citizen_cloud.text import Text

KEEP = "24 hours"


def forget_answers(now: datetime) -> int:
    """Delete stored answers older than a day; return how many."""
    with db.transaction() as session:
        return rows_changed(
            session,
            text(
                "DELETE FROM web.idempotent_answer "
                "WHERE created_at < cast(:now AS timestamptz) - cast(:keep AS interval)"
            ),
            {"now": now, "keep": KEEP},
        )


_ANSWERS = text(
    """
    SELECT encode(key_hash, 'hex') AS key_hash, status, location, body, created_at
      FROM web.idempotent_answer WHERE account_id = :id ORDER BY created_at, key_hash
    """
)
_FORGET = text("DELETE FROM web.idempotent_answer WHERE account_id = :id")


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the answers kept for an account's repeated requests."""
    rows = session.execute(_ANSWERS, {"id": subject.account_id}).mappings()
    return {"answers": [{**row, "body": json.loads(bytes(row["body"]))} for row in rows]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Forget the answers kept for an account."""
    del now
    return rows_changed(session, _FORGET, {"id": subject.account_id})


contribution = Contribution(
    name="web",
    jobs=(Job(name="web.forget_answers", cron="17 * * * *", run=forget_answers),),
    personal_data=PersonalData(
        categories=(Text("最近一天提交请求的应答", "Answers to requests of the last day"),),
        purpose=Text("重复提交时返回同一结果", "To give a repeated request the same answer"),
        legal_basis=Text("提供服务所必需", "Needed to provide the service"),
        retention_days=1,
        tables=frozenset({"web.idempotent_answer"}),
        export=export,
        erase=erase,
    ),
)
