"""What only an approver has: an appointment, a proposal of his own, a word about another's."""

import approvals_world
import counter_world
import people

STAFFS = {"approvals.approver", "approvals.decision", "approvals.proposal"}


def build(me):
    hall, clerk = people.hall(), me.clerk
    counter_world.employ(clerk, hall)
    approvals_world.appoint(clerk, hall)
    for by in (clerk, None):
        candidate = people.somebody(people.staff(hall))
        payload = {"account_id": str(candidate.account_id), "organisation_id": str(hall)}
        made = approvals_world.proposed("approvals.appoint", payload, reason="new_approver", by=by)
    approvals_world.say("approve", made, clerk, note="已核对案卷")
