"""Appeals and corrections: opened by citizens, read and answered by officers."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.approvals.services import Proposer, propose
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.appeals import AppealRow, appeal, appeal_for_update
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.queries.versions import live_version
from citizen_cloud.modules.health_code.rules.appeals import APPEAL, CORRECTION, OVERDUE
from citizen_cloud.modules.health_code.rules.power_refusals import (
    AppealOpen,
    AppealOver,
    EventNotTheirs,
    NothingToAppeal,
    OwnDecision,
    UnitRequired,
)
from citizen_cloud.modules.health_code.services import answers
from citizen_cloud.modules.health_code.services.standings import lock, refold

PURPOSE = "health_code.appeal"
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


@dataclass(frozen=True, kw_only=True)
class Officer:
    """Who answers, and for which authority."""

    account_id: UUID
    unit_id: UUID
    # All authorities he works for
    unit_ids: frozenset[UUID] = frozenset()


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
    version = live_version(session)
    locked = lock(session, [new.person_id], number=version.number, now=now)
    refold(session, locked, version=version)
    standing = standing_of(session, new.person_id, now=now)
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


def read(
    session: Session, *, appeal_id: UUID, by: Officer, now: datetime | None = None
) -> tuple[AppealRow, str]:
    """Return an appeal and the citizen's words; its citizen sees who looked. ``NotFound``."""
    _require_unit(session, by)
    found = appeal(session, appeal_id)
    note_access(session, _look(found, by), now=now)
    words = crypto.current().open(found.text_sealed, place=words_place(found.id))
    return found, words


def refuse(
    session: Session, *, appeal_id: UUID, answer: str, by: Officer, now: datetime | None = None
) -> AppealRow:
    """Refuse an appeal, with a reason out of a closed list; its citizen is told.

    Raises ``NotFound``, ``AppealOver``, and ``OwnDecision`` for the unit that gave the colour.
    """
    found = _to_decide(session, appeal_id, by)
    if _givers(session, found.person_id) & {by.unit_id, *by.unit_ids}:
        raise OwnDecision().but_record(
            partial(note_access, look=_look(found, by, refused=True), now=now)
        )
    note_access(session, _look(found, by), now=now)
    at = now or session.execute(text("SELECT statement_timestamp()")).scalar_one()
    answers.decide(
        session,
        appeal_id=appeal_id,
        status="refused",
        answer=answer,
        unit_id=by.unit_id,
        by=by.account_id,
        now=at,
    )
    return appeal(session, appeal_id)


_PROPOSED = text(
    """
    UPDATE health_code.appeal
       SET status = 'proposed', proposal_id = :proposal_id, unit_id = :unit_id, decided_by = :by
     WHERE id = :id
    """
)


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Which events an officer would withdraw, and what shows that they are wrong."""

    event_ids: tuple[UUID, ...]
    reason: str
    evidence_reference: str


def propose_correction(
    session: Session,
    *,
    appeal_id: UUID,
    remedy: Remedy,
    by: Officer,
    now: datetime | None = None,
) -> AppealRow:
    """Ask two approvers to withdraw events: no officer turns anybody green alone either.

    Raises ``NotFound``, ``AppealOver``, ``EventNotTheirs``.
    """
    found = _to_decide(session, appeal_id, by)
    note_access(session, _look(found, by), now=now)
    payload = {"event_ids": [str(one) for one in remedy.event_ids], "appeal_id": str(appeal_id)}
    proposal_id = propose(
        session,
        kind="health_code.correct",
        payload=payload,
        reason=remedy.reason,
        evidence_reference=remedy.evidence_reference,
        proposer=Proposer(account_id=by.account_id, unit_id=by.unit_id, kind="staff"),
        now=now,
    )
    facts = {
        "id": appeal_id,
        "proposal_id": proposal_id,
        "unit_id": by.unit_id,
        "by": by.account_id,
    }
    session.execute(_PROPOSED, facts)
    return appeal(session, appeal_id)


def _require_unit(session: Session, by: Officer) -> None:
    if authority(session, by.unit_id) is None:
        raise UnitRequired


def _to_decide(session: Session, appeal_id: UUID, by: Officer) -> AppealRow:
    _require_unit(session, by)
    found = appeal_for_update(session, appeal_id)
    if found is None:
        raise NotFound
    if found.status != "open":
        raise AppealOver
    return found


# Which authorities proposed what makes this person red or yellow by hand.
_GIVERS = text(
    """
    SELECT DISTINCT a.unit_id FROM health_code.event e
      JOIN health_code.assignment a ON a.proposal_id = e.approval_id
     WHERE e.person_id = :person_id AND e.kind = 'assigned'
       AND NOT EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id)
    """
)


def _givers(session: Session, person_id: UUID) -> set[UUID]:
    return set(session.scalars(_GIVERS, {"person_id": person_id}))


def _look(found: AppealRow, by: Officer, *, refused: bool = False) -> Look:
    look = Look(
        person_id=found.person_id,
        reader_kind="staff",
        reader_id=by.account_id,
        organisation_id=by.unit_id,
        purpose=PURPOSE,
        categories=("health",),
        basis_type="case",
        basis_id=found.id,
    )
    return replace(look, outcome="refused") if refused else look


__all__ = [
    "CORRECTION",
    "NewAppeal",
    "Officer",
    "Remedy",
    "open_appeal",
    "propose_correction",
    "read",
    "refuse",
    "words_place",
]
