"""Rings where power is asked for beyond its bounds: the audit trail, the log, every auditor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.text import Text

log = structlog.get_logger(__name__)

ACTION = "health_code.alarm"
OBJECT = "alarm"
WHAT: Mapping[str, Text] = {
    "batch_too_large": Text("人工赋码人数超限", "Too many people in a proposal of a colour"),
    "person_unknown": Text("赋码名单中有人无法确认", "Unknown people in a proposal of a colour"),
    "signature_invalid": Text("数据来源签名不符", "A batch not signed by its source"),
    "above_cap": Text("数据来源超出每小时限量", "A source above its hourly cap"),
    "above_rate": Text("地区赋码超出限量，须第三人批准", "An area above its rate: a third agrees"),
    "evidence_required": Text("未注明证据的提议", "A proposal without evidence"),
    "reason_unknown": Text("理由不在列表中的提议", "A proposal for a reason not listed"),
    "appeal_overdue": Text("申诉逾期未处理", "An appeal nobody answered in time"),
}


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """What happened, by whom; ``facts`` are counts and ids, never people."""

    what: str
    actor_kind: str = "system"
    actor_id: UUID | None = None
    unit_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


# Closed accounts are told nothing; ``notify`` sees to that.
_AUDITORS = text(
    """
    SELECT DISTINCT m.account_id FROM organisations.membership m
     WHERE m.role = 'auditor' AND m.ended_at IS NULL ORDER BY m.account_id
    """
)
_NOW = text("SELECT statement_timestamp()")


def ring(session: Session, alarm: Alarm) -> UUID:
    """Write an alarm down and tell the auditors; return its id.

    For what is refused, pass it on: ``refusal.but_record(partial(ring, alarm=…))``.
    """
    alarm_id = new_id()
    log.warning(ACTION, what=alarm.what, actor_id=str(alarm.actor_id), **alarm.facts)
    record(
        session,
        Act(
            actor_kind=alarm.actor_kind,
            actor_id=alarm.actor_id,
            action=ACTION,
            object_type=OBJECT,
            object_id=alarm_id,
            organisation_id=alarm.unit_id,
            payload={"what": alarm.what, **alarm.facts},
        ),
    )
    now = session.execute(_NOW).scalar_one()
    tell_auditors(session, what=alarm.what, alarm_id=alarm_id, now=now)
    return alarm_id


def tell_auditors(session: Session, *, what: str, alarm_id: UUID, now: datetime) -> None:
    """Put an alarm into the inbox of every auditor."""
    words = WHAT[what]
    for row in session.execute(_AUDITORS).all():
        note = Note(
            account_id=row.account_id,
            kind=ACTION,
            title=Text("健康码告警", "Health code alarm"),
            body=Text(f"{words.zh}。请查看审计页面。", f"{words.en}. See the audit pages."),
            dedupe_key=f"{ACTION}:{alarm_id}:{row.account_id}",
            subject_type=OBJECT,
            subject_id=alarm_id,
        )
        notify(session, note=note, now=now)
