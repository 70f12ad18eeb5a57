"""The one place where parts meet: settings in, a Flask application out."""

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import cast
from uuid import UUID

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from citizen_cloud import crypto, db, log
from citizen_cloud.accounts import allowances, verifier
from citizen_cloud.accounts.services import authenticate, data_access
from citizen_cloud.approvals import kinds
from citizen_cloud.cache import Cache
from citizen_cloud.config import Settings
from citizen_cloud.families.services import represent
from citizen_cloud.federation import providers
from citizen_cloud.manifest import Contribution, Permission, Role
from citizen_cloud.oidc import doors as provider
from citizen_cloud.oidc.services import systems
from citizen_cloud.organisations.queries import grant_of
from citizen_cloud.portal import doors, heads
from citizen_cloud.portal.state import HOST, Host
from citizen_cloud.privacy import owners
from citizen_cloud.registry.discovery import Installed, discover
from citizen_cloud.registry.switchboard import Switchboard
from citizen_cloud.rooms import CONTRIBUTIONS, ROUTES, TABLES
from citizen_cloud.web import api, around, gate, limits
from citizen_cloud.web.application import Application
from citizen_cloud.web.caller import Caller, Grant, Ports, Represented
from citizen_cloud.web.refusals import ProxyNotPermitted


def create_app(settings: Settings, *, installed: Installed | None = None) -> Flask:
    """Assemble the application. Reads nothing from the database; raises on any unmarked route."""
    configure(settings)
    database = db.connect(settings)
    found = discover() if installed is None else installed
    owners.install(
        owners.owners_of(contributions(), found.modules.values(), absent=found.quarantined)
    )
    kinds.install(kinds.kinds_of(contributions(), found.modules.values()))
    host = Host(
        settings=settings,
        installed=found,
        contributions=contributions(),
        switchboard=Switchboard(found.modules, settings.database_url),
        database=database,
    )
    app = Application("citizen_cloud", static_folder=None)
    around.install(app)
    app.url_map.strict_slashes = False
    # A redirect to the tidied address would name whatever host the caller made up.
    app.url_map.merge_slashes = False
    app.extensions[HOST] = host
    app.extensions[limits.EXTENSION] = limits.Limiter(Cache(settings.redis_url))
    documented = api.install(app, title="Citizen Cloud", version=version("citizen-cloud"))
    for room in ROUTES:
        for blueprint in import_module(f"citizen_cloud.{room}.routes").blueprints:
            documented.register_blueprint(blueprint)
    for module in found.modules.values():
        for blueprint in module.blueprints:
            documented.register_blueprint(blueprint)
    doors.install(app)
    provider.install(app, settings)
    gate.install(app, _ports(host), min_app_version=settings.min_app_version)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def configure(settings: Settings) -> None:
    """Give this process its keys, its outward ports and its limits."""
    log.configure()
    # A row that points at another room's table is only written where both are known.
    for room in TABLES:
        import_module(f"citizen_cloud.{room}.models")
    crypto.configure(settings)
    verifier.install(verifier.from_settings(settings))
    allowances.install(allowances.from_settings(settings))
    providers.install(providers.from_settings(settings))
    data_access.configure(settings)
    heads.configure(settings)


def contributions() -> tuple[Contribution, ...]:
    """Return what the core rooms add to the machinery."""
    return tuple(
        cast("Contribution", import_module(f"citizen_cloud.{room}.contribution").contribution)
        for room in CONTRIBUTIONS
    )


def _ports(host: Host) -> Ports:
    roles = roles_by_permission(host.permissions)

    def known(token: str) -> Caller:
        with db.statement() as connection:
            if systems.is_service_token(token):
                return systems.authenticate_system(connection, token)
            return authenticate(connection, token)

    def granted(caller: Caller, permission: str) -> Grant:
        if caller.kind == "citizen" or permission not in roles:
            return Grant()
        if isinstance(caller, systems.ServiceCaller):
            return caller.granted(permission)
        with db.statement() as connection:
            return grant_of(connection, caller.account_id, roles[permission])

    def acting(caller: Caller, person_id: UUID, scope: str, *, reads: bool) -> Represented:
        # Refused after the statement, which wrote the attempt down.
        with db.statement() as connection:
            found = represent(
                connection, caller=caller, person_id=person_id, scope=scope, reads=reads
            )
        if found is None:
            raise ProxyNotPermitted
        return found

    return Ports(
        authenticate=known,
        represent=acting,
        granted=granted,
        module_state=host.switchboard.state,
        roles=roles,
        module_of_blueprint={
            blueprint.name: module.name
            for module in host.installed.modules.values()
            for blueprint in module.blueprints
        },
    )


def roles_by_permission(permissions: Iterable[Permission]) -> dict[str, frozenset[Role]]:
    """Return who may do what."""
    return {permission.name: permission.roles for permission in permissions}
