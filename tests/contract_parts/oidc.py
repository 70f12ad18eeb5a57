"""A partner that asked the owner, and has an older yes of his."""

import partners
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.oidc.queries.clients import registered
from citizen_cloud.oidc.services.requests import Asked, keep_request, open_request


def build(city):
    site = partners.register(city.facts["outlet"])
    owner = city["owner"].someone
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO oidc.consent (client_id, account_id, scopes) "
                "VALUES (:client, :account, '{openid}')"
            ),
            {"client": site.id, "account": owner.account_id},
        )
        asked = Asked(
            redirect_uri=partners.CALLBACK,
            scopes=("openid", "phone"),
            code_challenge=partners.challenge(),
        )
        request_id = keep_request(session, client=registered(session, site.id), asked=asked)
        open_request(session, request_id=request_id, account_id=owner.account_id)
    city.ids |= {"request_id": str(request_id), "client_id": str(site.id)}


OWNERS = {"request_id": {"owner"}}
OWNERS_IN = {("withdrawPartnerConsent", "client_id"): {"owner"}}


def _is_no_citizen(actor):
    return actor.role != "citizen"


KIND = {
    # Staff and systems have no data that partners could ask for.
    "getAuthorizationRequest": _is_no_citizen,
    "decideAuthorizationRequest": _is_no_citizen,
    "listPartners": _is_no_citizen,
    "withdrawPartnerConsent": _is_no_citizen,
}
BODIES = {
    "decideAuthorizationRequest": lambda _: {"granted": True, "scopes": ["openid"]},
    "registerOidcClient": lambda city: {
        "type": "web",
        "name": {"zh": "海天医院", "en": "Haitian Hospital"},
        "purpose": {"zh": "登录", "en": "To sign in"},
        "organisation_id": city.facts["outlet"],
        "redirect_uris": [partners.CALLBACK],
        "scopes": ["openid", "phone"],
    },
}
PEERS = {"neighbour": ("request_id",), "newcomer": ("request_id",)}
EXCUSED = {
    "registerOidcClient": "which scopes and addresses fit depends on the type of client",
    "changeOidcClient": "likewise",
    "decideAuthorizationRequest": "nothing is agreed to that was not asked for",
}
