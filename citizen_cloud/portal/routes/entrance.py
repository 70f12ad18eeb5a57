"""What an app reads before or right after sign-in: configuration, catalogue, home, agenda."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.booking import queries as bookings
from citizen_cloud.families.rules import MESSAGES
from citizen_cloud.manifest import ServiceModule
from citizen_cloud.portal import queries, schemas
from citizen_cloud.portal.state import host
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, represented, subject
from citizen_cloud.web.marks import acts_for, any_version, public, signed_in

blp = Blueprint("portal", description="Home, agenda, catalogue, app configuration")

ON = ("active", "read_only", "draining")
MOST_AGENDA = 100


def modules_on() -> list[tuple[ServiceModule, str]]:
    """Return the modules citizens see, with their states."""
    here = host()
    return [
        (module, state)
        for name, module in sorted(here.modules.items())
        if (state := here.switchboard.state(name)) in ON
    ]


@blp.route("/app/config")
class AppConfig(MethodView):
    """Configuration of the app."""

    @blp.response(200, schemas.AppConfigSchema)
    @blp.operation("getAppConfig")
    @any_version
    @public
    def get(self) -> dict[str, Any]:
        """Read the app's configuration

        The oldest version still served, the languages and the services that are on. An app older
        than ``min_version`` gets ``426 client_too_old`` everywhere else.
        """
        settings = host().settings
        return {
            "min_version": settings.min_app_version,
            "latest_version": settings.latest_app_version,
            "languages": ["zh-CN", "en"],
            "modules": _catalogue(),
            "server_time": clock.now(),
        }


@blp.route("/modules")
class Modules(MethodView):
    """The catalogue."""

    @blp.response(200, schemas.ModulesSchema)
    @blp.operation("listModules")
    @public
    def get(self) -> dict[str, Any]:
        """List the services that are on

        A service that is switched off is not listed; its doors answer ``503 module_off``.
        """
        return {"items": _catalogue()}


def _catalogue() -> list[dict[str, Any]]:
    return [
        {"name": module.name, "title": module.title.as_json(), "state": state}
        for module, state in modules_on()
    ]


@blp.route("/home")
class Home(MethodView):
    """The first screen."""

    @blp.response(200, schemas.HomeSchema)
    @blp.operation("getHome")
    @signed_in()
    @acts_for("any")
    def get(self) -> dict[str, Any]:
        """Read the home screen

        Tiles of the services that are on with what waits behind each, the next few items of the
        agenda, and the number of unread messages: everything the first screen shows. On behalf
        of a dependant, the services of the link, and messages where it covers them.
        """
        me, now = caller(), clock.now()
        holder, scopes, account_id = subject(), scopes_shown(), _account_id()
        with db.statement() as connection:
            found = queries.home(
                connection,
                account_id=account_id if scopes is None or MESSAGES in scopes else None,
                person_id=holder.person_id if holder else None,
                modules=scopes,
                since_device=me.device_id if me.is_stranger else None,
            )
        return {
            "unread_messages": found.unread,
            "tiles": [
                _tile(module, state, found, account_id)
                for module, state in modules_on()
                if scopes is None or module.name in scopes
            ],
            "next": found.coming,
            "server_time": now,
        }


def scopes_shown() -> frozenset[str] | None:
    """Return the services a link opens to the caller; None in his own business: all."""
    someone = represented()
    return None if someone is None else someone.scopes


def _account_id() -> UUID | None:
    """Return the account of whose business this is; a dependant may have none."""
    someone = represented()
    return caller().account_id if someone is None else someone.account_id


def _tile(
    module: ServiceModule, state: str, found: queries.Home, account_id: UUID | None
) -> dict[str, Any]:
    tile = module.tile
    return {
        "module": module.name,
        "title": module.title.as_json(),
        "icon": tile.icon if tile else "service",
        "path": tile.path if tile else f"/{module.segment}",
        "state": state,
        "badge": found.badges.get(module.name, 0) + _extra(module, account_id),
    }


def _extra(module: ServiceModule, account_id: UUID | None) -> int:
    """Ask a module that counts more than its coming bookings."""
    if account_id is None or module.tile is None or module.tile.badge is None:
        return 0
    with db.transaction() as session:
        return module.tile.badge(session, account_id, clock.now())


@blp.route("/me/agenda")
class Agenda(MethodView):
    """What is coming up."""

    @blp.response(200, schemas.AgendaSchema)
    @blp.operation("getAgenda")
    @signed_in()
    @acts_for("any")
    def get(self) -> dict[str, Any]:
        """Read my agenda

        Coming bookings of every service, soonest first; empty before the real-name step. On
        behalf of a dependant, those of the link's services.
        """
        holder = subject()
        if holder is None:
            return {"items": []}
        with db.statement() as connection:
            rows = bookings.agenda(
                connection, holder.person_id, limit=MOST_AGENDA, modules=scopes_shown()
            )
        return {"items": rows}
