"""The demo city's laboratory system: registered by two approvers, as every source is."""

import base64
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.approvals import services as approvals
from citizen_cloud.approvals.services import Proposer, Word
from citizen_cloud.oidc.services.clients import NewClient, register_client
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text

WRITE = "health_code.events.write"
NAME = Text("演示检测系统", "Demo laboratory system")
CAP_PER_HOUR = 100
_DIGEST = text("SELECT digest FROM approvals.proposal WHERE id = :id")


def load(session: Session, *, unit_id: UUID, approver_ids: tuple[UUID, ...]) -> dict[str, Any]:
    """Register the system and its key; return its secrets, for whoever tries the batch door."""
    made = register_client(
        session,
        new=NewClient(
            type="service",
            name=NAME,
            purpose=Text("报送检测结果", "To report test results"),
            organisation_id=unit_id,
            scopes=(WRITE,),
        ),
        delegable=frozenset({WRITE}),
        actor=Actor("system", None),
    )
    key = Ed25519PrivateKey.generate()
    proposal_id = approvals.propose(
        session,
        kind="health_code.register_source",
        payload={
            "client_id": made.client.id,
            "name": NAME.as_json(),
            "algorithm": "Ed25519",
            "public_key": _written(key.public_key().public_bytes_raw()),
            "kinds": ["test_result"],
            "cap_per_hour": CAP_PER_HOUR,
        },
        reason="new_source",
        evidence_reference="演示案卷 2026-0002",
        proposer=Proposer(),
    )
    digest = bytes(session.execute(_DIGEST, {"id": proposal_id}).scalar_one()).hex()
    for account_id in approver_ids:
        word = Word(verdict="approve", digest=digest)
        approvals.decide(session, proposal_id=proposal_id, account_id=account_id, word=word)
    return {
        "client_id": str(made.client.id),
        "client_secret": made.secret,
        "ed25519_seed": _written(key.private_bytes_raw()),
    }


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
