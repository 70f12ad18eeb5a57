"""Who may report facts: registered and retired by two approvers, never by an administrator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.manifest import Proposal, Terms
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.rules.power_refusals import (
    BatchGone,
    NoSource,
    SourceTaken,
    SourceUnfit,
)
from citizen_cloud.modules.health_code.rules.signatures import key_of
from citizen_cloud.oidc.queries.clients import client


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A source that counts now."""

    id: UUID
    account_id: UUID
    unit_id: UUID
    algorithm: str
    public_key: bytes
    kinds: frozenset[str]
    cap_per_hour: int


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    account_id: UUID
    unit_id: UUID
    public_key: bytes


_TAKEN = text(
    """
    SELECT EXISTS (SELECT FROM health_code.source
                    WHERE public_key = :public_key OR (account_id = :account_id
                          AND status = 'active'))
    """
)
_KEEP = text(
    """
    INSERT INTO health_code.source
           (id, account_id, unit_id, name, algorithm, public_key, kinds, cap_per_hour, area_code,
            registered_in, created_at)
    SELECT :id, :account_id, :unit_id, jsonb_build_object('zh', cast(:zh AS text),
           'en', cast(:en AS text)), :algorithm, :public_key, :kinds, :cap, o.area_code,
           :proposal_id, :now
      FROM organisations.organisation o WHERE o.id = :unit_id
    ON CONFLICT DO NOTHING
    """
)


def check_register(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let pass an active system of a public authority with a key of its own.

    Raises ``SourceUnfit``, ``SourceTaken``.
    """
    del now
    wanted = _wanted(session, proposal)
    asked = {"account_id": wanted.account_id, "public_key": wanted.public_key}
    if session.scalar(_TAKEN, asked):
        raise SourceTaken
    payload = proposal.payload
    summary = {
        "client_id": payload["client_id"],
        "unit_id": wanted.unit_id,
        "kinds": sorted(payload["kinds"]),
        "cap_per_hour": payload["cap_per_hour"],
    }
    return Terms(summary=summary)


def apply_register(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Register the source."""
    wanted, payload, source_id = _wanted(session, proposal), proposal.payload, new_id()
    facts = {
        "id": source_id,
        "account_id": wanted.account_id,
        "unit_id": wanted.unit_id,
        "zh": payload["name"]["zh"],
        "en": payload["name"]["en"],
        "algorithm": payload["algorithm"],
        "public_key": wanted.public_key,
        "kinds": sorted(set(payload["kinds"])),
        "cap": payload["cap_per_hour"],
        "proposal_id": proposal.id,
        "now": now,
    }
    if not rows_changed(session, _KEEP, facts):
        raise SourceTaken
    _write_down(session, "source_registered", source_id, proposal)
    return {"source_id": source_id}


def _wanted(session: Session, proposal: Proposal) -> _Wanted:
    payload = proposal.payload
    public_key = key_of(payload["algorithm"], payload["public_key"])
    if public_key is None:
        raise SourceUnfit(errors=[{"pointer": "/payload/public_key", "code": "invalid"}])
    found = client(session, UUID(str(payload["client_id"])))
    is_living = found is not None and found.type == "service" and found.status == "active"
    if found is None or found.account_id is None or not is_living:
        raise SourceUnfit(errors=[{"pointer": "/payload/client_id", "code": "not_found"}])
    if authority(session, found.organisation_id) is None:
        raise SourceUnfit(errors=[{"pointer": "/payload/client_id", "code": "not_an_authority"}])
    return _Wanted(
        account_id=found.account_id, unit_id=found.organisation_id, public_key=public_key
    )


_ACTIVE = text("SELECT name FROM health_code.source WHERE id = :id AND status = 'active'")
_RETIRE = text(
    """
    UPDATE health_code.source SET status = 'retired', retired_in = :proposal_id, retired_at = :now
     WHERE id = :id AND status = 'active'
    """
)


def check_retire(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let pass an active source. Raises ``SourceUnfit``."""
    del now
    if session.scalar(_ACTIVE, {"id": UUID(str(proposal.payload["source_id"]))}) is None:
        raise SourceUnfit(errors=[{"pointer": "/payload/source_id", "code": "not_found"}])
    return Terms(summary={"source_id": proposal.payload["source_id"]})


def apply_retire(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Retire the source: its next batch is refused, and so is one that waits."""
    source_id = UUID(str(proposal.payload["source_id"]))
    session.execute(_RETIRE, {"id": source_id, "proposal_id": proposal.id, "now": now})
    _write_down(session, "source_retired", source_id, proposal)
    return {"source_id": source_id}


_OF = """
    SELECT s.id, account_id, unit_id, algorithm, public_key, kinds, cap_per_hour
      FROM health_code.source s
     WHERE status = 'active' AND {column} = :value
       AND EXISTS (SELECT FROM organisations.organisation o
                    WHERE o.id = s.unit_id AND o.kind = 'authority' AND o.status = 'active')
"""
_OF_ACCOUNT = text(_OF.format(column="account_id"))
_LOCKED = text(_OF.format(column="s.id") + " FOR NO KEY UPDATE OF s")


def source_of(session: Session, account_id: UUID) -> Registered:
    """Return the source a system of an open authority is. Raises ``NoSource`` otherwise."""
    row = session.execute(_OF_ACCOUNT, {"value": account_id}).mappings().first()
    if row is None:
        raise NoSource
    return Registered(**{**row, "kinds": frozenset(row["kinds"])})


def lock(session: Session, source_id: UUID) -> None:
    """Count one batch of a source at a time. Raises ``BatchGone`` once the source is none."""
    if session.execute(_LOCKED, {"value": source_id}).first() is None:
        raise BatchGone


def _write_down(session: Session, verb: str, source_id: UUID, proposal: Proposal) -> None:
    act = Act(
        actor_kind="system",
        actor_id=None,
        action=f"health_code.{verb}",
        object_type="source",
        object_id=source_id,
        organisation_id=proposal.unit_id,
        payload={"proposal_id": proposal.id, "reason": proposal.reason},
    )
    record(session, act)
