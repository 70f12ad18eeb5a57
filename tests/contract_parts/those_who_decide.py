"""Approvals in the contract's city: the clerk decides at the hall where he works already.

After ``counter.py``, which employs him there.
"""

import approvals_world
import people
from sqlalchemy import text

from citizen_cloud import db

DECIDES = "clerk"
_HALL = text(
    "SELECT o.id FROM organisations.membership m "
    "JOIN organisations.organisation o ON o.id = m.organisation_id "
    "WHERE m.account_id = :id AND o.kind = 'authority'"
)


def build(city):
    """Make a candidate, an approver, and a proposal of the administrator's."""
    place = people.hall("审批中心")
    candidate, clerk = people.staff(place), city[DECIDES].someone.account_id
    payload = {"account_id": str(candidate.account_id), "organisation_id": str(place)}
    with db.transaction() as session:
        hall = session.scalar(_HALL, {"id": clerk})
    approvals_world.appoint(city[DECIDES].someone, hall)
    for name in ("manager", "other_manager", "admin"):
        people.somebody(city[name].someone)
    people.somebody(candidate)
    made = approvals_world.proposed(
        "approvals.appoint", payload, reason="new_approver", by=city["admin"].someone
    )
    city.ids["approval_id"] = str(made)
    city.facts |= {"candidate": payload, "approval_digest": approvals_world.digest(made)}


BODIES = {
    "proposeApproval": lambda city: {
        "kind": "approvals.appoint",
        "payload": city.facts["candidate"],
        "reason": "new_approver",
        "evidence_reference": "大卫健函 2026-0412",
    },
    "decideApproval": lambda city: {
        "verdict": "approve",
        "digest": city.facts["approval_digest"],
    },
}
WHO = {"decideApproval": DECIDES}
OWNERS_IN = {
    ("getApproval", "approval_id"): {DECIDES, "admin", "auditor"},
    ("withdrawApproval", "approval_id"): {"admin"},
    ("decideApproval", "approval_id"): {DECIDES},
}
KIND = {
    # Managers and administrators name approvers.
    "proposeApproval": lambda actor: actor.role == "staff",
    # A role is not enough.
    "decideApproval": lambda actor: actor.role in ("staff", "manager") and actor.name != DECIDES,
}
PEERS = dict.fromkeys(("neighbour", "newcomer", "other_clerk", "other_manager"), ("approval_id",))
EXCUSED = {
    "proposeApproval": "each kind has its own payload and its own list of reasons",
}
