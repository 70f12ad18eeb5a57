"""Record acts, seal them into the chain, verify the chain."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

SALT_BYTES = 16
GENESIS = hashlib.sha256(b"citizen-cloud audit chain").digest()
# Any number that no other advisory lock of this database uses.
SEALER_LOCK = 7_301_001


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


_UNSEALED = text(
    """
    SELECT e.id, e.xid, e.at, e.actor_kind, e.actor_id, e.action, e.object_type, e.object_id,
           e.organisation_id, e.salt, e.payload::text AS payload
      FROM audit.entry e
     WHERE e.xid >= :low AND e.xid < :high
     ORDER BY e.xid
     FETCH FIRST :most ROWS WITH TIES
    """
)


def seal(session: Session, *, most: int = 5_000) -> int:
    """Chain the entries whose transactions are over; return how many were sealed.

    Runs under an advisory lock, so that one sealer works at a time. Everything below the oldest
    running transaction is complete, therefore nothing can appear behind the watermark later.
    """
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": SEALER_LOCK}):
        return 0
    low = session.scalar(text("SELECT sealed_below FROM audit.watermark WHERE id = 1")) or 0
    high = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    result = session.execute(_UNSEALED, {"low": low, "high": high, "most": most}).mappings()
    found = [dict(row) for row in result]
    rows = sorted(found, key=lambda row: (row["xid"], row["id"]))
    if len(rows) >= most:
        # WITH TIES took whole transactions, so the watermark can stand right behind the last.
        high = rows[-1]["xid"] + 1
    number, prev = _head(session)
    links = []
    for row in rows:
        number += 1
        digest = digest_of(row)
        head = link(prev, number, digest)
        links.append(
            {"number": number, "entry_id": row["id"], "digest": digest, "prev": prev, "hash": head}
        )
        prev = head
    if links:
        session.execute(
            text(
                "INSERT INTO audit.seal (number, entry_id, digest, prev, hash) "
                "VALUES (:number, :entry_id, :digest, :prev, :hash)"
            ),
            links,
        )
    session.execute(
        text("UPDATE audit.watermark SET sealed_below = :high WHERE id = 1"), {"high": high}
    )
    return len(links)


def _head(session: Session) -> tuple[int, bytes]:
    row = session.execute(
        text("SELECT number, hash FROM audit.seal ORDER BY number DESC LIMIT 1")
    ).first()
    return (row.number, bytes(row.hash)) if row else (0, GENESIS)


def digest_of(row: Mapping[str, Any]) -> bytes:
    """Hash one entry with its salt; the field order is part of the format."""
    fields = [
        str(row["id"]),
        row["at"].astimezone(UTC).isoformat(),
        row["actor_kind"],
        str(row["actor_id"]),
        row["action"],
        row["object_type"],
        str(row["object_id"]),
        str(row["organisation_id"]),
        row["payload"],
    ]
    canonical = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(bytes(row["salt"]) + canonical).digest()


def link(prev: bytes, number: int, digest: bytes) -> bytes:
    """Return the hash of one link."""
    return hashlib.sha256(prev + number.to_bytes(8, "big") + digest).digest()


def length(session: Session) -> int:
    """Return how many links the chain has."""
    return _head(session)[0]


@dataclass(frozen=True)
class Finding:
    """One thing wrong with the chain, and where."""

    number: int
    kind: str
    entry_id: UUID | None = None


def verify(session: Session) -> list[Finding]:
    """Walk the whole chain; an empty list means nothing was edited, removed or inserted.

    An entry whose salt and payload were erased on legal grounds is *redacted*, not a finding.
    """
    findings: list[Finding] = []
    prev, expected = GENESIS, 0
    rows = session.execute(
        text(
            """
            SELECT s.number, s.entry_id, s.digest, s.prev, s.hash, e.id, e.at, e.actor_kind,
                   e.actor_id, e.action, e.object_type, e.object_id, e.organisation_id, e.salt,
                   e.payload::text AS payload
              FROM audit.seal s LEFT JOIN audit.entry e ON e.id = s.entry_id ORDER BY s.number
            """
        ).execution_options(yield_per=5_000)
    ).mappings()
    for row in rows:
        expected += 1
        findings.extend(_faults(dict(row), expected, prev))
        prev, expected = bytes(row["hash"]), row["number"]
    return findings


def _faults(row: Mapping[str, Any], expected: int, prev: bytes) -> list[Finding]:
    number, entry_id = row["number"], row["entry_id"]
    kinds = []
    if number != expected:
        kinds.append("gap")
    if bytes(row["prev"]) != prev:
        kinds.append("reordered")
    if link(bytes(row["prev"]), number, bytes(row["digest"])) != bytes(row["hash"]):
        kinds.append("edited_seal")
    if row["id"] is None:
        kinds.append("deleted")
    elif row["salt"] is not None and digest_of(row) != bytes(row["digest"]):
        kinds.append("edited")
    return [Finding(number, kind, entry_id) for kind in kinds]
