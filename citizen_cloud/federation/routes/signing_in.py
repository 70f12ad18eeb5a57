"""Signing in through a provider."""

from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import AccountSuspended
from citizen_cloud.accounts.schemas.sign_in import TokensSchema
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.errors import Invalid, Refusal, TooMany
from citizen_cloud.federation.providers import Provider, Redirecting, offered, provider_of
from citizen_cloud.federation.refusals import (
    FederatedCodeInvalid,
    LinkRequired,
    ProviderUnavailable,
    ProviderUnknown,
    StartNotNeeded,
)
from citizen_cloud.federation.rules import Started, challenge_of
from citizen_cloud.federation.schemas import (
    FederatedProvidersSchema,
    FederatedStartedSchema,
    FederatedStartSchema,
    FederatedTokenSchema,
)
from citizen_cloud.federation.services import attempts
from citizen_cloud.federation.services.signing_in import Arrival, sign_in
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import limited, public

blp = Blueprint(
    "federation",
    url_prefix="/auth",
    description="第三方登录 Signing in through WeChat, Alipay, a government platform",
)
Sent = dict[str, Any]


@blp.route("/providers")
class ProvidersView(MethodView):
    """Who else may vouch for a citizen."""

    @blp.response(200, FederatedProvidersSchema)
    @blp.operation("listFederatedProviders")
    @public
    def get(self) -> Sent:
        """List the providers to sign in through

        Those this installation offers; there may be none. The list is short and comes whole.
        """
        return {
            "items": [
                {"provider": each.name, "kind": each.kind, "title": each.title.as_json()}
                for each in offered()
            ]
        }


@blp.route("/federated/start")
class FederatedStartView(MethodView):
    """On the way to a provider."""

    @blp.arguments(FederatedStartSchema)
    @blp.response(200, FederatedStartedSchema)
    @blp.operation(
        "startFederatedSignIn", ProviderUnknown, StartNotNeeded, ProviderUnavailable, TooMany
    )
    @limited("60/minute", by="address")
    @public
    def post(self, sent: Sent) -> Sent:
        """Begin a sign-in at a provider's own pages

        For providers of kind `redirect`. Keep `state`, open `authorize_url` in the system's
        browser; the provider comes back to the app with `code` and `state`. Refuse an answer whose
        `state` is not the one that was kept, then send both to `POST /auth/federated/token` within
        ten minutes.
        """
        provider = provider_of(sent["provider"])
        if not isinstance(provider, Redirecting):
            raise StartNotNeeded
        state, started = attempts.draw()
        # No connection is held while the provider is asked for its addresses.
        url = provider.authorize_url(
            state=state, nonce=started.nonce, challenge=challenge_of(started.verifier)
        )
        with db.transaction() as session:
            given = attempts.begin(session, provider=provider.name, state=state, started=started)
        return {"authorize_url": url, "state": state, "expires_at": given.expires_at}


@blp.route("/federated/token")
class FederatedTokenView(MethodView):
    """Tokens for a provider's code."""

    @blp.arguments(FederatedTokenSchema)
    @blp.response(200, TokensSchema)
    @blp.operation(
        "createFederatedToken",
        ProviderUnknown,
        FederatedCodeInvalid,
        LinkRequired,
        AccountSuspended,
        ProviderUnavailable,
        TooMany,
    )
    @limited("60/minute", by="address")
    @public
    def post(self, sent: Sent) -> Sent:
        """Sign in with a provider's code

        `{"provider": "wechat", "code": "…", "device": {"name": "…"}}`; a `redirect` provider also
        needs `state`. The answer is that of `POST /auth/token`, `device` included.

        An identity nobody is linked to gets 409 `link_required` with `link_ticket`: sign in by
        code, complete the real-name step, then `POST /me/federated-identities` with the ticket.
        Send `device: {id, secret}` only if it belongs to the account that will be linked: the
        ticket is then for that account alone.

        Such a sign-in stands at level 1 on a device where the document was not shown, and does not
        count as fresh for doors that ask for factors shown just now.
        """
        provider = provider_of(sent["provider"])
        started = _started(provider, sent)
        now = clock.now()
        # No connection is held while the provider thinks.
        arrival = Arrival(
            provider=provider.name,
            title=provider.title,
            vouched=provider.exchange(sent["code"], started=started, now=now),
            device=_proof(sent),
            device_name=sent.get("device", {}).get("name"),
        )
        with db.transaction() as session:
            issued = sign_in(session, arrival=arrival, now=now)
        # Only here, after the transaction that kept the ticket.
        if isinstance(issued, Refusal):
            raise issued
        device = {name: value for name, value in asdict(issued.device).items() if value is not None}
        return {**asdict(issued), "device": device, "token_type": "Bearer"}


def _started(provider: Provider, sent: Sent) -> Started | None:
    """Return what was kept for a state, which is used up by this. A start belongs to redirects."""
    is_redirect = isinstance(provider, Redirecting)
    if is_redirect != ("state" in sent):
        fault = "required" if is_redirect else "unknown_field"
        raise Invalid(errors=[{"pointer": "/state", "code": fault}])
    if not is_redirect:
        return None
    with db.statement() as connection:
        started = attempts.take_start(connection, provider=provider.name, state=sent["state"])
    if started is None:
        raise FederatedCodeInvalid
    return started


def _proof(sent: Sent) -> DeviceProof | None:
    device = sent.get("device", {})
    return DeviceProof(id=device["id"], secret=device["secret"]) if "id" in device else None
