"""The consent screen: what a partner asks for, and the citizen's answer."""

from typing import Any, cast
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.services import SignedIn
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.oidc.issuer import issuer
from citizen_cloud.oidc.queries.partners import agreed_scopes
from citizen_cloud.oidc.refusals import CitizensOnly, RequestOver, ScopeNotAsked
from citizen_cloud.oidc.schemas.partners import (
    AuthorizationRequestSchema,
    DecisionAnswerSchema,
    DecisionSchema,
)
from citizen_cloud.oidc.services.decisions import Decision, decide
from citizen_cloud.oidc.services.previews import Preview, preview
from citizen_cloud.oidc.services.requests import open_request
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.marks import limited, signed_in

blp = Blueprint(
    "oauth",
    url_prefix="/oauth",
    description="合作方登录授权 · Answering a partner's sign-in request",
)


def citizen() -> SignedIn:
    """Return the caller, who must be a citizen. Raises ``CitizensOnly``."""
    if caller().kind != "citizen":
        raise CitizensOnly
    return cast("SignedIn", caller())


@blp.route("/requests/<uuid:request_id>")
class AuthorizationRequestView(MethodView):
    """A partner's request."""

    @blp.response(200, AuthorizationRequestSchema)
    @blp.operation("getAuthorizationRequest", NotFound, CitizensOnly, RequestOver)
    @limited("60/minute", by="account")
    @signed_in()
    def get(self, request_id: UUID) -> dict[str, Any]:
        """Show what a partner asks for

        The id is what the browser brings to the app as `request`. Whoever opens it first keeps it:
        to every other account it is not there. Values are masked. `step_up` says what has to be
        proven before agreeing; scopes with `is_available: false` need the real-name step.
        """
        known = citizen()
        with db.transaction() as session:
            opened = open_request(session, request_id=request_id, account_id=known.account_id)
            agreed: frozenset[str] = frozenset()
            if known.identity is not None or not known.has_person:
                agreed = agreed_scopes(
                    session, account_id=known.account_id, client_id=opened.client_id
                )
            shown = preview(opened, known, agreed)
        return _json(shown)


def _json(shown: Preview) -> dict[str, Any]:
    names = ("id", "client_id", "name", "purpose", "organisation_id", "organisation", "expires_at")
    return {
        **{name: getattr(shown.opened, name) for name in names},
        "scopes": shown.scopes,
        "agreed_before": shown.agreed_before,
        "step_up": shown.step_up,
    }


@blp.route("/requests/<uuid:request_id>/decision")
class DecisionView(MethodView):
    """The answer."""

    @blp.arguments(DecisionSchema)
    @blp.response(200, DecisionAnswerSchema)
    @blp.operation(
        "decideAuthorizationRequest",
        NotFound,
        CitizensOnly,
        RequestOver,
        ScopeNotAsked,
        StepUpRequired,
    )
    @limited("60/minute", by="account")
    @signed_in()
    def post(self, sent: dict[str, Any], request_id: UUID) -> dict[str, str]:
        """Answer a partner

        Once: a second answer is 409. Send the browser that asked to `redirect_to`. With
        `granted: false` the partner learns that the citizen said no, and nothing else.
        """
        known = citizen()
        decision = Decision(granted=sent["granted"], scopes=tuple(sent["scopes"]))
        with db.transaction() as session:
            address = decide(
                session,
                request_id=request_id,
                caller=known,
                decision=decision,
                issuer=issuer().url,
            )
        return {"redirect_to": address}
