"""A module on its way to its end: switched, ordered to be purged, purged."""

import approvals_world as approvals
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.privacy.jobs import purge_modules
from citizen_cloud.registry import purging as registry
from citizen_cloud.registry import services

KIND = "privacy.purge_module"


def switch(module, state):
    with db.transaction() as session:
        services.set_state(session, module=module, state=state, reason="疫情结束", actor_id=None)


def propose(name, by=None):
    return approvals.proposed(KIND, {"module": name}, reason="purpose_ended", by=by)


def order(module):
    """Let two people of different units order the purge, more than a minute ago."""
    switch(module, "sunset")
    proposal_id = propose(module.name)
    approvals.agree(proposal_id, approvals.approvers())
    assert approvals.state(proposal_id) == "applied"
    with db.transaction() as session:
        session.execute(
            text("UPDATE registry.purge SET ordered_at = ordered_at - interval '2 minutes'")
        )
    return proposal_id


def state(name):
    with db.transaction() as session:
        found = registry.purge_of(session, name)
    return found and found.state


def purge(name):
    for _ in range(5):
        purge_modules(None)
        if state(name) == "done":
            return
    raise AssertionError(state(name))
