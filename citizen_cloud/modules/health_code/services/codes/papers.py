"""Codes on paper: given to those who may have no phone, one living copy each, dead when lost.

Scarce is the living copy: whoever gives one out locks the person's row first, so that the copy
before it has ended when the new one is written.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import clock, crypto
from citizen_cloud.accounts.identity import document_place, name_place
from citizen_cloud.accounts.rules.documents import birth_on
from citizen_cloud.audit.services import Act, record
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services.issuing import PAPER, held_of
from citizen_cloud.db import rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.showable import coloured
from citizen_cloud.modules.health_code.rules import papers as rules
from citizen_cloud.modules.health_code.rules.not_given import PaperNotEligible
from citizen_cloud.modules.health_code.services.codes import disabilities
from citizen_cloud.modules.health_code.services.colours.settled import settled
from citizen_cloud.registry.ended import is_ended


@dataclass(frozen=True, kw_only=True)
class Giver:
    """Who has a paper code made or ended: a citizen, or a clerk at a counter."""

    kind: str
    account_id: UUID
    organisation_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A living paper code, without the code."""

    id: UUID
    reason: str
    colour: str
    issued_at: datetime
    expires_at: datetime
    # Another colour counts at present: the paper is good again when its own does.
    is_suspended: bool


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A living paper code, and the text that its QR code holds."""

    paper: Paper
    text: str


_LOCK = text(
    """
    SELECT id, document_type, document_sealed, name_sealed FROM accounts.person
     WHERE id = :id AND erased_at IS NULL FOR NO KEY UPDATE
    """
)
_INSERT = text(
    """
    INSERT INTO health_code.paper
           (person_id, reason, colour, issued_by, organisation_id, issued_at, expires_at)
    VALUES (:person_id, :reason, :colour, :issued_by, :organisation_id, :issued_at, :expires_at)
    RETURNING id
    """
)
_END = text(
    """
    UPDATE health_code.paper
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp()),
           ended_because = :because
     WHERE person_id = :person_id AND ended_at IS NULL AND (cast(:id AS uuid) IS NULL OR id = :id)
    RETURNING id
    """
)
# The living copy, and its credential as it is signed.
_PRINTED = text(
    f"""
    SELECT p.id, p.reason, p.colour, p.issued_at AS given_at, c.jti, c.type, c.kid, c.issued_at,
           c.expires_at, c.claims, c.show_key, c.name_sealed, c.suspended_at
      FROM health_code.paper p
      JOIN credentials.credential c
        ON c.type = 'hp' AND c.subject_id = p.person_id AND c.revoked_at IS NULL
     WHERE p.person_id = :person_id AND p.ended_at IS NULL
       AND (cast(:id AS uuid) IS NULL OR p.id = :id)
       AND c.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
       AND NOT {is_ended("c.type", "c.issued_at")}
    """  # noqa: S608 - no part of it comes from outside
)
# As long as the code could have been shown, and as long again.
_FORGET = text(
    """
    DELETE FROM health_code.paper
     WHERE expires_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
                        - interval '180 days'
    """
)


def give(session: Session, *, person_id: UUID, giver: Giver, now: datetime | None = None) -> Paper:
    """Give somebody a paper code; the copy before it ends.

    Raises ``NotFound``, ``PaperNotEligible``, ``NoStatus``.
    """
    person = session.execute(_LOCK, {"id": person_id}).mappings().first()
    if person is None:
        raise NotFound
    reason = _reason(session, person, now)
    known = coloured(session, person_id=person_id, now=now)
    standing = settled(session, known, person_id=person_id, now=now)
    _end(session, person_id=person_id, because="replaced", now=now)
    held = credentials.issue_held(
        session,
        type=PAPER,
        holder_id=person_id,
        colour=standing.colour,
        expires_at=None,
        name=_said(person),
        now=now,
    )
    facts = {
        "person_id": person_id,
        "reason": reason,
        "colour": standing.colour,
        "issued_by": giver.account_id,
        "organisation_id": giver.organisation_id,
        "issued_at": held.issued_at,
        "expires_at": held.expires_at,
    }
    paper_id = session.execute(_INSERT, facts).scalar_one()
    _audit(session, "paper_issued", paper_id, person_id, giver)
    return Paper(
        id=paper_id,
        reason=reason,
        colour=standing.colour,
        issued_at=held.issued_at,
        expires_at=held.expires_at,
        is_suspended=False,
    )


def _reason(session: Session, person: RowMapping, now: datetime | None) -> rules.Reason:
    number = crypto.current().open(person["document_sealed"], place=document_place(person["id"]))
    reason = rules.reason_for(
        birth_on(person["document_type"], number),
        clock.local_day(now or clock.now()),
        is_disabled=disabilities.is_known(session, person_id=person["id"]),
    )
    if reason is None:
        raise PaperNotEligible
    return reason


def _said(person: RowMapping) -> str:
    name = crypto.current().open(person["name_sealed"], place=name_place(person["id"]))
    return rules.family_name(name)


def printed(
    session: Session, *, person_id: UUID, paper_id: UUID | None = None, now: datetime | None = None
) -> Printed:
    """Return the living copy of somebody, the same text every time. Raises ``NotFound``."""
    facts = {"person_id": person_id, "id": paper_id, "now": now}
    row = session.execute(_PRINTED, facts).mappings().first()
    if row is None:
        raise NotFound
    paper = Paper(
        id=row["id"],
        reason=row["reason"],
        colour=row["colour"],
        issued_at=row["given_at"],
        expires_at=row["expires_at"],
        is_suspended=row["suspended_at"] is not None,
    )
    return Printed(paper=paper, text=held_of(row).text)


def report_lost(
    session: Session,
    *,
    person_id: UUID,
    giver: Giver,
    paper_id: UUID | None = None,
    now: datetime | None = None,
) -> UUID:
    """Let a copy count no more, at any gate from the next snapshot on. Raises ``NotFound``."""
    ended = _end(session, person_id=person_id, paper_id=paper_id, because="lost", now=now)
    if ended is None:
        raise NotFound
    credentials.revoke(session, type=PAPER, subject_id=person_id, now=now)
    _audit(session, "paper_lost", ended, person_id, giver)
    return ended


def withdraw(
    session: Session, *, person_id: UUID, giver: Giver, now: datetime | None = None
) -> None:
    """Let the living copy of who takes his consent back count no more, if there is one."""
    ended = _end(session, person_id=person_id, because="withdrawn", now=now)
    if ended is not None:
        credentials.revoke(session, type=PAPER, subject_id=person_id, now=now)
        _audit(session, "paper_withdrawn", ended, person_id, giver)


def _end(
    session: Session,
    *,
    person_id: UUID,
    because: str,
    now: datetime | None,
    paper_id: UUID | None = None,
) -> UUID | None:
    facts = {"person_id": person_id, "id": paper_id, "because": because, "now": now}
    ended: UUID | None = session.execute(_END, facts).scalar()
    return ended


def _audit(session: Session, verb: str, paper_id: UUID, person_id: UUID, giver: Giver) -> None:
    act = Act(
        actor_kind=giver.kind,
        actor_id=giver.account_id,
        action=f"health_code.{verb}",
        object_type="paper",
        object_id=paper_id,
        organisation_id=giver.organisation_id,
        payload={"person_id": person_id},
    )
    record(session, act)


def forget(session: Session, *, now: datetime | None = None) -> int:
    """Delete papers that were over half a year ago; return how many."""
    return rows_changed(session, _FORGET, {"now": now})
