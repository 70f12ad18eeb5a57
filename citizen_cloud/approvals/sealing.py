"""What binds the sealed words of this room to their rows, and the digest of a proposal."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from citizen_cloud import crypto


def payload_place(proposal_id: UUID) -> str:
    """Return what binds a payload to its proposal."""
    return f"approvals.proposal:payload:{proposal_id}"


def evidence_place(proposal_id: UUID) -> str:
    """Return what binds an evidence reference to its proposal."""
    return f"approvals.proposal:evidence:{proposal_id}"


def note_place(decision_id: UUID) -> str:
    """Return what binds a note to its decision."""
    return f"approvals.decision:note:{decision_id}"


def written(payload: Mapping[str, Any]) -> str:
    """Return a payload as JSON, always the same text for the same content."""
    return json.dumps(
        dict(payload), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
    )


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def digest_of(*, proposal_id: UUID, kind: str, payload: str, reason: str, evidence: str) -> bytes:
    """Return what an approver repeats: whoever saw other content repeats another one.

    It outlives what it is of, so it is keyed: who guesses whom a colour was about cannot try.
    """
    facts = [str(proposal_id), kind, payload, reason, evidence]
    return crypto.current().lasting_hash("approvals", json.dumps(facts, ensure_ascii=False))
