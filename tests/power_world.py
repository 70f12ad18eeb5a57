"""Authorities, officers, approvers and signing systems, acting through the doors."""

import base64
import io
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import approvals_world
import partners
import people
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.modules.health_code.jobs import power
from citizen_cloud.modules.health_code.rules import signatures
from citizen_cloud.modules.health_code.services.reports import placing

API = "/api/v1"
EVENTS = "health_code.events.write"
EVIDENCE = "流调 2026-0412"
KINDS = ("test_result", "exposure", "recovery", "exclusion")
NAME = "王小明"
_RECEIVED = "SELECT id FROM health_code.batch WHERE status = 'received' ORDER BY id"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class System:
    """A service client with a token, and a key that may or may not be registered."""

    client_id: UUID
    account_id: UUID
    token: str
    key: Any = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def public_key(self):
        return b64(self.key.public_key().public_bytes_raw())

    def sign(self, reference, content, *, partial=False):
        return b64(self.key.sign(signatures.message(reference, content, partial=partial)))


def system(client, unit_id):
    """Register a system as an administrator would, and let it sign in."""
    made = partners.register(unit_id, kind="service", scopes=(EVENTS,), permissions=(EVENTS,))
    token = partners.Flow(client).system(made).json["access_token"]
    return System(client_id=made.id, account_id=account_of(made.id), token=token)


def account_of(client_id):
    return value("SELECT account_id FROM oidc.client WHERE id = :id", id=client_id)


def source(client, unit_id=None, *, cap=100, kinds=KINDS):
    """Return a system that two approvers agreed to register."""
    made = system(client, unit_id or people.hall())
    proposal_id = approvals_world.proposed(
        "health_code.register_source", source_payload(made, cap, kinds), reason="new_source"
    )
    decided = approvals_world.agree(proposal_id, approvals_world.approvers())
    assert decided.status == "applied", decided
    return made


def source_payload(made, cap=100, kinds=KINDS):
    return {
        "client_id": str(made.client_id),
        "name": {"zh": "市疾控中心", "en": "City CDC"},
        "algorithm": "Ed25519",
        "public_key": made.public_key,
        "kinds": list(kinds),
        "cap_per_hour": cap,
    }


def row(someone, kind="test_result", detail="positive", **more):
    """Return a row about a citizen."""
    return {
        "document_type": "resident_id",
        "document_number": someone.document_number,
        "name": NAME,
        "kind": kind,
        "detail": detail,
        "occurred_at": (clock.now() - timedelta(minutes=5)).isoformat(),
        "evidence_class": "laboratory",
        "evidence_reference": "LAB-2026-0412",
        **more,
    }


def report(client, made, rows, *, reference=None, partial=False, signature=None, headers=None):
    """Send a batch as JSON, and let what it says be applied; return the answer."""
    reference = reference or f"b-{secrets.token_hex(6)}"
    body = json.dumps({"batch_id": reference, "partial": partial, "rows": rows}).encode()
    signed = signature or made.sign(reference, body, partial=partial)
    sent = {**made.headers, signatures.HEADER: signed, "Content-Type": "application/json"}
    answer = client.post(f"{API}/health-code/events/batch", data=body, headers=headers or sent)
    place()
    return answer


def report_file(client, made, content, *, reference=None, partial=False, signature=None):
    """Send a batch as a file; return the answer."""
    reference = reference or f"f-{secrets.token_hex(6)}"
    form = {"batch_id": reference, "partial": str(partial).lower()}
    signed = signature or made.sign(reference, content, partial=partial)
    answer = client.post(
        f"{API}/health-code/events/files",
        data={**form, "file": (io.BytesIO(content), "facts.csv")},
        headers={**made.headers, signatures.HEADER: signed},
    )
    place()
    return answer


def place():
    """Let the batches that were received be applied, and hear no other news."""
    with db.transaction() as session:
        for (batch_id,) in session.execute(text(_RECEIVED)).all():
            placing.apply(session, batch_id=batch_id, now=clock.now())


def propose(client, someone, kind, payload, *, reason, evidence=EVIDENCE, is_bound=True, **more):
    """Propose through the door, as somebody in particular; return the answer."""
    if is_bound:
        people.somebody(someone)
    body = {"kind": kind, "payload": payload, "reason": reason, **more}
    if evidence is not None:
        body["evidence_reference"] = evidence
    return client.post(f"{API}/approvals", json=body, headers=someone.headers)


def assign(client, someone, persons, *, colour="red", days=7, reason="close_contact", **more):
    """Propose a colour by hand for citizens; return the answer."""
    named = [
        {
            "document_type": "resident_id",
            "document_number": one.document_number,
            "name": NAME,
        }
        if hasattr(one, "document_number")
        else one
        for one in persons
    ]
    payload = {"persons": named, "colour": colour, "days": days}
    return propose(client, someone, "health_code.assign_colour", payload, reason=reason, **more)


def decide(client, someone, approval_id, verdict="approve", digest=None):
    """Decide through the door; return the answer."""
    shown = digest or approvals_world.digest(UUID(str(approval_id)))
    return client.post(
        f"{API}/approvals/{approval_id}/decisions",
        json={"verdict": verdict, "digest": shown},
        headers=someone.headers,
    )


def agree(client, answer, *approvers):
    """Let approvers agree to what was proposed; return the last answer."""
    assert answer.status_code == 201, answer.text
    said = None
    for someone in approvers or approvals_world.approvers():
        said = decide(client, someone, answer.json["id"])
        assert said.status_code == 200, said.text
    return said


def value(sql, **facts):
    with db.transaction() as session:
        return session.scalar(text(sql), facts)


def rows(sql, **facts):
    with db.transaction() as session:
        return session.execute(text(sql), facts).all()


def change(sql, **facts):
    with db.transaction() as session:
        session.execute(text(sql), facts)


def colour(someone):
    """Return somebody's colour as it stands."""
    sql = "SELECT colour FROM health_code.standing WHERE person_id = :p"
    return value(sql, p=someone.person_id) or "none"


def alarms(what=None):
    """Return what rang, in order."""
    sql = (
        "SELECT payload ->> 'what' FROM audit.entry WHERE action = 'health_code.alarm' ORDER BY id"
    )
    return [one for (one,) in rows(sql) if what in (None, one)]


def inbox(someone):
    """Return the kinds of an account's messages."""
    sql = "SELECT kind FROM messages.message WHERE account_id = :a ORDER BY id"
    return [kind for (kind,) in rows(sql, a=someone.account_id)]


def events(someone):
    """Return (kind, approval, batch) of what was said of somebody."""
    sql = (
        "SELECT kind, approval_id, batch_id FROM health_code.event WHERE person_id = :p ORDER BY id"
    )
    return [tuple(row) for row in rows(sql, p=someone.person_id)]


def hear():
    """Let this module hear the news that waits, as the job worker does."""
    while dispatch({name: [handler] for name, handler in power.HANDLERS.items()}):
        pass


def setting(name, number):
    """Set one of the module's settings as the switchboard keeps it."""
    change(
        "INSERT INTO registry.module (name, state, settings) "
        "VALUES ('health_code', 'active', jsonb_build_object(cast(:n AS text), cast(:v AS int))) "
        "ON CONFLICT (name) DO UPDATE SET settings = registry.module.settings || excluded.settings",
        n=name,
        v=number,
    )
