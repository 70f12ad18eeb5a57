"""The own identities at other providers."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.federation import queries
from citizen_cloud.federation.providers import offered
from citizen_cloud.federation.refusals import (
    IdentityInUse,
    LinkTicketInvalid,
    ProviderAlreadyLinked,
)
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.schemas import (
    FederatedIdentityPageSchema,
    FederatedIdentitySchema,
    FederatedLinkSchema,
)
from citizen_cloud.federation.services import attempts, identities
from citizen_cloud.text import Text
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import Caller, caller
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import fresh, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

blp = Blueprint(
    "federated_identities",
    url_prefix="/me/federated-identities",
    description="第三方登录关联 The own identities at other providers",
)
PATH = "/api/v1/me/federated-identities"
LISTING = "me.federated_identities"


def _title(provider: str) -> Text:
    """Return a provider's name, also when it is no longer offered."""
    names = {each.name: each.title for each in offered()}
    return names.get(provider) or TITLES.get(provider) or Text(provider, provider)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "title": _title(row["provider"]).as_json()}


def _own() -> Caller:
    """Return the caller, who may see and end the ways in: a number's next holder may not."""
    known = caller()
    known.require_own()
    return known


@blp.route("")
class IdentitiesView(MethodView):
    """Ways in through others."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, FederatedIdentityPageSchema)
    @blp.operation("listFederatedIdentities", BadCursor, StepUpRequired)
    @signed_in()
    def get(self, asked: dict[str, Any]) -> Response:
        """List the linked identities

        Latest first. Who the account is at the provider is not shown. Where the account belongs
        to a person, the document must have been shown on this device, here and below.
        """
        known = _own()
        limit = asked["limit"]
        before = UUID(cursors.decode(LISTING, asked["cursor"])[0]) if "cursor" in asked else None
        with db.statement() as connection:
            found = queries.own_identities(
                connection, account_id=known.account_id, before=before, limit=limit + 1
            )
        more = cursors.encode(LISTING, [found[limit - 1]["id"]]) if len(found) > limit else None
        shown = [_shown(row) for row in found[:limit]]
        return page(FederatedIdentityPageSchema(), shown, more)

    @blp.arguments(FederatedLinkSchema)
    @blp.response(201, FederatedIdentitySchema)
    @blp.operation(
        "linkFederatedIdentity",
        LinkTicketInvalid,
        IdentityInUse,
        ProviderAlreadyLinked,
        key=False,
    )
    @limited("10/minute", by="account")
    @fresh
    @signed_in(level=2)
    def post(self, sent: dict[str, str]) -> Response:
        """Link an identity

        Needs the real name and factors shown in the last five minutes. The ticket comes from 409
        `link_required`, works once within ten minutes, and only for the person or the device's
        account it was given to, where those were known. An account has one identity at each
        provider, an identity one account. The person is told by message and text.
        """
        return answer_once(FederatedIdentitySchema, lambda session: _link(session, sent))


def _link(session: Session, sent: dict[str, str]) -> Answer:
    known = caller()
    # A link that was under way must not come after the recovery that ends them all.
    sign_ins.require_live(session, account_id=known.account_id, sign_in_id=known.sign_in_id)
    owed = attempts.take_ticket(
        session,
        ticket=sent["link_ticket"],
        account_id=known.account_id,
        person_key=known.person.person_key,
    )
    if owed is None:
        raise LinkTicketInvalid
    identity_id = identities.link(
        session,
        owed=owed,
        account_id=known.account_id,
        title=_title(owed.provider),
        now=clock.now(),
    )
    row = queries.own_identity(session, account_id=known.account_id, identity_id=identity_id)
    if row is None:
        raise NotFound
    return Answer(content=_shown(row), status=201, location=f"{PATH}/{identity_id}")


@blp.route("/<uuid:identity_id>")
class IdentityView(MethodView):
    """One way in."""

    @blp.response(200, FederatedIdentitySchema)
    @blp.operation("getFederatedIdentity", NotFound, StepUpRequired)
    @signed_in()
    def get(self, identity_id: UUID) -> dict[str, Any]:
        """Get a linked identity

        One of the own account's; a removed one is no more found than anybody else's.
        """
        known = _own()
        with db.statement() as connection:
            row = queries.own_identity(
                connection, account_id=known.account_id, identity_id=identity_id
            )
        if row is None:
            raise NotFound
        return _shown(row)

    @blp.response(204)
    @blp.operation("removeFederatedIdentity", NotFound, StepUpRequired)
    @signed_in()
    def delete(self, identity_id: UUID) -> None:
        """Remove a linked identity

        It opens the account no more, and every sign-in it opened ends at once, the asking one
        included.
        """
        known = _own()
        with db.transaction() as session:
            identities.remove(
                session,
                account_id=known.account_id,
                identity_id=identity_id,
                now=clock.now(),
            )
