"""A partner who was told who the canary is and waits for another answer; and a partner's system."""

import partners
from sqlalchemy import text

from citizen_cloud import db

STATE = "state-canary-7391"
VALUES = (STATE,)
SYSTEMS = {"oidc.client"}


def build(me):
    flow, site = partners.Flow(me.client), partners.register(me.outlet)
    scopes = ("openid", "profile", "phone", "document")
    told = flow.userinfo(flow.tokens(site, me, scopes=scopes)["access_token"])
    assert told.json["document_number"] == me.number
    request_id = flow.request_id(site, state=STATE)
    assert flow.shown(me, request_id).status_code == 200
    system = partners.register(
        me.outlet, kind="service", scopes=("masks.redeem",), permissions=("masks.redeem",)
    )
    with db.transaction() as session:
        sql = text("SELECT account_id FROM oidc.client WHERE id = :id")
        me.system_id = session.scalar(sql, {"id": system.id})
