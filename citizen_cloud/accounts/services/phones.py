"""Numbers change: a citizen takes another one, a carrier gives an old one to somebody else.

A number serves at most two accounts. Whoever needs a third takes the place of an account that
was not seen for as long as carriers leave a number unused; its person comes back by document,
at a counter. Health data never moves with a number: it hangs on the person.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.accounts.refusals import PhoneFull, PhoneMissing
from citizen_cloud.accounts.rules.lifetimes import ACCOUNTS_PER_PHONE, PHONE_IDLE
from citizen_cloud.accounts.services import otp_tries, sign_ins
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.audit.services import Act, record
from citizen_cloud.jobs.services import announce

CHANGED = "accounts.phone_changed"
GIVEN_UP = "accounts.phone_given_up"

_LOCK = text("SELECT pg_advisory_xact_lock(n) FROM unnest(cast(:numbers AS bigint[])) AS n")
_OF_PHONE = text(
    """
    SELECT a.id, a.status, a.person_id, p.name_sealed
      FROM accounts.account a LEFT JOIN accounts.person p ON p.id = a.person_id
     WHERE a.phone_index = ANY(:phones) AND a.kind = 'citizen' AND a.status <> 'closed'
     ORDER BY a.id
    """
)


def lock(session: Session, *phones: str) -> None:
    """Wait for whoever gives one of these numbers an account, and let nobody until the commit.

    All are taken in one order, so that two who want the same ones do not wait for each other.
    """
    rings = crypto.current()
    numbers = {n for phone in phones for n in rings.lock_numbers("phone.lock", phone)}
    session.execute(_LOCK, {"numbers": sorted(numbers)})


def accounts_of(session: Session, phone: str) -> Sequence[RowMapping]:
    """Lock a number and return its living accounts; until the commit nobody else gives it one."""
    lock(session, phone)
    asked = {"phones": crypto.current().lookups_of("phone", phone)}
    return session.execute(_OF_PHONE, asked).mappings().all()


_IDLE = text(
    """
    SELECT a.id FROM accounts.account a
      LEFT JOIN accounts.device d ON d.account_id = a.id
     WHERE a.id = ANY(:ids)
     GROUP BY a.id, a.created_at
    HAVING coalesce(max(d.last_seen_at), a.created_at)
           <= coalesce(cast(:now AS timestamptz), statement_timestamp()) - :idle
     ORDER BY coalesce(max(d.last_seen_at), a.created_at) LIMIT 1
    """
)
_DETACH = text("UPDATE accounts.account SET phone_sealed = NULL, phone_index = NULL WHERE id = :id")


def make_room(
    session: Session, *, accounts: Sequence[RowMapping], now: datetime | None = None
) -> None:
    """See that one more account may use a number whose accounts these are; it is locked.

    Of a full number's accounts the one that was away longest gives it up, if no device of its was
    seen for 90 days: its sign-ins end and its inbox says why. Raises ``PhoneFull``.
    """
    if len(accounts) < ACCOUNTS_PER_PHONE:
        return
    asked = {"ids": [row["id"] for row in accounts], "idle": PHONE_IDLE, "now": now}
    account_id = session.scalar(_IDLE, asked)
    if account_id is None:
        raise PhoneFull
    session.execute(_DETACH, {"id": account_id})
    sign_ins.end_others(session, account_id=account_id, keep=None, reason="phone_given_up", now=now)
    record(session, _act("phone_given_up", "system", None, account_id))
    announce(session, GIVEN_UP, {"account_id": account_id}, lane="urgent")


_READ = text("SELECT phone_sealed, language FROM accounts.account WHERE id = :id")
_CHANGE = text(
    "UPDATE accounts.account SET phone_sealed = :sealed, phone_index = :index WHERE id = :id"
)


def phone_of(account_id: UUID, sealed: bytes | None) -> str:
    """Return an account's own number. Raises ``PhoneMissing`` where it has none."""
    if sealed is None:
        raise PhoneMissing
    return crypto.current().open(sealed, place=phone_place(account_id))


def change_phone(
    session: Session,
    *,
    account_id: UUID,
    sign_in_id: UUID,
    proven: ProvenPhone,
    now: datetime | None = None,
) -> None:
    """Spend the challenge and move the account to the number it proves.

    Every other sign-in ends, one by the old number that is under way included; the old number and
    the inbox are told. Changing to the number in use changes nothing. Raises ``OtpInvalid`` when
    the code is spent, ``PhoneFull``, ``Unauthenticated`` when the sign-in ended meanwhile.
    """
    sign_ins.require_live(session, account_id=account_id, sign_in_id=sign_in_id)
    otp_tries.spend(session, challenge_id=proven.challenge_id, now=now)
    old = session.execute(_READ, {"id": account_id}).one()
    old_phone = None if old.phone_sealed is None else phone_of(account_id, old.phone_sealed)
    lock(session, *(phone for phone in (old_phone, proven.phone) if phone is not None))
    accounts = accounts_of(session, proven.phone)
    if account_id in {row["id"] for row in accounts}:
        return
    make_room(session, accounts=accounts, now=now)
    rings = crypto.current()
    sealed = rings.seal(proven.phone, place=phone_place(account_id))
    index = rings.lookup("phone", proven.phone)
    session.execute(_CHANGE, {"id": account_id, "sealed": sealed, "index": index})
    sign_ins.end_others(
        session, account_id=account_id, keep=sign_in_id, reason="phone_changed", now=now
    )
    record(session, _act("phone_changed", "citizen", account_id, account_id))
    secret = None
    if old_phone is not None:
        secret = {"phone": old_phone, "language": old.language}
    announce(session, CHANGED, {"account_id": account_id}, secret=secret, lane="urgent")


def _act(verb: str, actor_kind: str, actor_id: UUID | None, account_id: UUID) -> Act:
    return Act(
        actor_kind=actor_kind,
        actor_id=actor_id,
        action=f"accounts.{verb}",
        object_type="account",
        object_id=account_id,
    )
