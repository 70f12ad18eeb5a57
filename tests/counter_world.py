"""A service hall with two clerks, and what is asked at its counter."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import people
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.counter import queries
from citizen_cloud.counter.queries import Reach
from citizen_cloud.counter.rules import ENROLMENT, NAME_CORRECTION, RECOVERY, Asked
from citizen_cloud.counter.services import opening
from citizen_cloud.counter.services.clerk import Clerk
from citizen_cloud.counter.services.opening import NewCase
from citizen_cloud.jobs.services import secret_place
from citizen_cloud.organisations.services import Actor, add_member

EVIDENCE = "中山公证 2026-11-0412"
NEW_NAME = "王晓明"
CODE = "493027"


def employ(someone, organisation_id, role="staff"):
    """Give a staff account a role at another organisation as well."""
    with db.transaction() as session:
        add_member(
            session,
            organisation_id=organisation_id,
            account_id=someone.account_id,
            role=role,
            actor=Actor("system", None),
        )


def sent_code(session, challenge_id):
    """Open the code that left for the phone."""
    row = session.execute(
        text("SELECT id, secret FROM jobs.outbox WHERE payload ->> 'challenge_id' = :id"),
        {"id": str(challenge_id)},
    ).one()
    return json.loads(crypto.current().open(row.secret, place=secret_place(row.id)))["code"]


def clerk(someone, organisation_id):
    """Return a staff account as the services name it."""
    return Clerk(kind="staff", id=someone.account_id, organisation_id=organisation_id)


def reach(organisation_id):
    return Reach(counters=frozenset({organisation_id}))


def recovery_case(session, person, by, phone, now=None):
    """Open a recovery whose phone is proven already."""
    new = NewCase(
        kind=RECOVERY, person_id=person.person_id, asked=Asked(phone=phone), evidence=EVIDENCE
    )
    return opening.open_case(session, new=new, by=by, now=now)


def name_case(session, person, by, new_name=NEW_NAME, now=None):
    new = NewCase(
        kind=NAME_CORRECTION,
        person_id=person.person_id,
        asked=Asked(new_name=new_name),
        evidence=EVIDENCE,
    )
    return opening.open_case(session, new=new, by=by, now=now)


def own_wish(session, person, new_name=NEW_NAME):
    """Let a citizen ask for another name."""
    return name_case(session, person, Clerk(kind="citizen", id=person.account_id), new_name)


def enrolment_case(session, number, by, *, name="李桂兰", person_id=None, now=None):
    asked = Asked(
        document_type="resident_id", document_number=number, name=name, verified_by="test"
    )
    new = NewCase(kind=ENROLMENT, person_id=person_id, asked=asked, evidence=EVIDENCE)
    return opening.open_case(session, new=new, by=by, now=now)


def case_row(session, case_id):
    return queries.only(session, UUID(str(case_id)))


@dataclass
class Hall:
    """The hall through its routes."""

    client: Any
    id: UUID = field(default_factory=people.hall)

    def __post_init__(self):
        self.opener = people.staff(self.id)
        self.decider = people.staff(self.id)

    def post(self, path, body, someone, **headers):
        return self.client.post(f"/api/v1{path}", json=body, headers={**someone.headers, **headers})

    def get(self, path, someone):
        return self.client.get(f"/api/v1{path}", headers=someone.headers)

    def code(self, phone, someone=None):
        """Send a code to the new phone; return what is sent with the case."""
        answer = self.post("/counter/codes", {"phone": phone}, someone or self.opener)
        assert answer.status_code == 202, answer.json
        challenge = answer.json["challenge_id"]
        with db.transaction() as session:
            return {"challenge_id": challenge, "code": sent_code(session, challenge)}

    def open(self, kind, number, name="王小明", *, by=None, headers=None, **more):
        body = {
            "kind": kind,
            "document_type": "resident_id",
            "document_number": number,
            "name": name,
            "evidence_reference": EVIDENCE,
            **more,
        }
        return self.post("/counter/cases", body, by or self.opener, **(headers or {}))

    def recovery(self, person, phone=None, **more):
        proof = self.code(phone or people.new_phone())
        return self.open(RECOVERY, person.document_number, **{**proof, **more})

    def decide(self, case_id, *, approved=True, by=None, reason="证件与本人一致"):
        return self.post(
            f"/counter/cases/{case_id}/decision",
            {"approved": approved, "reason": reason},
            by or self.decider,
        )

    def cancel(self, case_id, by=None):
        return self.post(f"/counter/cases/{case_id}/cancel", {}, by or self.opener)

    def case(self, case_id, by=None):
        return self.get(f"/counter/cases/{case_id}", by or self.decider)


def texts(session):
    """Return (phone, kind) of every text on its way."""
    rows = session.execute(text("SELECT id, kind, secret FROM messages.delivery ORDER BY id"))
    return [
        (
            json.loads(
                crypto.current().open(row.secret, place=f"messages.delivery:secret:{row.id}")
            )["to"],
            row.kind,
        )
        for row in rows
    ]


def inbox(session, someone):
    """Return the kinds of an account's messages, in order."""
    return list(
        session.scalars(
            text("SELECT kind FROM messages.message WHERE account_id = :a ORDER BY id"),
            {"a": someone.account_id},
        )
    )


def looks(session, person_id):
    """Return (purpose, outcome, basis, categories) of what a person sees of others' looks."""
    rows = session.execute(
        text(
            "SELECT purpose, outcome, basis_type, categories FROM accounts.data_access "
            "WHERE person_id = :p ORDER BY id"
        ),
        {"p": person_id},
    )
    return [tuple(row) for row in rows]


def acts(session):
    """Return what the audit says of cases and of what they changed."""
    return list(
        session.scalars(
            text(
                "SELECT action FROM audit.entry WHERE action LIKE 'counter.%' "
                "OR payload ? 'case_id' ORDER BY id"
            )
        )
    )
