"""An identity elsewhere, one that was removed, and tickets of both kinds under way."""

from citizen_cloud import clock, crypto, db
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.services import attempts, identities
from citizen_cloud.federation.services.attempts import Owed

WECHAT, ALIPAY, OPENID = "openid-canary-7391", "2088-canary-7391", "gov-canary-7391"
VALUES = (WECHAT, ALIPAY, OPENID)


def build(me):
    key = crypto.current().person_key("resident_id", me.number)
    with db.transaction() as session:
        for provider, subject in (("wechat", WECHAT), ("alipay", ALIPAY)):
            linked = identities.link(
                session,
                owed=Owed(provider=provider, subject=subject),
                account_id=me.account_id,
                title=TITLES[provider],
                now=clock.now(),
            )
        identities.remove(session, account_id=me.account_id, identity_id=linked, now=clock.now())
        for account_id, person_key in ((me.account_id, None), (None, key)):
            attempts.give_ticket(
                session,
                owed=Owed(provider="oidc", subject=OPENID),
                account_id=account_id,
                person_key=person_key,
            )
