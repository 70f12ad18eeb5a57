"""Appeals and corrections as citizens open them; some the rule answers at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.queries.appeals import AppealRow, appeal
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules.appeals import APPEAL, OVERDUE
from citizen_cloud.modules.health_code.rules.power_refusals import (
    AppealOpen,
    EventNotTheirs,
    NothingToAppeal,
)
from citizen_cloud.modules.health_code.services.colours.refolding import settle
from citizen_cloud.modules.health_code.services.power import answers

OBJECTED = frozenset({"yellow", "red"})


@dataclass(frozen=True, kw_only=True)
class NewAppeal:
    """What a citizen objects to; ``words`` is free text and is sealed."""

    kind: str
    person_id: UUID
    account_id: UUID
    account_kind: str
    reason: str
    words: str
    event_id: UUID | None = None


def words_place(appeal_id: UUID) -> str:
    """Return what binds a citizen's words to the appeal."""
    return f"health_code.appeal:text:{appeal_id}"


_OPEN = text(
    """
    INSERT INTO health_code.appeal
           (id, kind, person_id, account_id, colour, reason, text_sealed, event_id, due_at,
            created_at)
    SELECT :id, :kind, :person_id, :account_id, :colour, :reason, :words, :event_id,
           t.at + make_interval(hours => :hours), t.at
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
    ON CONFLICT DO NOTHING
    RETURNING created_at
    """
)


def open_appeal(session: Session, new: NewAppeal, *, now: datetime | None = None) -> AppealRow:
    """Open one; what should have turned by now is folded anew, and answered at once if it turns.

    Raises ``NothingToAppeal``, ``EventNotTheirs``, ``AppealOpen``.
    """
    standing = standing_of(session, new.person_id, now=now)
    colour = "none" if standing is None else standing.colour
    is_late = new.reason == OVERDUE and standing is not None and standing.is_due
    _check_object(session, new, colour, is_late=is_late)
    appeal_id = new_id()
    facts = {
        "id": appeal_id,
        "kind": new.kind,
        "person_id": new.person_id,
        "account_id": new.account_id,
        "colour": colour,
        "reason": new.reason,
        "words": crypto.current().seal(new.words, place=words_place(appeal_id)),
        "event_id": new.event_id,
        "hours": limit(session, "appeal_hours"),
        "now": now,
    }
    at = session.scalar(_OPEN, facts)
    if at is None:
        raise AppealOpen
    _write_down(session, new, appeal_id)
    if is_late:
        _fold_anew(session, new, appeal_id, at)
    return appeal(session, appeal_id)


def _check_object(session: Session, new: NewAppeal, colour: str, *, is_late: bool) -> None:
    if new.kind == APPEAL and colour not in OBJECTED and not is_late:
        raise NothingToAppeal
    if new.event_id is not None and not session.scalar(
        _THEIRS, {"id": new.event_id, "person_id": new.person_id}
    ):
        raise EventNotTheirs


_THEIRS = text(
    """
    SELECT EXISTS (SELECT FROM health_code.event
                    WHERE id = :id AND person_id = :person_id AND kind <> 'withdrawn')
    """
)


def _fold_anew(session: Session, new: NewAppeal, appeal_id: UUID, now: datetime) -> None:
    standing = settle(session, new.person_id, now=now)
    if standing is None or standing.colour not in OBJECTED:
        answers.by_rule(session, appeal_id=appeal_id, now=now)


def _write_down(session: Session, new: NewAppeal, appeal_id: UUID) -> None:
    act = Act(
        actor_kind=new.account_kind,
        actor_id=new.account_id,
        action="health_code.appeal_opened",
        object_type="appeal",
        object_id=appeal_id,
        payload={"person_id": new.person_id, "kind": new.kind, "reason": new.reason},
    )
    record(session, act)
