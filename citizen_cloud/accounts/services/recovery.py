"""Give an account a new phone after two staff saw its owner's document.

Who holds the old phone or a device of the account has lost it in the same moment: the phone is
replaced, every device removed and every sign-in ended in one transaction. Devices prove documents
one by one, so the new one stands at level 1 until the document is shown there as well.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.accounts.refusals import AccountNotLiving, PhoneFull
from citizen_cloud.accounts.rules.lifetimes import ACCOUNTS_PER_PHONE
from citizen_cloud.accounts.services import phones
from citizen_cloud.accounts.services.officials import Official, act_of
from citizen_cloud.accounts.services.people import seen_in_person
from citizen_cloud.audit.services import record
from citizen_cloud.jobs.services import announce

RECOVERED = "accounts.recovered"


_ACCOUNT = text(
    """
    SELECT id, status FROM accounts.account
     WHERE person_id = :person_id AND kind = 'citizen' AND status <> 'closed'
    """
)
# Weaker than FOR UPDATE on purpose: a sign-in that holds a phone's lock inserts rows that point at
# the account, and must get through before this transaction gets that lock.
_LOCK_ACCOUNT = text(
    """
    SELECT id, status, phone_sealed FROM accounts.account
     WHERE person_id = :person_id AND kind = 'citizen' AND status <> 'closed'
       FOR NO KEY UPDATE
    """
)
_CHANGE = (
    text(
        """
        UPDATE accounts.account
           SET phone_sealed = :phone_sealed, phone_index = :phone_index, failures = 0,
               locked_until = NULL
         WHERE id = :id
        """
    ),
    # Sign-ins before devices, as a refresh under way locks them.
    text(
        """
        UPDATE accounts.sign_in
           SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = 'recovered'
         WHERE account_id = :id AND revoked_at IS NULL
        """
    ),
    text(
        """
        UPDATE accounts.device SET removed_at = coalesce(:now, statement_timestamp())
         WHERE account_id = :id AND removed_at IS NULL
        """
    ),
)


def living_account(session: Session, *, person_id: UUID) -> UUID:
    """Return the account a person signs in to. Raises ``AccountNotLiving`` with the reason."""
    return _living(session.execute(_ACCOUNT, {"person_id": person_id}).first())


def account_of(session: Session, *, person_id: UUID) -> UUID | None:
    """Return the account whose inbox tells the person, suspended or not; None without one."""
    found = session.execute(_ACCOUNT, {"person_id": person_id}).first()
    return found.id if found else None


def _living(row: Row[tuple[UUID, str]] | None) -> UUID:
    if row is None:
        raise AccountNotLiving(reason="none")
    if row.status != "active":
        raise AccountNotLiving(reason=row.status)
    account_id: UUID = row.id
    return account_id


def check_room(session: Session, *, phone: str, account_id: UUID) -> None:
    """Let pass a phone with a place for this account. Raises ``PhoneFull``."""
    others = [row for row in phones.accounts_of(session, phone) if row["id"] != account_id]
    if len(others) >= ACCOUNTS_PER_PHONE:
        raise PhoneFull


def recover(
    session: Session,
    *,
    person_id: UUID,
    phone: str,
    official: Official,
    now: datetime | None = None,
) -> UUID:
    """Move a person's account to a proven phone and return its id; level 3 from now on.

    Announces ``accounts.recovered``, so that rooms above end what else opens the account. Raises
    ``AccountNotLiving`` or ``PhoneFull``.
    """
    row = session.execute(_LOCK_ACCOUNT, {"person_id": person_id}).first()
    account_id = _living(row)
    _lock_phones(session, account_id, row.phone_sealed if row else None, phone)
    check_room(session, phone=phone, account_id=account_id)
    rings = crypto.current()
    facts = {
        "id": account_id,
        "phone_sealed": rings.seal(phone, place=phone_place(account_id)),
        "phone_index": rings.lookup("phone", phone),
        "now": now,
    }
    for statement in _CHANGE:
        session.execute(statement, facts)
    seen_in_person(session, person_id=person_id, now=now)
    news = {"account_id": account_id, "person_id": person_id}
    announce(session, RECOVERED, news, lane="urgent")
    record(session, act_of(official, "recovered", "account", account_id))
    return account_id


def _lock_phones(session: Session, account_id: UUID, sealed: bytes | None, phone: str) -> None:
    """Wait for sign-ins by the old and the new phone under way, so that none outlives this.

    The locks are those of ``citizens.sign_in``, taken in one order.
    """
    numbers = {phone}
    if sealed is not None:
        numbers.add(crypto.current().open(sealed, place=phone_place(account_id)))
    phones.lock(session, *numbers)
