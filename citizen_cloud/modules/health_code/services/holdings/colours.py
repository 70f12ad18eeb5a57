"""What the colours hold about people: events, standings, and trials they took part in."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.colours.events import details_place
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.text import Text

_PERSON = """
    (person_id = :person_id
     OR person_id IN (SELECT person_id FROM accounts.account WHERE id = :account_id))
"""
_EVENTS = text(
    f"""
    SELECT id, kind, evidence, occurred_at, recorded_at, payload, details_sealed, source_kind,
           source_id, approval_id, batch_id, withdraws
      FROM health_code.event WHERE {_PERSON} ORDER BY recorded_at, id
    """  # noqa: S608 - put together from constants
)
# What somebody said of others: that it was said, not what.
_SAID = text(
    f"""
    SELECT id, kind, recorded_at FROM health_code.event
     WHERE source_id = :account_id AND NOT coalesce({_PERSON}, false) ORDER BY recorded_at, id
    """  # noqa: S608
)
_STANDINGS = text(
    f"""
    SELECT person_id, colour, as_of, reasons, next_change_at, green_from, streak, rule_version,
           changed_at
      FROM health_code.standing WHERE {_PERSON}
    """  # noqa: S608
)
_TRIALS = text(
    f"""
    SELECT run_id, person_id, before, after FROM health_code.shadow_flip
     WHERE {_PERSON} ORDER BY run_id
    """  # noqa: S608
)
_VERSIONS = text(
    """
    SELECT number, created_at FROM health_code.rule_version
     WHERE created_by = :account_id ORDER BY number
    """
)
_RUNS = text(
    "SELECT id, number, at FROM health_code.shadow_run WHERE started_by = :account_id ORDER BY id"
)
_FORGET = (
    text(f"DELETE FROM health_code.shadow_flip WHERE {_PERSON}"),  # noqa: S608
    text(f"DELETE FROM health_code.standing WHERE {_PERSON}"),  # noqa: S608
    text(f"DELETE FROM health_code.event WHERE {_PERSON}"),  # noqa: S608
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return every event with its words, the standing, trials, and what was said of others."""
    asked = asdict(subject)
    return {
        "events": [_opened(row) for row in session.execute(_EVENTS, asked).mappings()],
        **{
            name: [dict(row) for row in session.execute(statement, asked).mappings()]
            for name, statement in (
                ("standing", _STANDINGS),
                ("rule_trials", _TRIALS),
                ("said_of_others", _SAID),
                ("rule_versions_written", _VERSIONS),
                ("rule_trials_started", _RUNS),
            )
        },
    }


def _opened(row: Any) -> dict[str, Any]:
    found = dict(row)
    sealed = found.pop("details_sealed")
    place = details_place(found["id"])
    found["details"] = None if sealed is None else crypto.current().open(sealed, place=place)
    return found


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Forget what was said of somebody and where he stood."""
    del now
    asked = asdict(subject)
    counts = [rows_changed(session, statement, asked) for statement in _FORGET]
    return sum(counts)


colours = Holding(
    name="colours",
    category=Text(
        "健康申报、行程、检测结果与健康码颜色", "Declarations, trips, results and colour"
    ),
    tables=frozenset(
        {
            "health_code.event",
            "health_code.standing",
            "health_code.shadow_flip",
            "health_code.shadow_run",
            "health_code.rule_version",
        }
    ),
    export=export,
    erase=erase,
    kept=(
        Text(
            "您为他人作出的申报归他人所有，仅以编号标明申报账号",
            "What you declared for others is theirs; it names your account by an id only",
        ),
    ),
)
