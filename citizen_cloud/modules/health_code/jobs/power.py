"""What needs two people here, what becomes of it when they do not agree, and the appeals' clock."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.manifest import DecisionKind, Event, Handler, Job, Together
from citizen_cloud.modules.health_code.jobs.portions import in_portions
from citizen_cloud.modules.health_code.rules import hand
from citizen_cloud.modules.health_code.rules.events import ASSIGN_REASONS
from citizen_cloud.modules.health_code.schemas import proposals
from citizen_cloud.modules.health_code.services.colours.news import MODULE, tell_assigned
from citizen_cloud.modules.health_code.services.power import (
    alarms,
    answers,
    correcting,
    named,
    waiting,
)
from citizen_cloud.modules.health_code.services.power import hand as colours_by_hand
from citizen_cloud.modules.health_code.services.reports import releasing, sources
from citizen_cloud.text import Text

DECISIONS: tuple[DecisionKind, ...] = (
    DecisionKind(
        name="health_code.assign_colour",
        title=Text("人工赋码", "Give a colour by hand"),
        permission="health_code.colours.propose",
        payload=proposals.HealthAssignPayloadSchema,
        reasons=ASSIGN_REASONS,
        check=colours_by_hand.check_assign,
        apply=colours_by_hand.apply_assign,
        keeps=named.keeps_assign,
        bars=named.bars_assign,
        shows=named.shows_assign,
    ),
    DecisionKind(
        name="health_code.correct",
        title=Text("更正健康码记录", "Withdraw events that were wrong"),
        permission="health_code.appeals.decide",
        payload=proposals.HealthCorrectPayloadSchema,
        reasons=hand.CORRECT_REASONS,
        check=correcting.check_correct,
        apply=correcting.apply_correct,
        bars=correcting.bars_correct,
    ),
    DecisionKind(
        name="health_code.register_source",
        title=Text("登记数据来源", "Register a source of data"),
        permission="health_code.sources.manage",
        payload=proposals.HealthSourcePayloadSchema,
        reasons=hand.REGISTER_REASONS,
        check=sources.check_register,
        apply=sources.apply_register,
    ),
    DecisionKind(
        name="health_code.retire_source",
        title=Text("停用数据来源", "Retire a source of data"),
        permission="health_code.sources.manage",
        payload=proposals.HealthRetirePayloadSchema,
        reasons=hand.RETIRE_REASONS,
        check=sources.check_retire,
        apply=sources.apply_retire,
    ),
    DecisionKind(
        name=releasing.KIND,
        title=Text("放行超量报送", "Let a batch above its cap pass"),
        permission="health_code.sources.manage",
        payload=proposals.HealthReleasePayloadSchema,
        reasons=hand.RELEASE_REASONS,
        check=releasing.check_release,
        apply=releasing.apply_release,
        bars=releasing.bars_release,
    ),
)


def not_agreed(session: Session, event: Event, now: datetime) -> None:
    """Forget a batch that nobody let pass; put an appeal back into the queue."""
    proposal_id = UUID(event.payload["proposal_id"])
    releasing.let_go(session, proposal_id=proposal_id, now=now)
    answers.reopen(session, proposal_id=proposal_id)


def attempted(session: Session, event: Event, now: datetime) -> None:
    """Tell the auditors of what was asked for here without evidence, or for a reason not listed."""
    if event.payload["kind"].startswith(f"{MODULE}."):
        alarms.tell_auditors(session, what=event.payload["code"], alarm_id=event.id, now=now)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **dict.fromkeys(
            ("approvals.rejected", "approvals.withdrawn", "approvals.expired", "approvals.failed"),
            not_agreed,
        ),
        "approvals.attempted": attempted,
        colours_by_hand.ASSIGNED: Together(tell_assigned),
    }
)


def ring_for_overdue(now: datetime) -> int:
    """Ring once a day for every appeal nobody answered in time, by the database's clock."""
    del now
    return in_portions(waiting.ring_for_overdue, most=waiting.MOST)


JOBS: tuple[Job, ...] = (
    Job(name="health_code.ring_for_overdue", cron="*/5 * * * *", run=ring_for_overdue),
)
