"""The end of a module: ordered once, carried out in steps, never taken back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Conflict, NotFound
from citizen_cloud.text import Text


class ModulePurged(Conflict):
    """The module has come to its end; what it held is gone."""

    code = "module_purged"
    title = Text("服务已终止", "The service has ended")
    detail = Text(
        "该服务已终止并清除数据,不能再次启用。",
        "This service has ended and its data is destroyed; it cannot be switched on again.",
    )


class NotInSunset(Conflict):
    """A module is purged from sunset only."""

    code = "module_not_in_sunset"
    title = Text("服务尚未停止", "Not in sunset")
    detail = Text("只有处于终止状态的服务才能清除。", "Only a service in sunset can be purged.")


@dataclass(frozen=True, kw_only=True)
class Purge:
    """An order to purge, and how far it is."""

    id: UUID
    module: str
    approval_id: UUID
    ordered_at: datetime
    state: str
    progress: Mapping[str, int]
    finished_at: datetime | None
    certificate: str | None


_COLUMNS = "id, module, approval_id, ordered_at, state, progress, finished_at, certificate"
_OF = text(f"SELECT {_COLUMNS} FROM registry.purge WHERE module = :module")  # noqa: S608
_IS_ENDED = text("SELECT EXISTS (SELECT FROM registry.purge WHERE module = :module)")
# Held to the end: whoever switches the module meanwhile waits and then finds the order.
_SUNSET = text("SELECT state = 'sunset' FROM registry.module WHERE name = :module FOR UPDATE")
_ORDER = text(
    f"""
    INSERT INTO registry.purge (module, approval_id, ordered_at)
    VALUES (:module, :approval_id, coalesce(cast(:now AS timestamptz), statement_timestamp()))
    ON CONFLICT (module) DO NOTHING RETURNING {_COLUMNS}
    """  # noqa: S608
)
# Those under way longer ago than any request may last.
_DUE = text(
    """
    SELECT module FROM registry.purge
     WHERE state <> 'done' AND ordered_at <= statement_timestamp() - interval '60 seconds'
     ORDER BY ordered_at
    """
)
_TAKE = text(
    f"""
    UPDATE registry.purge SET state = 'running'
     WHERE module = :module AND state <> 'done'
       AND ordered_at <= statement_timestamp() - interval '60 seconds'
    RETURNING {_COLUMNS}
    """  # noqa: S608
)
_NOTE = text("UPDATE registry.purge SET progress = cast(:progress AS jsonb) WHERE module = :module")
_DONE = text(
    """
    UPDATE registry.purge
       SET state = 'done', finished_at = :finished_at, certificate = :certificate
     WHERE module = :module AND state = 'running'
    """
)


def purge_of(session: Session, module: str) -> Purge | None:
    """Return the purge of a module, None while nobody ordered one."""
    row = session.execute(_OF, {"module": module}).mappings().first()
    return None if row is None else Purge(**row)


def is_ended(session: Session, module: str) -> bool:
    """Return whether a purge was ordered: from then on nothing of the module runs."""
    return bool(session.scalar(_IS_ENDED, {"module": module}))


def check_sunset(session: Session, module: str) -> None:
    """Raise ``NotInSunset`` or ``ModulePurged`` where a module cannot be purged now."""
    if not session.scalar(_SUNSET, {"module": module}):
        raise NotInSunset
    if is_ended(session, module):
        raise ModulePurged


def order(
    session: Session, *, module: str, approval_id: UUID, now: datetime | None = None
) -> Purge:
    """Order a purge; there is no way back. Raises ``NotInSunset``, ``ModulePurged``."""
    check_sunset(session, module)
    asked = {"module": module, "approval_id": approval_id, "now": now}
    row = session.execute(_ORDER, asked).mappings().one()
    _audit(session, "module.purge_ordered", module, approval_id)
    return Purge(**row)


def due(session: Session) -> list[str]:
    """Return the modules whose purge may begin or go on."""
    return list(session.scalars(_DUE))


def take(session: Session, module: str) -> Purge | None:
    """Take a purge up for one step, its row locked; None where it is done, or not due yet.

    Raises ``NotFound`` where none was ordered.
    """
    row = session.execute(_TAKE, {"module": module}).mappings().first()
    if row is None and not is_ended(session, module):
        raise NotFound
    return None if row is None else Purge(**row)


def note(session: Session, module: str, progress: Mapping[str, int]) -> None:
    """Write down how many rows are gone, in the transaction in which they go."""
    session.execute(_NOTE, {"module": module, "progress": json.dumps(dict(progress))})


def finish(session: Session, purge: Purge, *, certificate: str, finished_at: datetime) -> None:
    """End a purge with its certificate."""
    facts = {"certificate": certificate, "finished_at": finished_at, "module": purge.module}
    session.execute(_DONE, facts)
    _audit(session, "module.purged", purge.module, purge.approval_id)


def _audit(session: Session, action: str, module: str, approval_id: UUID) -> None:
    record(
        session,
        Act(
            actor_kind="system",
            actor_id=None,
            action=action,
            object_type="proposal",
            object_id=approval_id,
            payload={"module": module},
        ),
    )
