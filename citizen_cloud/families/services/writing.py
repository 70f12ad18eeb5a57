"""What every verb of this room needs: the locks, the one INSERT, and the audit entry.

Scarce are the eight dependants of a person and the two guardians of a child. Whoever adds or
agrees to a link locks the acting person's row, and the represented one's where it is known; two
rows are locked in the order of their ids. Ending a link locks nothing: it only makes room.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Refusal
from citizen_cloud.families.refusals import (
    AlreadyLinked,
    DependantsFull,
    GuardiansFull,
    ProxyCycle,
)
from citizen_cloud.families.rules import MOST_DEPENDANTS, MOST_GUARDIANS
from citizen_cloud.jobs.rules import Lane, lane_of
from citizen_cloud.jobs.services import announce

# A link ended, or covers less than before: services end what was given out by it.
ENDED = "families.link_ended"

# Not FOR UPDATE: bookings point at these rows and need not wait.
_LOCK = text(
    """
    SELECT id FROM accounts.person WHERE id = ANY(:ids) AND erased_at IS NULL
     ORDER BY id FOR NO KEY UPDATE
    """
)
_LAPSE = text(
    """
    UPDATE families.link
       SET status = 'expired', ended_at = :now
     WHERE (acting_id = :acting_id OR represented_key = :acting_key)
       AND (status = 'pending' AND answer_by <= :now OR status = 'active' AND expires_at <= :now)
    RETURNING id, acting_id, represented_id, old.status AS was
    """
)
_DEPENDANTS = text(
    """
    SELECT count(*) FROM families.link
     WHERE acting_id = :acting_id AND status IN ('pending', 'active')
    """
)
_GUARDIANS = text(
    """
    SELECT count(*) FROM families.link
     WHERE represented_key = :key AND relation = 'child' AND status = 'active'
       AND (expires_at IS NULL OR expires_at > :now) AND acting_id <> :acting_id
    """
)
_INSERT = text(
    """
    INSERT INTO families.link
           (id, acting_id, acting_key, represented_key, name_sealed, relation, scopes,
            is_credible, requested_at, answer_by, expires_at)
    VALUES (:id, :acting_id, :acting_key, :represented_key, :name_sealed, :relation, :scopes,
            :is_credible, :requested_at, :answer_by, :expires_at)
    """
)
_BY_CONSTRAINT: Mapping[str, type[Refusal]] = {
    "uq_link_live": AlreadyLinked,
    "uq_link_pair": ProxyCycle,
}


@dataclass(frozen=True, kw_only=True)
class NewLink:
    """A row as it is written first: a request."""

    id: UUID
    acting_id: UUID
    acting_key: bytes
    represented_key: bytes
    name: str
    relation: str
    scopes: list[str]
    is_credible: bool
    requested_at: datetime
    answer_by: datetime
    expires_at: datetime | None


def lock_people(session: Session, *person_ids: UUID) -> None:
    """Let nobody else add a link of these people meanwhile."""
    session.execute(_LOCK, {"ids": list(person_ids)}).all()


def lapse(session: Session, *, acting_id: UUID, acting_key: bytes, now: datetime) -> None:
    """Mark what is over by time, so that no constraint sees it.

    Also the links of others to this person: a grown-up child may act for the former guardian.
    """
    asked = {"acting_id": acting_id, "acting_key": acting_key, "now": now}
    announce_lapsed(session, session.execute(_LAPSE, asked).mappings())


def announce_lapsed(session: Session, rows: Iterable[RowMapping]) -> int:
    """Announce the links among what lapsed; return how many lapsed, requests too."""
    found = list(rows)
    for row in found:
        if row["was"] == "active":
            announce_end(session, row, lane=lane_of(len(found)))
    return len(found)


def announce_end(
    session: Session, row: RowMapping, *, kept: Sequence[str] = (), lane: Lane = "urgent"
) -> None:
    """Tell the services that somebody may no longer act for a person, or only in some of them.

    The event names the link and nobody: the row stays for half a year, or goes with a person.
    """
    announce(session, ENDED, {"link_id": row["id"], "kept": list(kept)}, lane=lane)


def check_dependants(session: Session, *, acting_id: UUID) -> None:
    """Refuse a ninth dependant (``DependantsFull``); the caller holds the lock."""
    if (session.scalar(_DEPENDANTS, {"acting_id": acting_id}) or 0) >= MOST_DEPENDANTS:
        raise DependantsFull(most=MOST_DEPENDANTS)


def check_guardians(session: Session, *, key: bytes, acting_id: UUID, now: datetime) -> None:
    """Refuse a child's third guardian (``GuardiansFull``); the caller holds the lock."""
    facts = {"key": key, "acting_id": acting_id, "now": now}
    if (session.scalar(_GUARDIANS, facts) or 0) >= MOST_GUARDIANS:
        raise GuardiansFull


def insert(session: Session, new: NewLink) -> None:
    """Write a link. The constraints decide: raises ``AlreadyLinked`` or ``ProxyCycle``."""
    values: dict[str, Any] = dict(vars(new))
    values["name_sealed"] = crypto.current().seal(values.pop("name"), place=name_place(new.id))
    try:
        session.execute(_INSERT, values)
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        refusal = _BY_CONSTRAINT.get(constraint or "")
        if refusal is None:
            raise
        raise refusal from None


def name_place(link_id: UUID) -> str:
    """Return what binds the name an asker gave to its row."""
    return f"families.link:name:{link_id}"


def evidence_place(link_id: UUID) -> str:
    """Return what binds a reference to evidence to its row."""
    return f"families.link:evidence:{link_id}"


def end_evidence_place(link_id: UUID) -> str:
    """Return what binds a reference to the evidence for an ending to its row."""
    return f"families.link:end_evidence:{link_id}"


@dataclass(frozen=True, kw_only=True)
class Author:
    """Whose act it is, and where."""

    kind: str
    id: UUID
    organisation_id: UUID | None = None


def audit(session: Session, verb: str, link_id: UUID, by: Author, **facts: Any) -> None:
    """Record an act on a link; the facts name no person."""
    record(
        session,
        Act(
            actor_kind=by.kind,
            actor_id=by.id,
            action=f"families.{verb}",
            object_type="link",
            object_id=link_id,
            organisation_id=by.organisation_id,
            payload=facts,
        ),
    )
