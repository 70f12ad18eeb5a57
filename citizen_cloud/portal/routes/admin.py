"""The switchboard and the audit trail, for administrators and auditors."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.audit import queries as audit
from citizen_cloud.errors import Malformed, NotFound, StaleVersion
from citizen_cloud.manifest import ServiceModule
from citizen_cloud.portal import schemas
from citizen_cloud.portal.state import host
from citizen_cloud.registry import services
from citizen_cloud.registry.purging import ModulePurged
from citizen_cloud.registry.services import Switch
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.etag import expected_version
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page

blp = Blueprint(
    "admin", url_prefix="/admin", description="The module switchboard and the audit trail"
)

NAME = {"in": "path", "name": "name", "required": True, "example": "masks"}


@blp.route("/modules")
class Switches(MethodView):
    """All modules."""

    @blp.response(200, schemas.SwitchesSchema)
    @blp.operation("listSwitches")
    @requires("portal.modules.read")
    def get(self) -> dict[str, Any]:
        """List installed services with their states

        A service that failed to load stands here as ``quarantined`` with the reason.
        """
        here = host()
        with db.transaction() as session:
            found = services.switches(session, here.modules)
        aside = [
            {
                "name": name,
                "title": {"zh": name, "en": name},
                "state": "quarantined",
                "reason": reason,
                "version": 0,
                "changed_at": None,
            }
            for name, reason in sorted(here.installed.quarantined.items())
        ]
        return {"items": [*(_switch(here.modules[s.name], s) for s in found), *aside]}


def _switch(module: ServiceModule, switch: Switch) -> dict[str, Any]:
    return {
        "name": switch.name,
        "title": module.title.as_json(),
        "state": switch.state,
        "reason": switch.reason,
        "version": switch.version,
        "changed_at": switch.changed_at,
    }


@blp.route("/modules/<string(maxlength=32):name>/state", parameters=[NAME])
class ModuleState(MethodView):
    """One switch."""

    @blp.arguments(schemas.StateSchema)
    @blp.response(200, schemas.SwitchSchema)
    @blp.operation("setModuleState", NotFound, ModulePurged)
    @requires("portal.modules.manage")
    def put(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        """Switch a service

        ``draining`` takes no new bookings and serves the existing ones; ``read_only`` changes
        nothing; ``off`` answers ``503 module_off``. Every worker follows within five seconds, and
        the reason is audited. ``sunset`` is the beginning of the end: the doors are shut, whoever
        has something there is told, and a purge may be proposed; afterwards ``409 module_purged``.
        """
        module = services.installed_module(host().modules, name)
        with db.transaction() as session:
            switch = services.set_state(
                session,
                module=module,
                state=body["state"],
                reason=body["reason"],
                actor_id=caller().account_id,
            )
        return _switch(module, switch)


@blp.route("/modules/<string(maxlength=32):name>/settings", parameters=[NAME])
class ModuleSettings(MethodView):
    """A module's settings."""

    @blp.response(200, schemas.SettingsSchema)
    @blp.operation("getModuleSettings", NotFound)
    @requires("portal.modules.read")
    def get(self, name: str) -> dict[str, Any]:
        """Read a service's settings

        Each with its bounds, its default and the value in force.
        """
        module = services.installed_module(host().modules, name)
        with db.transaction() as session:
            return _settings(module, _find(session, module))

    @blp.arguments(schemas.NewSettingsSchema)
    @blp.response(200, schemas.SettingsSchema)
    @blp.operation("setModuleSettings", NotFound, StaleVersion, Malformed)
    @requires("portal.modules.manage")
    def put(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        """Set a service's settings

        Replaces all values; what is left out goes back to its default. With ``If-Match`` a change
        made by somebody else in between answers ``412 stale_version``.
        """
        module = services.installed_module(host().modules, name)
        with db.transaction() as session:
            switch = services.set_settings(
                session,
                module=module,
                values=body["settings"],
                actor_id=caller().account_id,
                version=expected_version(request),
            )
        return _settings(module, switch)


def _find(session: Session, module: ServiceModule) -> Switch:
    return services.switches(session, {module.name: module})[0]


def _settings(module: ServiceModule, switch: Switch) -> dict[str, Any]:
    return {
        "name": module.name,
        "version": switch.version,
        "items": [
            {
                "name": setting.name,
                "title": setting.title.as_json(),
                "kind": setting.kind,
                "value": switch.settings.get(setting.name, setting.default),
                "default": setting.default,
                "minimum": setting.minimum,
                "maximum": setting.maximum,
            }
            for setting in module.settings
        ],
    }


@blp.route("/audit/entries")
class AuditEntries(MethodView):
    """The trail."""

    @blp.arguments(schemas.AuditQuery, location="query")
    @blp.response(200, schemas.AuditPageSchema)
    @blp.operation("listAuditEntries", cursors.BadCursor)
    @requires("audit.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List audit entries

        Newest first. Auditors see every act and can change nothing.
        """
        limit = query["limit"]
        after = cursors.decode("audit", query["cursor"]) if "cursor" in query else None
        with db.transaction() as session:
            rows = audit.entries(
                session,
                action=query.get("action"),
                object_id=query.get("object_id"),
                on=query.get("on"),
                before=UUID(after[0]) if after else None,
                limit=limit + 1,
            )
        last = rows[limit - 1]["id"] if len(rows) > limit else None
        cursor = cursors.encode("audit", [last]) if last else None
        return page(schemas.AuditPageSchema(), rows[:limit], cursor)
