"""The canary asks for a correction that a clerk refuses; a system, made by then, is a source."""

import counter_world
import people
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import new_id

WORDS = "canary-appeal-7391 记录不是我的"
VALUES = (WORDS,)
SYSTEMS = {"health_code.source"}
_SOURCE = text(
    """
    INSERT INTO health_code.source
           (account_id, unit_id, name, algorithm, public_key, kinds, cap_per_hour, registered_in)
    VALUES (:account, :unit, '{"zh": "化验所", "en": "Laboratory"}', 'Ed25519', :key,
            '{test_result}', 10, :id)
    """
)


def build(me):
    hall = people.hall("中山区卫生健康局")
    counter_world.employ(me.clerk, hall)
    made = me.send(
        "POST", "/health-code/corrections", {"wrong": "not_mine", "text": WORDS}, status=201
    )
    place = f"/health-code/staff/appeals/{made.json['id']}"
    me.send("GET", place, headers=me.clerk.headers)
    answer = {"verdict": "refuse", "answer": "not_wrong"}
    me.send("POST", f"{place}/decision", answer, headers=me.clerk.headers)
    facts = {"account": me.system_id, "unit": hall, "key": new_id().bytes * 2, "id": new_id()}
    with db.transaction() as session:
        session.execute(_SOURCE, facts)
