"""What this room writes down: its acts, the attempts it refused, and the database's instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Refusal

log = structlog.get_logger(__name__)

_CLOCK = text("SELECT coalesce(cast(:now AS timestamptz), statement_timestamp())")


def clock(session: Session, now: datetime | None) -> datetime:
    """Return the instant that decides: the database's own, unless one is given."""
    instant: datetime = session.execute(_CLOCK, {"now": now}).scalar_one()
    return instant


@dataclass(frozen=True, kw_only=True)
class By:
    """Who acts, as the audit trail names him, and for which unit."""

    kind: str = "system"
    id: UUID | None = None
    unit_id: UUID | None = None


def act(verb: str, by: By, proposal_id: UUID | None, facts: Mapping[str, Any]) -> Act:
    """Return an act about a proposal."""
    return Act(
        actor_kind=by.kind,
        actor_id=by.id,
        action=f"approvals.{verb}",
        object_type="proposal",
        object_id=proposal_id,
        organisation_id=by.unit_id,
        payload=dict(facts),
    )


def refused(
    refusal: Refusal, verb: str, by: By, proposal_id: UUID | None, facts: Mapping[str, Any]
) -> Refusal:
    """Have an attempt written to the audit trail and to the log although it was refused."""
    attempt = act(verb, by, proposal_id, {"code": refusal.code, **facts})

    def alarm(session: Session | Connection) -> None:
        record(session, attempt)
        log.warning("approval_alarm", refusal=refusal.code, action=attempt.action)

    return refusal.but_record(alarm)
