"""Propose what no single person may decide."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.standing_for import is_bound
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.kinds import kind_of
from citizen_cloud.approvals.refusals import EvidenceMissing, ProposerUnbound, ReasonUnknown
from citizen_cloud.approvals.services.recording import By, act, clock, refused
from citizen_cloud.audit.services import record
from citizen_cloud.db import new_id
from citizen_cloud.errors import Refusal
from citizen_cloud.jobs.services import announce
from citizen_cloud.manifest import DecisionKind, Proposal, Terms

PROPOSED = "approvals.proposed"
# An attempt that was refused for its words; nobody is named in it.
ATTEMPTED = "approvals.attempted"
LEAST = 2


@dataclass(frozen=True, kw_only=True)
class Proposer:
    """Who proposes, and for which authority; a rule that asks by itself is nobody."""

    account_id: UUID | None = None
    unit_id: UUID | None = None
    kind: str = "system"

    @property
    def by(self) -> By:
        """Return the proposer as the audit trail names him."""
        return By(kind=self.kind, id=self.account_id, unit_id=self.unit_id)


_INSERT = text(
    """
    INSERT INTO approvals.proposal
           (id, kind, payload_sealed, digest, summary, reason, evidence_sealed, proposed_by,
            unit_id, approvals_needed, created_at, expires_at)
    VALUES (:id, :kind, :payload, :digest, cast(:summary AS jsonb), :reason, :evidence,
            :proposed_by, :unit_id, :needed, :now, cast(:now AS timestamptz) + :life)
    """
)


def propose(
    session: Session,
    *,
    kind: str,
    payload: Mapping[str, Any],
    reason: str,
    evidence_reference: str | None,
    proposer: Proposer,
    now: datetime | None = None,
) -> UUID:
    """Write a proposal down and return its id; nothing of it happens before others agree.

    The kind sees ``payload`` as JSON gives it back: ids and instants are strings, the same when it
    is proposed and when it is applied, unless it ``keeps`` something else. Raises
    ``KindUnknown``, ``ReasonUnknown``, ``EvidenceMissing``, ``ProposerUnbound``, or as ``check``.
    """
    of_kind = kind_of(kind)
    words: dict[str, Any] = {"reason": reason, "evidence_reference": evidence_reference}
    check_words(of_kind, **words, size=size_of(payload), proposer=proposer)
    _require_person(session, kind, proposer)
    asked = Proposal(
        id=new_id(),
        kind=kind,
        payload=json.loads(sealing.written(payload)),
        reason=reason,
        evidence_reference=(evidence_reference or "").strip(),
        proposed_by=proposer.account_id,
        unit_id=proposer.unit_id,
        created_at=clock(session, now),
    )
    terms = of_kind.check(session, asked, asked.created_at)
    _write(session, of_kind, _kept(session, of_kind, asked), terms)
    facts = {"kind": kind, "reason": reason, "needed": max(LEAST, terms.approvals)}
    record(session, act("propose", proposer.by, asked.id, facts))
    announce(session, PROPOSED, {"proposal_id": asked.id})
    return asked.id


def _require_person(session: Session, kind: str, proposer: Proposer) -> None:
    """Refuse nobody in particular: he might be one of those who will agree."""
    if proposer.account_id is not None and not is_bound(session, proposer.account_id):
        raise refused(ProposerUnbound(), "propose_refused", proposer.by, None, {"kind": kind})


def _kept(session: Session, of_kind: DecisionKind, asked: Proposal) -> Proposal:
    if of_kind.keeps is None:
        return asked
    return replace(asked, payload=json.loads(sealing.written(of_kind.keeps(session, asked))))


def size_of(payload: Mapping[str, Any]) -> int:
    """Return how many somebody asks for at once: the longest list in it, whatever it holds."""
    return max((len(one) for one in payload.values() if isinstance(one, list)), default=0)


def check_words(
    of_kind: DecisionKind,
    *,
    reason: str,
    evidence_reference: str | None,
    size: int,
    proposer: Proposer,
) -> None:
    """Refuse a proposal without evidence or with a reason of its own; keep and tell the attempt.

    Before anything else of it is looked at: how large it is matters to the alarm, not to the
    refusal. The owner of the kind hears of it. Raises ``EvidenceMissing``, ``ReasonUnknown``.
    """
    fault: Refusal
    if not (evidence_reference or "").strip():
        errors = [{"pointer": "/evidence_reference", "code": "required"}]
        fault = EvidenceMissing(errors=errors)
    elif reason not in of_kind.reasons:
        fault = ReasonUnknown(errors=[{"pointer": "/reason", "code": "not_one_of"}])
    else:
        return
    facts = {"code": fault.code, "kind": of_kind.name, "size": size}
    raise refused(fault, "propose_refused", proposer.by, None, facts).but_record(
        partial(announce, event=ATTEMPTED, payload=facts, lane="urgent")
    )


def _write(session: Session, of_kind: DecisionKind, asked: Proposal, terms: Terms) -> None:
    payload = sealing.written(asked.payload)
    seal = crypto.current().seal
    session.execute(
        _INSERT,
        {
            "id": asked.id,
            "kind": asked.kind,
            "payload": seal(payload, place=sealing.payload_place(asked.id)),
            "digest": sealing.digest_of(
                proposal_id=asked.id,
                kind=asked.kind,
                payload=payload,
                reason=asked.reason,
                evidence=asked.evidence_reference,
            ),
            "summary": sealing.written(terms.summary),
            "reason": asked.reason,
            "evidence": seal(asked.evidence_reference, place=sealing.evidence_place(asked.id)),
            "proposed_by": asked.proposed_by,
            "unit_id": asked.unit_id,
            "needed": max(LEAST, terms.approvals),
            "now": asked.created_at,
            "life": of_kind.life,
        },
    )
