"""Who stands behind the counter, and how their deeds are written down."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import SecondPersonRequired
from citizen_cloud.accounts.services import recovery
from citizen_cloud.accounts.services.data_access import Basis, Look, Outcome, note_access
from citizen_cloud.audit.services import Act, record
from citizen_cloud.counter.queries import Case, Reach
from citizen_cloud.counter.refusals import OpenerGone
from citizen_cloud.organisations.refusals import NotACounter
from citizen_cloud.organisations.services.counters import pair_of


@dataclass(frozen=True, kw_only=True)
class Clerk:
    """An account at work; a citizen who asks for himself works at no counter."""

    kind: str
    id: UUID | None
    organisation_id: UUID | None = None


SYSTEM = Clerk(kind="system", id=None)


def at(by: Clerk, reach: Reach, organisation_id: UUID | None) -> Clerk:
    """Return the clerk at the counter of a case, where that is one of his."""
    is_his = organisation_id in reach.counters
    return replace(by, organisation_id=organisation_id) if is_his else by


def write_down(session: Session, verb: str, *, case_id: UUID | None, kind: str, by: Clerk) -> None:
    """Audit a step of a case."""
    act = Act(
        actor_kind=by.kind,
        actor_id=by.id,
        action=f"counter.{verb}",
        object_type="case",
        object_id=case_id,
        organisation_id=by.organisation_id,
        payload={"kind": kind},
    )
    record(session, act)


def note_look(
    session: Session,
    *,
    person_id: UUID | None,
    by: Clerk,
    kind: str,
    case_id: UUID | None,
    categories: tuple[str, ...] = ("name", "document"),
    outcome: Outcome = "read",
) -> None:
    """Let the person see who looked; somebody who is no person yet has nothing to see."""
    if person_id is None:
        return
    basis: Basis = "none" if case_id is None else "case"
    look = Look(
        person_id=person_id,
        reader_kind=by.kind,
        reader_id=by.id,
        organisation_id=by.organisation_id,
        purpose=f"counter.{kind}",
        categories=categories,
        basis_type=basis,
        basis_id=case_id,
        outcome=outcome,
    )
    note_access(session, look)


def check_opener(session: Session, found: Case, by: Clerk, *, approved: bool) -> None:
    """Let pass an opener who may still ask; a refusal needs none.

    Raises ``SecondPersonRequired``, ``OpenerGone``; ``AccountNotLiving`` for a citizen's own wish.
    """
    if found.organisation_id is None:
        if approved and found.person_id is not None:
            recovery.living_account(session, person_id=found.person_id)
        return
    if by.id is None:
        raise NotACounter
    pair = pair_of(
        session,
        organisation_id=found.organisation_id,
        first=found.opened_by,
        second=by.id,
        now=found.t,
    )
    if not pair.is_independent:
        raise SecondPersonRequired
    if approved and not pair.is_first_there:
        raise OpenerGone
