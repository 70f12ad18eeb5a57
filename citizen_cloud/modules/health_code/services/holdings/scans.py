"""What checks hold about people: which inspector made them. Whose codes they were, no row says."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.text import Text

_MADE = text(
    """
    SELECT id, scan_id, place_id, outcome, decided_at, is_offline, device_at, device_outcome,
           is_conflict, finding
      FROM health_code.scan WHERE account_id = :account_id ORDER BY id
    """
)
_FORGET = text("DELETE FROM health_code.scan WHERE account_id = :account_id")


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the checks an inspector made."""
    rows = session.execute(_MADE, asdict(subject)).mappings()
    return {"scans": [dict(row) for row in rows]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete them."""
    del now
    return rows_changed(session, _FORGET, asdict(subject))


HOLDING = Holding(
    name="scans",
    category=Text("核验记录（21天后删除）", "Checks you made as an inspector, for 21 days"),
    tables=frozenset({"health_code.scan"}),
    export=export,
    erase=erase,
)
