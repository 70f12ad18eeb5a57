"""The canary declares, travels and is tried by rules; a clerk's name is on a rule version."""

import people
from sqlalchemy import text

from citizen_cloud import db

NOTE = "canary-health-note-5512"
TRAIN = "canary-G7391"
VALUES = (NOTE, TRAIN)
STAFFS = {"health_code.rule_version", "health_code.shadow_run"}

_VERSION = text(
    """
    INSERT INTO health_code.rule_version (number, profile, rules, created_by)
    SELECT 7391, profile, rules, :clerk FROM health_code.rule_version WHERE number = 1
    """
)
_RUN = text(
    """
    INSERT INTO health_code.shadow_run (number, against, started_by, total, status)
    VALUES (7391, 1, :clerk, 1, 'running') RETURNING id
    """
)
_FLIP = text(
    "INSERT INTO health_code.shadow_flip (run_id, person_id, before, after) "
    "VALUES (:run, :person, 'green', 'red')"
)


def build(me):
    me.send("POST", "/me/consents", {"purpose": "health_code", "version": 1})
    day = str(people.today())
    me.send(
        "POST",
        "/health-code/declarations",
        {"symptoms": ["cough"], "contact_with_case": False, "note": NOTE},
    )
    me.send(
        "POST",
        "/health-code/trips",
        {
            "from_area": "210200",
            "to_area": "210100",
            "departed_on": day,
            "arrived_on": day,
            "transport": "train",
            "number": TRAIN,
        },
    )
    with db.transaction() as session:
        session.execute(_VERSION, {"clerk": me.clerk.account_id})
        run_id = session.scalar(_RUN, {"clerk": me.clerk.account_id})
        session.execute(_FLIP, {"run": run_id, "person": me.person_id})
