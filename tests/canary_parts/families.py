"""Who the canary acts for, who acts for it, who asked and was asked; words given as evidence."""

import canary
import family_world
import people

EVIDENCE = "canary-evidence-2026-0317"
END_EVIDENCE = "canary-ended-2026-0318"
VALUES = (EVIDENCE, END_EVIDENCE)


def build(me):
    clerk = family_world.clerk()
    elder, former = people.document("19400101"), people.document("19410101")
    proxy, asker, asked = people.citizen(), people.citizen(), people.citizen()
    mine = family_world.shown(me.number, canary.NAME)
    for number in (elder, former):
        _attest(me, clerk, mine, family_world.shown(number), "elder")
    _attest(me, clerk, family_world.shown(proxy.document_number), mine, "disabled")
    _end(me, clerk, mine, family_world.shown(former))
    answer = family_world.ask(me.client, asker, me.number, name=canary.NAME)
    assert answer.status_code == 202, answer.json
    answer = family_world.ask(me.client, me, asked.document_number)
    assert answer.status_code == 202, answer.json
    for person_id in (me.person_id, asked.person_id):
        seen = family_world.get(me.client, "/me/bookings", proxy, person_id)
        assert seen.status_code == (200 if person_id == me.person_id else 403), seen.json


def _attest(me, clerk, acting, represented, relation):
    body = {
        "acting": acting,
        "represented": represented,
        "relation": relation,
        "scopes": ["masks"],
        "evidence_reference": EVIDENCE,
    }
    for one in (clerk, family_world.colleague_of(clerk)):
        me.send("POST", "/counter/links", body, headers=one.headers)


def _end(me, clerk, acting, represented):
    body = {"acting": acting, "represented": represented, "evidence_reference": END_EVIDENCE}
    me.send("POST", "/counter/links/end", body, headers=clerk.headers)
