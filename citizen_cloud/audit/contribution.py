"""What the audit room adds: the sealer, at most a second behind, and a person's own acts."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.audit.services import seal
from citizen_cloud.manifest import Contribution, Job, PersonalData, Subject
from citizen_cloud.text import Text


def seal_entries(now: datetime) -> int:
    """Chain what was written since the last run; return how many entries."""
    del now
    with db.transaction() as session:
        return seal(session)


_ACTS = text(
    """
    SELECT id, at, actor_kind, action, object_type, object_id, organisation_id, payload
      FROM audit.entry
     WHERE actor_id = :account_id
        OR (object_type = 'account' AND object_id = :account_id)
        OR (object_type = 'person' AND object_id = :person_id)
        OR payload ->> 'account_id' = cast(cast(:account_id AS uuid) AS text)
        OR payload ->> 'person_id' = cast(cast(:person_id AS uuid) AS text)
     ORDER BY id
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return what an account did, and what was done to it."""
    asked = {"account_id": subject.account_id, "person_id": subject.person_id}
    return {"acts": [dict(row) for row in session.execute(_ACTS, asked).mappings()]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Change nothing: an entry names acts and random ids, never a person, and the chain stays."""
    del session, subject, now
    return 0


contribution = Contribution(
    name="audit",
    jobs=(Job(name="audit.seal", cron="@pulse", run=seal_entries),),
    personal_data=PersonalData(
        categories=(Text("操作审计记录(仅含编号)", "The audit trail, ids only"),),
        purpose=Text("查明谁做过什么", "To find out who did what"),
        legal_basis=Text(
            "《网络安全法》第二十一条：日志留存不少于六个月",
            "Cybersecurity Law article 21: logs are kept for six months at least",
        ),
        retention_days=3 * 365,
        tables=frozenset({"audit.entry"}),
        kept=(
            Text(
                "审计记录(仅含随机编号，不含姓名、证件和手机号)",
                "The audit trail: acts under random ids, without name, document or phone",
            ),
        ),
        export=export,
        erase=erase,
    ),
)
