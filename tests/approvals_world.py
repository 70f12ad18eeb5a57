"""Approvers of different authorities, and how they agree; for any room that needs two."""

from contextlib import contextmanager

import people
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.app import contributions
from citizen_cloud.approvals import kinds, services
from citizen_cloud.approvals.services import Proposer, Word
from citizen_cloud.embedded.postgres import OWNER_ROLE
from citizen_cloud.registry.discovery import discover


@contextmanager
def as_owner(session=None):
    """Open a transaction of the machine's owner, who alone appoints; in one that is open already
    where its connection may become him.
    """
    with people._in(session) as opened:
        may_become_owner = opened.scalar(text("SELECT session_user")) == OWNER_ROLE
        if may_become_owner:
            with opened.begin_nested():
                opened.execute(text(f"SET LOCAL ROLE {OWNER_ROLE}"))
                yield opened
                opened.execute(text(f"SET LOCAL ROLE {db.APP_ROLE}"))
            return
        url = opened.get_bind().engine.url.set(username=OWNER_ROLE)
    pool = db.PooledDatabase(url.render_as_string(hide_password=False), pool_size=1, role=None)
    try:
        with pool.transaction() as owners:
            yield owners
    finally:
        pool.dispose()


def appoint(someone, unit_id, *, session=None, **more):
    """Appoint somebody in the name of the machine's owner, bound to a person; return the id."""
    people.somebody(someone, session=session)
    with as_owner(session) as opened:
        return services.appoint(opened, account_id=someone.account_id, unit_id=unit_id, **more)


def approver(unit_id=None, *, role="staff", person_id=None, session=None):
    """Return a member of staff of an authority, of a new one unless told, who may decide.

    Each is a person of his own, unless told who it is.
    """
    with people._in(session) as opened:
        unit_id = unit_id or people.hall(session=opened)
        someone = people.staff(unit_id, role, session=opened)
        people.bind(someone, person_id, session=opened)
    appoint(someone, unit_id, session=session)
    return someone


def approvers(n=2, *, session=None):
    """Return so many approvers, each of an authority of its own."""
    return [approver(session=session) for _ in range(n)]


def digest(proposal_id, *, session=None):
    """Return what an approver was shown."""
    with people._in(session) as opened:
        found = opened.scalar(
            text("SELECT digest FROM approvals.proposal WHERE id = :id"), {"id": proposal_id}
        )
    return bytes(found).hex()


def say(verdict, proposal_id, someone, *, note=None, now=None, session=None):
    """Let one approver decide, in a transaction of its own unless a session is given."""
    with people._in(session) as opened:
        return services.decide(
            opened,
            proposal_id=proposal_id,
            account_id=someone.account_id,
            word=Word(verdict=verdict, digest=digest(proposal_id, session=opened), note=note),
            now=now,
        )


def agree(proposal_id, approvers, *, now=None, session=None):
    """Let approvers agree one after the other; return what the last one brought about."""
    decided = None
    for someone in approvers:
        decided = say("approve", proposal_id, someone, now=now, session=session)
    return decided


def know_kinds():
    """Install the kinds of every room and module, where no application did."""
    if not kinds.current():
        kinds.install(kinds.kinds_of(contributions(), discover().modules.values()))


def proposed(kind, payload, *, reason, by=None, evidence="案卷 2026-0412", now=None, session=None):
    """Propose something in the name of a member of staff, or of a rule; return its id."""
    know_kinds()
    if by:
        people.somebody(by, session=session)
    proposer = Proposer(account_id=by.account_id, kind="staff") if by else Proposer()
    with people._in(session) as opened:
        return services.propose(
            opened,
            kind=kind,
            payload=payload,
            reason=reason,
            evidence_reference=evidence,
            proposer=proposer,
            now=now,
        )


def state(proposal_id, *, session=None):
    """Return how a proposal stands."""
    with people._in(session) as opened:
        return opened.scalar(
            text("SELECT status FROM approvals.proposal WHERE id = :id"), {"id": proposal_id}
        )


@contextmanager
def also(*more):
    """Have this process know further kinds for a while."""
    before = tuple(kinds.current().values())
    kinds.install((*before, *more))
    try:
        yield
    finally:
        kinds.install(before)
