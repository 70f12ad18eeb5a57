"""The back office's doors to partners' and systems' clients."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.oidc import refusals
from citizen_cloud.oidc.models import Client
from citizen_cloud.oidc.queries import clients as queries
from citizen_cloud.oidc.rules.scopes import delegable
from citizen_cloud.oidc.schemas.clients import (
    NewOidcClientSchema,
    OidcClientChangeSchema,
    OidcClientPageSchema,
    OidcClientSchema,
    OidcClientSecretSchema,
)
from citizen_cloud.oidc.services import clients as services
from citizen_cloud.oidc.services.clients import NewClient
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, ports
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.etag import expected_version, version_tag
from citizen_cloud.web.marks import fresh, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "oidc.clients"
blp = Blueprint(
    "oidc_clients",
    url_prefix="/admin/clients",
    description="合作方与系统接入 · Partners' and systems' clients (back office)",
)
WRONG = (refusals.ScopeUnknown, refusals.AddressNotAllowed, refusals.SectorNeeded)


def _actor() -> Actor:
    return Actor(caller().kind, caller().account_id)


def _delegable() -> frozenset[str]:
    return delegable(ports().roles)


def client_json(row: Client) -> dict[str, Any]:
    """Return a client as the back office gets it."""
    names = OidcClientSchema().fields.keys() - {"client_id"}
    return {"client_id": row.id, **{name: getattr(row, name) for name in names}}


def _answer(row: Client) -> tuple[dict[str, Any], int, dict[str, str]]:
    return client_json(row), 200, {"ETag": version_tag(row.version)}


@blp.route("")
class Clients(MethodView):
    """All clients."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, OidcClientPageSchema)
    @blp.operation("listOidcClients", BadCursor)
    @requires("oidc.clients.manage")
    def get(self, query: dict[str, Any]) -> Response:
        """List clients

        Oldest first; secrets are shown to nobody again.
        """
        limit, cursor = query["limit"], query.get("cursor")
        after = UUID(str(cursors.decode(LISTING, cursor)[0])) if cursor else None
        with db.transaction() as session:
            rows = queries.clients(session, after=after, limit=limit)
        more = cursors.encode(LISTING, [rows[limit - 1].id]) if rows[limit:] else None
        return page(OidcClientPageSchema(), [client_json(row) for row in rows[:limit]], more)

    @blp.arguments(NewOidcClientSchema)
    @blp.response(201, OidcClientSecretSchema)
    @blp.operation("registerOidcClient", NotFound, refusals.ClientOrganisationClosed, *WRONG)
    @fresh
    @requires("oidc.clients.manage")
    def post(self, sent: dict[str, Any]) -> Any:
        """Register a client

        `web` is a site with a server, `native` an app, `h5` a page without a server, `service` a
        system that acts by itself at its organisation. A service's scopes are permissions that
        people working there can hold. The secret is shown this once, so a repeated request makes
        another client.
        """
        facts = {**sent, "name": Text(**sent["name"]), "purpose": Text(**sent["purpose"])}
        with db.transaction() as session:
            made = services.register_client(
                session, new=NewClient(**facts), delegable=_delegable(), actor=_actor()
            )
        body = {**client_json(made.client), "client_secret": made.secret}
        return body, 201, {"Location": f"{request.path}/{made.client.id}"}


@blp.route("/<uuid:client_id>")
class OneClient(MethodView):
    """One client."""

    @blp.response(200, OidcClientSchema)
    @blp.operation("getOidcClient", NotFound)
    @requires("oidc.clients.manage")
    def get(self, client_id: UUID) -> Any:
        """Show a client

        The ETag is what If-Match of a change takes.
        """
        with db.transaction() as session:
            found = queries.client(session, client_id)
        if found is None:
            raise NotFound
        return _answer(found)

    @blp.arguments(OidcClientChangeSchema)
    @blp.response(200, OidcClientSchema)
    @blp.operation("changeOidcClient", NotFound, StaleVersion, *WRONG)
    @fresh
    @requires("oidc.clients.manage")
    def patch(self, sent: dict[str, Any], client_id: UUID) -> Any:
        """Change or suspend a client

        What is left out stays. A suspended client is refused with its next request, its tokens as
        well, and made active again it begins anew; a scope that is taken away is gone from tokens
        already given. Type, organisation and sector stay for good.
        """
        with db.transaction() as session:
            changed = services.change_client(
                session,
                client_id=client_id,
                changes=sent,
                delegable=_delegable(),
                expected_version=expected_version(request),
                actor=_actor(),
            )
        return _answer(changed)


@blp.route("/<uuid:client_id>/secret")
class ClientSecretView(MethodView):
    """A client's secret."""

    @blp.response(200, OidcClientSecretSchema)
    @blp.operation("rotateOidcClientSecret", NotFound, refusals.NoSecret)
    @fresh
    @requires("oidc.clients.manage")
    def post(self, client_id: UUID) -> dict[str, Any]:
        """Give a client another secret

        Shown this once. The one before works for 24 hours more; an older one ends now.
        """
        with db.transaction() as session:
            made = services.rotate_secret(session, client_id=client_id, actor=_actor())
        return {**client_json(made.client), "client_secret": made.secret}
