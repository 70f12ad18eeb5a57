"""Providers that vouch for whoever the code names, an identity of the owner's, and a ticket."""

from citizen_cloud import clock, db
from citizen_cloud.federation import providers, queries
from citizen_cloud.federation.refusals import FederatedCodeInvalid
from citizen_cloud.federation.rules import TITLES, Vouched
from citizen_cloud.federation.services import attempts, identities
from citizen_cloud.federation.services.attempts import Owed

LINKED = "wx-of-the-owner"


class Believing:
    """Takes a code for the subject itself; every other code is wrong."""

    kind = "mini_program"

    def __init__(self, name):
        self.name = name
        self.title = TITLES[name]

    def exchange(self, code, *, started, now):
        if code != LINKED:
            raise FederatedCodeInvalid
        return Vouched(subject=code)


class Elsewhere(Believing):
    kind = "redirect"

    def authorize_url(self, *, state, nonce, challenge):
        return f"https://id.example.gov.cn/authorize?state={state}"


def build(city):
    providers.install([Believing("wechat"), Believing("alipay"), Elsewhere("oidc")])
    owner = city["owner"].someone
    with db.transaction() as session:
        identities.link(
            session,
            owed=Owed(provider="wechat", subject=LINKED),
            account_id=owner.account_id,
            title=TITLES["wechat"],
            now=clock.now(),
        )
        (linked,) = queries.own_identities(
            session, account_id=owner.account_id, before=None, limit=1
        )
        given = attempts.give_ticket(
            session,
            owed=Owed(provider="alipay", subject="open_id:1"),
            account_id=None,
            person_key=None,
        )
    city.ids["identity_id"] = str(linked["id"])
    city.facts["link_ticket"] = given.token


BODIES = {
    "startFederatedSignIn": lambda _: {"provider": "oidc"},
    "createFederatedToken": lambda _: {"provider": "wechat", "code": LINKED},
    "linkFederatedIdentity": lambda city: {"link_ticket": city.facts["link_ticket"]},
}
OWNERS = {"identity_id": {"owner"}}
PEERS = {"neighbour": ("identity_id",), "newcomer": ("identity_id",)}
EXCUSED = {
    "startFederatedSignIn": "only a redirect has a start",
    "createFederatedToken": "a state belongs to a redirect, and half a device is none",
    "linkFederatedIdentity": "a generated ticket was not given here",
}
