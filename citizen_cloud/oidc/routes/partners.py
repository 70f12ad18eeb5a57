"""To whom the citizen has said yes, and taking it back."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.oidc.queries import partners as partner_queries
from citizen_cloud.oidc.refusals import CitizensOnly
from citizen_cloud.oidc.routes.consent import citizen
from citizen_cloud.oidc.schemas.partners import PartnerPageSchema
from citizen_cloud.oidc.services.decisions import withdraw
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "me.partners"
blp = Blueprint(
    "me_partners",
    url_prefix="/me/partners",
    description="已授权的合作方 · Partners that have the citizen's yes",
)


def _proven() -> UUID:
    """Return the account, once the document was shown on this device where there is one.

    Who got somebody's old number must not see where that person signed in.
    """
    known = citizen()
    known.require_own()
    return known.account_id


@blp.route("")
class PartnersView(MethodView):
    """Partners."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, PartnerPageSchema)
    @blp.operation("listPartners", CitizensOnly, StepUpRequired, BadCursor)
    @signed_in()
    def get(self, asked: dict[str, Any]) -> Response:
        """List partners with the own consent

        Latest first: who it is, what may be read, and since when.
        """
        account_id, limit = _proven(), asked["limit"]
        cursor = asked.get("cursor")
        before = UUID(str(cursors.decode(LISTING, cursor)[0])) if cursor else None
        with db.transaction() as session:
            rows = partner_queries.partners(
                session, account_id=account_id, before=before, limit=limit
            )
        more = cursors.encode(LISTING, [rows[limit - 1]["consent_id"]]) if rows[limit:] else None
        return page(PartnerPageSchema(), rows[:limit], more)


@blp.route("/<uuid:client_id>")
class PartnerView(MethodView):
    """One partner."""

    @blp.response(204)
    @blp.operation("withdrawPartnerConsent", NotFound, CitizensOnly, StepUpRequired)
    @signed_in()
    def delete(self, client_id: UUID) -> None:
        """Withdraw consent

        At once: the partner's tokens are refused from its next request on. What it read before
        stays with it; ask the partner to delete it.
        """
        account_id = _proven()
        with db.transaction() as session:
            withdraw(session, account_id=account_id, client_id=client_id)
