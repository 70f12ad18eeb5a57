"""Write rule versions down as drafts, and put one in force once two people agreed to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Invalid
from citizen_cloud.modules.health_code.rules.versions import VersionFault, read_version

# Any number that no other advisory lock of this database uses.
NUMBERING_LOCK = 7_301_201


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody proposes the rules to be, and which changes of colour he means by it."""

    profile: str
    rules: Mapping[str, Any]
    expected: Sequence[Mapping[str, str]] = ()
    note: str = ""


_INSERT = text(
    """
    INSERT INTO health_code.rule_version (number, profile, rules, expected, note, created_by)
    SELECT max(number) + 1, :profile, cast(:rules AS jsonb), cast(:expected AS jsonb), :note,
           :created_by
      FROM health_code.rule_version
    RETURNING id, number, profile, rules, expected, note, status, created_at, live_from,
              live_until
    """
)
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


def hold_numbering(session: Session) -> None:
    """Let nobody else number a version or put one in force until this transaction ends."""
    session.execute(_LOCK, {"key": NUMBERING_LOCK})


def draft(session: Session, *, new: Draft, created_by: UUID) -> RowMapping:
    """Write a version down; it counts for nobody. Raises ``Invalid`` at the first fault in it."""
    try:
        read_version(0, new.profile, new.rules)
    except VersionFault as fault:
        pointer = fault.pointer if fault.pointer == "/profile" else f"/rules{fault.pointer}"
        raise Invalid(errors=[{"pointer": pointer, "code": "invalid"}]) from fault
    hold_numbering(session)
    row = session.execute(
        _INSERT,
        {
            "profile": new.profile,
            "rules": json.dumps(new.rules, ensure_ascii=False),
            "expected": json.dumps([dict(one) for one in new.expected]),
            "note": new.note,
            "created_by": created_by,
        },
    )
    made = row.mappings().one()
    record(session, _act("health_code.rules_drafted", created_by, made["id"], made["number"]))
    return made


_RETIRE = text(
    "UPDATE health_code.rule_version SET status = 'retired', live_until = :now "
    "WHERE status = 'live'"
)
_BEGIN = text(
    """
    UPDATE health_code.rule_version
       SET status = 'live', live_from = :now, approval_id = :approval_id
     WHERE number = :number AND status = 'shadow' RETURNING id
    """
)


def put_in_force(session: Session, *, number: int, approval_id: UUID, now: datetime) -> None:
    """Let a version count from now on; whoever is read from here on is read by it.

    The rows follow by job. The caller holds two people's word, and has checked the shadow run.
    """
    hold_numbering(session)
    session.execute(_RETIRE, {"now": now})
    asked = {"number": number, "approval_id": approval_id, "now": now}
    version_id = session.execute(_BEGIN, asked).scalar_one()
    record(session, _act("health_code.rules_in_force", None, version_id, number))


def _act(action: str, actor_id: UUID | None, version_id: UUID, number: int) -> Act:
    return Act(
        actor_kind="admin" if actor_id else "system",
        actor_id=actor_id,
        action=action,
        object_type="rule_version",
        object_id=version_id,
        payload={"number": number},
    )
