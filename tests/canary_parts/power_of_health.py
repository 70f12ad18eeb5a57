"""The canary asks for a correction that a clerk refuses; a system, made by then, is a source."""

import json

import counter_world
import people
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.services.people import Trace
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.services.reports import placing
from citizen_cloud.modules.health_code.services.reports.reported import Reported

WORDS = "canary-appeal-7391 记录不是我的"
VALUES = (WORDS,)
SYSTEMS = {"health_code.source"}
_SOURCE = text(
    """
    INSERT INTO health_code.source
           (account_id, unit_id, name, algorithm, public_key, kinds, cap_per_hour, registered_in)
    VALUES (:account, :unit, '{"zh": "化验所", "en": "Laboratory"}', 'Ed25519', :key,
            '{test_result}', 10, :id) RETURNING id
    """
)
# Of somebody else: it waits until two people decide, and holds a random id.
_BATCH = text(
    """
    INSERT INTO health_code.batch
           (id, source_id, reference, content_hash, rows_in, accepted, rejected, report, status,
            rows_sealed)
    VALUES (:id, :source, 'canary', '', 1, 1, 0, '{"errors": []}', 'waiting', :rows)
    """
)

_UNPLACED = text(
    """
    INSERT INTO health_code.unplaced (id, batch_id, person_key, fact_sealed)
    VALUES (:id, :batch, :key, :fact)
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
        source_id = session.scalar(_SOURCE, facts)
        batch_id, subject = new_id(), people.citizen(session=session)
        waits = reported(subject.person_key)
        rows = placing.sealed(batch_id, [waits])
        session.execute(_BATCH, {"id": batch_id, "source": source_id, "rows": rows})
        # What was said of the canary itself before it came.
        find = text("SELECT person_key FROM accounts.person WHERE id = :id")
        fact, fact_id = reported(session.scalar(find, {"id": me.person_id})), new_id()
        facts = {
            "id": fact_id,
            "batch": batch_id,
            "key": fact.trace.person_key,
            "fact": crypto.current().seal(
                json.dumps(fact.as_json()), place=placing.fact_place(fact_id)
            ),
        }
        session.execute(_UNPLACED, facts)


def reported(person_key):
    return Reported(
        trace=Trace(person_key=bytes(person_key), name_hash=bytes(32)),
        kind="recovery",
        payload={},
        evidence="medical",
        reference="MED-7391",
        occurred_at=clock.now(),
    )
