"""What sources reported under a document before its person came: two weeks at most."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.modules.health_code.services.reports.placing import fact_of
from citizen_cloud.text import Text

_OWN = "person_key = (SELECT person_key FROM accounts.person WHERE id = :person_id)"
_KEPT = text(
    f"SELECT id, fact_sealed, created_at FROM health_code.unplaced WHERE {_OWN} ORDER BY id"  # noqa: S608 - a constant
)
_FORGET = text(f"DELETE FROM health_code.unplaced WHERE {_OWN}")  # noqa: S608 - a constant


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return what waits for whoever has the person's document."""
    rows = session.execute(_KEPT, {"person_id": subject.person_id}).all()
    facts = [(row, fact_of(row.id, row.fact_sealed)) for row in rows]
    return {
        "reported": [
            {
                "id": row.id,
                "kind": fact.kind,
                "payload": fact.payload,
                "evidence": fact.evidence,
                "reference": fact.reference,
                "occurred_at": fact.occurred_at,
                "created_at": row.created_at,
            }
            for row, fact in facts
        ]
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete it."""
    del now
    return rows_changed(session, _FORGET, {"person_id": subject.person_id})


HOLDING = Holding(
    name="unplaced",
    category=Text(
        "本人登记前主管部门报送的数据（14天后删除）",
        "What authorities reported before you registered, for 14 days",
    ),
    tables=frozenset({"health_code.unplaced"}),
    export=export,
    erase=erase,
)
