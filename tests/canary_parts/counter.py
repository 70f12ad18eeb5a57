"""Cases at a counter: one asked for by the canary, one refused, one open."""

import canary
import counter_world

PHONE = "13877739101"
NEW_NAME = "欧阳雀𠮷娜"
EVIDENCE = "canary-notary-2026-11"
REASON = "canary-reason 照片不符"
VALUES = (PHONE, NEW_NAME, EVIDENCE, REASON)


def build(me):
    hall = counter_world.Hall(me.client)
    counter_world.employ(me.clerk, hall.id)
    refused = hall.open(
        "recovery",
        me.number,
        canary.NAME,
        evidence_reference=EVIDENCE,
        **hall.code("+86" + PHONE),
    )
    assert refused.status_code == 201, refused.json
    answer = hall.decide(refused.json["id"], approved=False, reason=REASON)
    assert answer.status_code == 200, answer.json
    body = {"name": NEW_NAME, "evidence_reference": EVIDENCE}
    me.send("POST", "/me/name-corrections", body, status=202)
