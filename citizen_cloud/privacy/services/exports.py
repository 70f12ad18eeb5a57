"""A bundle of everything held about somebody: asked for, built by a job, fetched, forgotten."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.clock import local
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import Subject
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.privacy.owners import Owner, Owners
from citizen_cloud.privacy.refusals import ExportInProgress, ExportNotReady
from citizen_cloud.privacy.rules import EXPORT_LIFE
from citizen_cloud.privacy.services.away import away
from citizen_cloud.text import Text

FORMAT = "citizen-cloud-export/1"
READY = Text("个人信息副本已就绪", "Your data is ready")
READY_BODY = Text(
    "您申请的个人信息副本已就绪，请在7天内下载。",
    "The copy of your data is ready; fetch it within 7 days.",
)

_ASK = text(
    """
    INSERT INTO privacy.export (id, account_id, person_id, requested_at)
    SELECT :id, a.id, a.person_id, coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM accounts.account a WHERE a.id = :account_id
    ON CONFLICT (account_id) WHERE status = 'waiting' DO NOTHING
    RETURNING id, status, requested_at, ready_at, expires_at
    """
)


def request_export(
    session: Session, *, account_id: UUID, kind: str, now: datetime | None = None
) -> dict[str, Any]:
    """Ask for a bundle; one at a time. Raises ``ExportInProgress``."""
    asked = {"id": new_id(), "account_id": account_id, "now": now}
    row = session.execute(_ASK, asked).mappings().first()
    if row is None:
        raise ExportInProgress
    record(session, _act("export_requested", kind, account_id, row["id"]))
    return dict(row)


_TAKE = text(
    """
    SELECT id, account_id, person_id,
           coalesce(cast(:now AS timestamptz), statement_timestamp()) AS now
      FROM privacy.export WHERE id = :id AND status = 'waiting' FOR UPDATE SKIP LOCKED
    """
)
_READY = text(
    """
    UPDATE privacy.export
       SET status = 'ready', bundle_sealed = :bundle, ready_at = :now, expires_at = :expires_at
     WHERE id = :id
    """
)


_WAITING = text(
    """
    SELECT id FROM privacy.export
     WHERE status = 'waiting' AND (cast(:after AS uuid) IS NULL OR id > :after)
     ORDER BY id LIMIT :most
    """
)


def waiting(session: Session, *, after: UUID | None, most: int) -> list[UUID]:
    """Return bundles somebody waits for, in the order they were asked for."""
    return list(session.scalars(_WAITING, {"after": after, "most": most}))


def build(
    session: Session, *, export_id: UUID, owners: Owners, now: datetime | None = None
) -> bool:
    """Gather a bundle, seal it and tell its owner; False where another worker is at it."""
    row = session.execute(_TAKE, {"id": export_id, "now": now}).mappings().first()
    if row is None:
        return False
    bundle = orjson.dumps(_bundle(session, row, owners), default=_plain).decode()
    ready = {
        "id": export_id,
        "bundle": crypto.current().seal(bundle, place=bundle_place(export_id)),
        "now": row["now"],
        "expires_at": row["now"] + EXPORT_LIFE,
    }
    session.execute(_READY, ready)
    note = Note(
        account_id=row["account_id"],
        kind="privacy.export_ready",
        title=READY,
        body=READY_BODY,
        dedupe_key=f"privacy.export_ready:{export_id}",
        subject_type="export",
        subject_id=export_id,
    )
    notify(session, note=note, now=row["now"])
    record(session, _act("export_ready", "system", None, export_id))
    return True


def _bundle(session: Session, row: RowMapping, owners: Owners) -> dict[str, Any]:
    subject = Subject(account_id=row["account_id"], person_id=row["person_id"])
    return {
        "format": FORMAT,
        "made_at": local(row["now"]).isoformat(),
        "account_id": row["account_id"],
        "person_id": row["person_id"],
        "manifest": [_described(owner) for owner in owners.owners],
        # Reasons stay inside: they may name files and libraries.
        "not_included": [
            {"owner": name, "reason": "unavailable"} for name in away(session, owners=owners)
        ],
        "data": {owner.name: owner.data.export(session, subject) for owner in owners.owners},
    }


def _described(owner: Owner) -> dict[str, Any]:
    held = owner.data
    return {
        "owner": owner.name,
        "title": owner.title.as_json(),
        "categories": [each.as_json() for each in held.categories],
        "purpose": held.purpose.as_json(),
        "legal_basis": held.legal_basis.as_json(),
        "retention_days": held.retention_days,
        "kept_after_erasure": [each.as_json() for each in held.kept],
    }


def _plain(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def bundle_place(export_id: UUID) -> str:
    """Return what binds a sealed bundle to its row."""
    return f"privacy.export:bundle:{export_id}"


_BUNDLE = text(
    """
    SELECT bundle_sealed FROM privacy.export
     WHERE id = :id AND account_id = :account_id
       AND (status = 'waiting'
            OR expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()))
    """
)


def open_bundle(
    session: Session, *, account_id: UUID, kind: str, export_id: UUID, now: datetime | None = None
) -> str:
    """Return a bundle of one's own as JSON. Raises ``NotFound``, ``ExportNotReady``."""
    asked = {"id": export_id, "account_id": account_id, "now": now}
    row = session.execute(_BUNDLE, asked).first()
    if row is None:
        raise NotFound
    if row.bundle_sealed is None:
        raise ExportNotReady
    record(session, _act("export_fetched", kind, account_id, export_id))
    return crypto.current().open(row.bundle_sealed, place=bundle_place(export_id))


def forget_expired(session: Session, *, now: datetime | None = None) -> int:
    """Delete bundles whose week is over; return how many."""
    sql = text(
        """
        DELETE FROM privacy.export
         WHERE expires_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
        """
    )
    return rows_changed(session, sql, {"now": now})


def _act(verb: str, kind: str, account_id: UUID | None, export_id: UUID) -> Act:
    return Act(
        actor_kind=kind,
        actor_id=account_id,
        action=f"privacy.{verb}",
        object_type="export",
        object_id=export_id,
    )
