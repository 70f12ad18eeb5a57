"""A source and its batch, a citizen in red, and an appeal that waits, in the contract's city."""

import io
import json

import contract_world
import health_world
import partners
import people
import power_world as world
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.rules import signatures
from citizen_cloud.modules.health_code.services.power.appeals import NewAppeal, open_appeal
from citizen_cloud.modules.health_code.services.reports import batches
from citizen_cloud.oidc.services import issuing

# ``counter.py`` employs them at authorities.
OFFICERS = {"clerk", "manager", "other_clerk", "other_manager"}
BATCH = "contract-1"
_SOURCE = text(
    """
    INSERT INTO health_code.source
           (id, account_id, unit_id, name, algorithm, public_key, kinds, cap_per_hour,
            registered_in)
    VALUES (:id, :account, :unit, '{"zh": "市疾控中心", "en": "City CDC"}', 'Ed25519', :key,
            '{test_result,exposure,recovery,exclusion}', 100, :id)
    """
)


def build(city):
    subject = people.citizen()
    red = health_world.coloured(people.citizen(), "red")
    city.facts["subject"] = subject
    system = _source(city)
    city.others = {
        "source": contract_world.Actor(name="source", role="service", someone=system),
        "red": contract_world.Actor(name="red", role="citizen", someone=red, level=2),
    }
    content = json.dumps({"batch_id": BATCH}).encode()
    with db.transaction() as session:
        sent = batches.Sent(
            account_id=system.account_id,
            reference=BATCH,
            content=content,
            signature=system.sign(BATCH, content),
            rows=(),
        )
        city.ids["batch_id"] = str(batches.take(session, sent).id)
        owner = city["owner"].someone
        new = NewAppeal(
            kind="correction",
            person_id=owner.person_id,
            account_id=owner.account_id,
            account_kind="citizen",
            reason="wrong_time",
            words="时间有误",
        )
        city.ids["appeal_id"] = str(open_appeal(session, new).id)


def _source(city):
    hall = people.hall("市疾控中心")
    made = partners.register(
        hall, kind="service", scopes=(world.EVENTS,), permissions=(world.EVENTS,)
    )
    with db.transaction() as session:
        token = issuing.give_token(
            session, client_id=made.id, issuance_id=None, scopes=[world.EVENTS]
        )
    system = world.System(client_id=made.id, account_id=world.account_of(made.id), token=token)
    facts = {"id": new_id(), "account": system.account_id, "unit": hall}
    with db.transaction() as session:
        session.execute(_SOURCE, {**facts, "key": system.key.public_key().public_bytes_raw()})
    return system


def _batch(city):
    return {"batch_id": "contract-2", "rows": [world.row(city.facts["subject"])]}


def _file(city):
    row = world.row(city.facts["subject"])
    lines = (",".join(row), ",".join(row.values()))
    content = "".join(f"{line}\r\n" for line in lines).encode()
    return {"batch_id": "contract-3", "file": (io.BytesIO(content), "facts.csv")}


def _signed_body(city, data):
    """Sign whatever is sent, so that what is wrong with it is all that is wrong."""
    try:
        sent = json.loads(data)
        reference, partial = str(sent["batch_id"]), sent.get("partial") is True
        return _header(city, reference, data, partial=partial)
    except (ValueError, TypeError, KeyError, RecursionError):
        return {signatures.HEADER: "q" * 86}


def _signed_file(city, form):
    try:
        content = form["file"][0].getvalue()
        return _header(city, str(form["batch_id"]), content, partial=form.get("partial") == "true")
    except (TypeError, KeyError, AttributeError, UnicodeEncodeError):
        return {signatures.HEADER: "q" * 86}


def _header(city, reference, content, *, partial):
    someone = city["source"].someone
    return {signatures.HEADER: someone.sign(reference, content, partial=partial)}


def _is_no_officer(actor):
    return actor.role in ("staff", "manager") and actor.name not in OFFICERS


BODIES = {"reportHealthEvents": _batch}
FORMS = {"reportHealthEventFile": _file}
HEADERS = {"reportHealthEvents": _signed_body, "reportHealthEventFile": _signed_file}
WHO = {
    "reportHealthEvents": "source",
    "reportHealthEventFile": "source",
    "getHealthBatch": "source",
    "appealHealthColour": "red",
    "correctHealthRecord": "red",
}
OWNERS = {"batch_id": {"source"}}
OWNERS_IN = {
    ("getHealthAppeal", "appeal_id"): {"owner"},
    ("openHealthAppeal", "appeal_id"): OFFICERS,
    ("decideHealthAppeal", "appeal_id"): OFFICERS,
}
KIND = {
    # Staff hold the permission that systems are given, and are no source.
    "reportHealthEvents": lambda _: True,
    "reportHealthEventFile": lambda _: True,
    "listHealthAppealQueue": _is_no_officer,
    "openHealthAppeal": _is_no_officer,
    "decideHealthAppeal": _is_no_officer,
}
PEERS = dict.fromkeys(("neighbour", "newcomer"), ("appeal_id", "batch_id"))
EXCUSED = {
    "reportHealthEvents": "a document has a check digit, and its person is known here or not",
    "reportHealthEventFile": "a generated file holds no facts",
    "decideHealthAppeal": "each verdict has its own members",
    "correctHealthRecord": "a generated id is no record of the citizen's",
}
