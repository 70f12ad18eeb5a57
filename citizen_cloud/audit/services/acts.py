"""Record an act, in the transaction of what it tells."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

SALT_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Act:
    """One sensitive act. ``payload`` never holds an identity number, a phone or a code."""

    actor_kind: str
    actor_id: UUID | None
    action: str
    object_type: str
    object_id: UUID | None
    organisation_id: UUID | None = None
    payload: Mapping[str, Any] | None = None


_INSERT = text(
    """
    INSERT INTO audit.entry
           (actor_kind, actor_id, action, object_type, object_id, organisation_id, salt, payload)
    VALUES (:actor_kind, :actor_id, :action, :object_type, :object_id, :organisation_id,
            :salt, cast(:payload AS jsonb))
    """
)


def record(session: Session | Connection, act: Act) -> None:
    """Write an audit entry in the caller's transaction: both happen, or neither."""
    session.execute(_INSERT, _row(act))


def _row(act: Act) -> dict[str, Any]:
    return {
        "actor_kind": act.actor_kind,
        "actor_id": act.actor_id,
        "action": act.action,
        "object_type": act.object_type,
        "object_id": act.object_id,
        "organisation_id": act.organisation_id,
        "salt": secrets.token_bytes(SALT_BYTES),
        "payload": json.dumps(dict(act.payload or {}), ensure_ascii=False, default=str),
    }


_INSERT_ALL = text(
    """
    INSERT INTO audit.entry
           (actor_kind, actor_id, action, object_type, object_id, organisation_id, salt, payload)
    SELECT * FROM unnest(
           cast(:actor_kind AS text[]), cast(:actor_id AS uuid[]), cast(:action AS text[]),
           cast(:object_type AS text[]), cast(:object_id AS uuid[]),
           cast(:organisation_id AS uuid[]), cast(:salt AS bytea[]), cast(:payload AS jsonb[]))
    """
)


def record_all(session: Session | Connection, acts: Sequence[Act]) -> None:
    """Write many audit entries in one statement, in the caller's transaction."""
    if acts:
        rows = [_row(act) for act in acts]
        session.execute(_INSERT_ALL, {name: [row[name] for row in rows] for name in rows[0]})
