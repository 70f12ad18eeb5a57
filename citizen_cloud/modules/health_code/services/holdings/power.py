"""What the powers here hold about people: appeals of citizens, answers of officers, systems."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.modules.health_code.services.power.appeals import words_place
from citizen_cloud.text import Text

_APPEALS = text(
    """
    SELECT id, kind, colour, reason, text_sealed, event_id, status, due_at, overdue_at, unit_id,
           decided_at, answer, proposal_id, created_at,
           person_id = :person_id AS is_own, coalesce(decided_by = :account_id, false) AS is_officer
      FROM health_code.appeal
     WHERE person_id = :person_id OR account_id = :account_id OR decided_by = :account_id
     ORDER BY id
    """
)
_SOURCES = text(
    """
    SELECT id, name, unit_id, algorithm, kinds, cap_per_hour, area_code, status, registered_in,
           created_at, retired_at
      FROM health_code.source WHERE account_id = :account_id ORDER BY id
    """
)
_FORGET = (
    text("DELETE FROM health_code.appeal WHERE person_id = :person_id"),
    text("UPDATE health_code.appeal SET account_id = NULL WHERE account_id = :account_id"),
    text("UPDATE health_code.appeal SET decided_by = NULL WHERE decided_by = :account_id"),
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return appeals somebody made, asked for or answered; of others' not their words."""
    asked = {"person_id": subject.person_id, "account_id": subject.account_id}
    appeals = [dict(row) for row in session.execute(_APPEALS, asked).mappings()]
    for row in appeals:
        sealed = row.pop("text_sealed")
        if row["is_own"]:
            row["text"] = crypto.current().open(sealed, place=words_place(row["id"]))
    sources = [dict(row) for row in session.execute(_SOURCES, asked).mappings()]
    return {"appeals": appeals, "sources": sources}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Forget somebody's appeals, and by whom others' were asked for or answered."""
    del now
    asked = {"person_id": subject.person_id, "account_id": subject.account_id}
    counts = [rows_changed(session, statement, asked) for statement in _FORGET]
    return sum(counts)


HOLDING = Holding(
    name="appeals",
    category=Text("健康码申诉与纠错", "Appeals and corrections of the health code"),
    tables=frozenset({"health_code.appeal", "health_code.source"}),
    export=export,
    erase=erase,
)
