"""What only an approver has: an appointment, a proposal of his own, a word about another's."""

import approvals_world
import counter_world
import people

from citizen_cloud import db
from citizen_cloud.approvals import services

STAFFS = {"approvals.approver", "approvals.decision", "approvals.proposal"}


def build(me):
    hall, clerk = people.hall(), me.clerk
    counter_world.employ(clerk, hall)
    with db.transaction() as session:
        services.appoint(session, account_id=clerk.account_id, unit_id=hall)
    for by in (clerk, None):
        candidate = people.staff(hall)
        payload = {"account_id": str(candidate.account_id), "organisation_id": str(hall)}
        made = approvals_world.proposed("approvals.appoint", payload, reason="new_approver", by=by)
    approvals_world.say("approve", made, clerk, note="已核对案卷")
