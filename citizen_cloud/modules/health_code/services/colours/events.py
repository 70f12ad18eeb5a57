"""Append what was said of people, and let their colours follow in the same transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.queries.versions import live_version
from citizen_cloud.modules.health_code.rules.events import (
    EVIDENCE,
    HAND_KINDS,
    KINDS,
    OWN_KINDS,
    Kind,
    PayloadFault,
    SourceKind,
    check_payload,
)
from citizen_cloud.modules.health_code.services.colours.standings import Cause, Change, lock, refold

MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """One fact to be written down. ``details`` is free text and is sealed.

    ``source_id`` is the account, source or system that says it. ``approval_id`` is the proposal
    two people agreed to, ``batch_id`` the reported batch: kinds that need one are refused by the
    table without it.
    """

    person_id: UUID
    kind: Kind
    evidence: str
    occurred_at: datetime | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    source_kind: SourceKind
    source_id: UUID | None = None
    organisation_id: UUID | None = None
    approval_id: UUID | None = None
    batch_id: UUID | None = None
    withdraws: UUID | None = None
    details: str | None = None
    id: UUID = field(default_factory=new_id)


_INSERT = text(
    """
    INSERT INTO health_code.event
           (id, person_id, kind, evidence, occurred_at, recorded_at, payload, details_sealed,
            source_kind, source_id, approval_id, batch_id, withdraws)
    SELECT n.id, n.person_id, n.kind, n.evidence, coalesce(n.occurred_at, :at), :at, n.payload,
           n.details_sealed, n.source_kind, n.source_id, n.approval_id, n.batch_id, n.withdraws
      FROM unnest(
           cast(:id AS uuid[]), cast(:person_id AS uuid[]), cast(:kind AS text[]),
           cast(:evidence AS text[]), cast(:occurred_at AS timestamptz[]),
           cast(:payload AS jsonb[]), cast(:details_sealed AS bytea[]),
           cast(:source_kind AS text[]), cast(:source_id AS uuid[]),
           cast(:approval_id AS uuid[]), cast(:batch_id AS uuid[]), cast(:withdraws AS uuid[]))
           AS n (id, person_id, kind, evidence, occurred_at, payload, details_sealed, source_kind,
                 source_id, approval_id, batch_id, withdraws)
    """
)


def details_place(event_id: UUID) -> str:
    """Return what binds sealed details to their event."""
    return f"health_code.event:details:{event_id}"


def append(
    session: Session, events: Sequence[NewEvent], *, now: datetime | None = None
) -> list[Change]:
    """Write events and fold everybody they are about; return the colours that changed.

    All of it or nothing, at most 10,000, in a number of statements that does not grow. People are
    locked in one order, so that of two events at once neither is missed by the other's fold.
    An event without ``occurred_at`` happens now. Raises ``ValueError`` for what no kind may say:
    doors check before, so that callers read it in their own words.
    """
    if not events:
        return []
    if len(events) > MOST:
        raise ValueError(len(events))
    for event in events:
        _check(event)
    version = live_version(session)
    people = [event.person_id for event in events]
    locked = lock(session, people, number=version.number, now=now)
    # Nothing is said of whoever was erased meanwhile.
    events = [event for event in events if event.person_id in locked.colours]
    if not events:
        return []
    session.execute(_INSERT, {"at": locked.at, **_columns(events)})
    causes = {
        event.person_id: Cause(
            actor_kind=event.source_kind,
            actor_id=event.source_id,
            event_id=event.id,
            organisation_id=event.organisation_id,
            by_hand=event.kind in HAND_KINDS,
        )
        for event in events
    }
    return refold(session, locked, version=version, causes=causes)


def _check(event: NewEvent) -> None:
    check_payload(event.kind, event.payload)
    if event.kind not in KINDS or event.evidence not in EVIDENCE:
        raise PayloadFault("evidence")
    # Nobody reddens anybody by his own word, and no office speaks in a citizen's name.
    if (event.source_kind == "citizen") != (event.kind in OWN_KINDS):
        raise PayloadFault("source_kind")


def _columns(events: Sequence[NewEvent]) -> dict[str, list[Any]]:
    plain = (
        "id",
        "person_id",
        "kind",
        "evidence",
        "occurred_at",
        "source_kind",
        "source_id",
        "approval_id",
        "batch_id",
        "withdraws",
    )
    columns = {name: [getattr(event, name) for event in events] for name in plain}
    columns["payload"] = [json.dumps(event.payload, ensure_ascii=False) for event in events]
    columns["details_sealed"] = [_sealed(event) for event in events]
    return columns


def _sealed(event: NewEvent) -> bytes | None:
    if event.details is None:
        return None
    return crypto.current().seal(event.details, place=details_place(event.id))
