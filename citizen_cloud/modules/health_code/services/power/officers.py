"""Officers read appeals and answer them: no by one of another unit, yes by two approvers."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.approvals.services import Proposer, propose
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.appeals import AppealRow, appeal, appeal_for_update
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.rules.power_refusals import (
    AppealOver,
    OwnDecision,
    UnitRequired,
)
from citizen_cloud.modules.health_code.services.power import answers
from citizen_cloud.modules.health_code.services.power.appeals import words_place

PURPOSE = "health_code.appeal"


@dataclass(frozen=True, kw_only=True)
class Officer:
    """Who answers, and for which authority."""

    account_id: UUID
    unit_id: UUID
    # All authorities he works for
    unit_ids: frozenset[UUID] = frozenset()


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

    Raises ``NotFound``, ``AppealOver``, and ``OwnDecision`` for who gave the colour, and his unit.
    """
    found = _to_decide(session, appeal_id, by)
    if _gave(session, found.person_id, by):
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


# Whose authority proposed what makes this person red or yellow by hand, and who agreed to it.
_GAVE = text(
    """
    SELECT EXISTS (
        SELECT FROM health_code.event e JOIN approvals.proposal p ON p.id = e.approval_id
         WHERE e.person_id = :person_id AND e.kind = 'assigned'
           AND NOT EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id)
           AND (p.unit_id = ANY(:units) OR p.proposed_by = :account_id
                OR EXISTS (SELECT FROM approvals.decision d
                            WHERE d.proposal_id = p.id AND d.account_id = :account_id
                              AND d.verdict = 'approve')))
    """
)


def _gave(session: Session, person_id: UUID, by: Officer) -> bool:
    asked = {
        "person_id": person_id,
        "units": [by.unit_id, *by.unit_ids],
        "account_id": by.account_id,
    }
    return bool(session.scalar(_GAVE, asked))


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
