"""What only the clerk has: recovery codes, resets, and an invitation taken and given.

And what the canary has of staff: a second life as one, whom nobody else knows about.
"""

import people
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services import recovery_codes, resets
from citizen_cloud.organisations import services
from citizen_cloud.organisations.services import Actor
from citizen_cloud.web.caller import Grant

STAFFS = {"accounts.recovery_code", "accounts.reset", "organisations.invitation"}
HIDDEN = {("accounts.recovery_code", "code_hash")}
EVERYWHERE = Grant(everywhere=True)


def build(me):
    hers = people.staff(me.outlet)
    asked = me.send("POST", "/me/person-binding", headers=hers.headers)
    seen = me.send("POST", "/me/staff-accounts/preview", {"code": asked.json["code"]})
    said = {"code": asked.json["code"], "username": seen.json["username"]}
    me.send("POST", "/me/staff-accounts", said)
    read = f"/admin/accounts/{me.account_id}"
    me.send("GET", read, headers=people.admin().headers)
    clerk, other = me.clerk.account_id, people.staff(me.outlet)
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.account SET totp_confirmed_at = now() WHERE id = :id"),
            {"id": clerk},
        )
        sign_in = session.scalar(
            text("SELECT id FROM accounts.sign_in WHERE account_id = :id"), {"id": clerk}
        )
        recovery_codes.draw_codes(session, account_id=clerk, sign_in_id=sign_in)
        for whose, by in ((clerk, other.account_id), (other.account_id, clerk)):
            resets.ask_reset(
                session, account_id=whose, needs_second=True, actor_kind="staff", actor_id=by
            )
        services.invite(
            session,
            organisation_id=me.outlet,
            role="staff",
            grant=EVERYWHERE,
            actor=Actor("staff", clerk),
            display_name="王小美",
        )
