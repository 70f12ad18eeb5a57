"""Switch a module, change its settings; the only writer of ``registry.module``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Invalid, NotFound, StaleVersion
from citizen_cloud.jobs.services import announce
from citizen_cloud.manifest import ModuleState, ServiceModule, Setting
from citizen_cloud.registry.ended import begin_again, end_types
from citizen_cloud.registry.purging import ModulePurged, is_ended
from citizen_cloud.registry.switchboard import CHANNEL

SUNSET_BEGUN = "module.sunset"
# Kind and id; the demo and the command line act without an account.
Actor = tuple[str, UUID | None]


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A module's row as administrators see it."""

    name: str
    state: ModuleState
    reason: str
    settings: dict[str, Any]
    version: int
    changed_at: datetime | None


_COLUMNS = "name, state, reason, settings, version, changed_at"


def switches(session: Session, modules: Mapping[str, ServiceModule]) -> list[Switch]:
    """Return every installed module with its state, in name order, in one SELECT."""
    rows = session.execute(text(f"SELECT {_COLUMNS} FROM registry.module")).mappings()  # noqa: S608
    known = {row["name"]: Switch(**row) for row in rows}
    return [known.get(name) or _untouched(module) for name, module in sorted(modules.items())]


def _untouched(module: ServiceModule) -> Switch:
    return Switch(
        name=module.name,
        state=module.initial_state,
        reason="",
        settings={},
        version=0,
        changed_at=None,
    )


def set_state(
    session: Session,
    *,
    module: ServiceModule,
    state: ModuleState,
    reason: str,
    actor_id: UUID | None,
    actor_kind: str = "admin",
) -> Switch:
    """Put a module into a state; every worker follows within seconds. Audited with its reason.

    Whoever has something in a module that goes into sunset is told, and its codes count no more;
    out of sunset new ones do, from a second later. Raises ``ModulePurged``.
    """
    switch = _write(session, module, {"state": state, "reason": reason, "actor": actor_id})
    if state != "sunset" and is_ended(session, module.name):
        raise ModulePurged
    if state == "sunset":
        _sunset(session, module, switch)
    _audit(session, module, f"module.{state}", {"reason": reason}, (actor_kind, actor_id))
    if state != "sunset":
        begin_again(session, module=module.name)
    return switch


def _sunset(session: Session, module: ServiceModule, switch: Switch) -> None:
    end_types(session, module=module.name, types=module.code_types)
    if module.sunset is not None:
        facts = {"module": module.name, "version": switch.version}
        announce(session, SUNSET_BEGUN, facts, lane="bulk")


def set_settings(
    session: Session,
    *,
    module: ServiceModule,
    values: Mapping[str, Any],
    actor_id: UUID | None,
    version: int | None = None,
) -> Switch:
    """Replace a module's settings. Raises ``Invalid`` for unknown names or values out of bounds."""
    checked = check_settings(module.settings, values)
    switch = _write(
        session,
        module,
        {"settings": json.dumps(checked), "actor": actor_id, "expected": version},
    )
    _audit(session, module, "module.settings", {"settings": checked}, ("admin", actor_id))
    return switch


def check_settings(known: tuple[Setting, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values if each is known, of its kind and within bounds; else ``Invalid``."""
    by_name = {setting.name: setting for setting in known}
    errors = [
        {"pointer": f"/settings/{name}", "code": code}
        for name, value in values.items()
        if (code := _fault(by_name.get(name), value))
    ]
    if errors:
        raise Invalid(errors=errors)
    return dict(values)


def _fault(setting: Setting | None, value: Any) -> str | None:
    if setting is None:
        return "unknown_setting"
    kinds: dict[str, type] = {"integer": int, "boolean": bool, "string": str}
    if not isinstance(value, kinds[setting.kind]) or (
        setting.kind == "integer" and isinstance(value, bool)
    ):
        return "wrong_kind"
    size: int = len(value) if isinstance(value, str) else value  # type: ignore[assignment]
    too_small = setting.minimum is not None and size < setting.minimum
    too_large = setting.maximum is not None and size > setting.maximum
    return "out_of_bounds" if too_small or too_large else None


_WRITE = text(
    f"""
    INSERT INTO registry.module AS m (name, state, reason, settings, changed_by)
    VALUES (:name, coalesce(:state, :initial), coalesce(:reason, ''),
            coalesce(cast(:settings AS jsonb), '{{}}'::jsonb), :actor)
    ON CONFLICT (name) DO UPDATE SET
        state = coalesce(:state, m.state), reason = coalesce(:reason, m.reason),
        settings = coalesce(cast(:settings AS jsonb), m.settings), version = m.version + 1,
        changed_by = :actor, changed_at = statement_timestamp()
    WHERE cast(:expected AS integer) IS NULL OR m.version = :expected
    RETURNING {_COLUMNS}
    """  # noqa: S608
)


def _write(session: Session, module: ServiceModule, change: Mapping[str, Any]) -> Switch:
    parameters = {
        "name": module.name,
        "initial": module.initial_state,
        **dict.fromkeys(("state", "reason", "settings", "actor", "expected")),
        **change,
    }
    row = session.execute(_WRITE, parameters).mappings().first()
    if row is None:
        raise StaleVersion
    session.execute(text("SELECT pg_notify(:channel, :name)"), {"channel": CHANNEL, **parameters})
    return Switch(**row)


def _audit(
    session: Session, module: ServiceModule, action: str, payload: Mapping[str, Any], actor: Actor
) -> None:
    kind, actor_id = actor
    record(
        session,
        Act(
            actor_kind=kind,
            actor_id=actor_id,
            action=action,
            object_type="module",
            object_id=None,
            payload={"module": module.name, **payload},
        ),
    )


def installed_module(modules: Mapping[str, ServiceModule], name: str) -> ServiceModule:
    """Return an installed module by name. Raises ``NotFound``."""
    if name not in modules:
        raise NotFound
    return modules[name]
