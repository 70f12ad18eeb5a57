"""Whose health a door speaks of, and that he agreed to it."""

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services.consents import require_consent
from citizen_cloud.web.caller import Identity, caller, represented, subject


def whose(session: Session | Connection) -> Identity:
    """Return the person this is about, for doors of level 2. Raises ``ConsentRequired``.

    Who has an account agrees there himself; for who has none, the one who acts agrees.
    """
    me, someone = caller(), represented()
    account_id = (someone.account_id if someone else None) or me.account_id
    require_consent(session, account_id=account_id, purpose=HEALTH_CODE)
    return subject() or me.person
