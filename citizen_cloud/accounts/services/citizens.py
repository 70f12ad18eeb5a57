"""Sign a citizen in whose phone a code has proven; an unknown phone gets its account here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import mask_name, name_place, phone_place
from citizen_cloud.accounts.refusals import AccountChoiceRequired, AccountSuspended, PhoneFull
from citizen_cloud.accounts.rules.lifetimes import ACCOUNTS_PER_PHONE
from citizen_cloud.accounts.services import devices, otp_tries, sign_ins
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.db import new_id
from citizen_cloud.text import Language

AMR = "sms"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Which account the citizen wants, and from which device."""

    account_id: UUID | None = None
    new_account: bool = False
    device: DeviceProof | None = None
    device_name: str | None = None
    language: Language = "zh"


_LOCK = text("SELECT pg_advisory_xact_lock(n) FROM unnest(cast(:numbers AS bigint[])) AS n")
_OF_PHONE = text(
    """
    SELECT a.id, a.status, a.person_id, p.name_sealed
      FROM accounts.account a LEFT JOIN accounts.person p ON p.id = a.person_id
     WHERE a.phone_index = ANY(:phones) AND a.kind = 'citizen' AND a.status <> 'closed'
     ORDER BY a.id
    """
)
_CREATE = text(
    """
    INSERT INTO accounts.account (id, kind, phone_sealed, phone_index, language)
    VALUES (:id, 'citizen', :phone_sealed, :phone_index, :language)
    """
)


def sign_in(
    session: Session, *, proven: ProvenPhone, wish: Wish, now: datetime | None = None
) -> Issued:
    """Spend the challenge and sign in to the phone's account, created where there is none.

    Raises ``OtpInvalid`` when another try was first, ``AccountChoiceRequired`` (nothing is spent
    then), ``PhoneFull``, ``AccountSuspended``.
    """
    otp_tries.spend(session, challenge_id=proven.challenge_id, now=now)
    account_id = _account(session, proven.phone, wish)
    device = devices.recognise_or_add(
        session, account_id=account_id, proof=wish.device, name=wish.device_name, now=now
    )
    return sign_ins.open_sign_in(
        session, account_id=account_id, kind="citizen", device=device, amr=AMR, now=now
    )


def _account(session: Session, phone: str, wish: Wish) -> UUID:
    rings = crypto.current()
    # Two challenges of one unknown phone may arrive together: one of them creates the account.
    session.execute(_LOCK, {"numbers": rings.lock_numbers("phone.lock", phone)})
    indexes = rings.lookups_of("phone", phone)
    found = session.execute(_OF_PHONE, {"phones": indexes}).mappings().all()
    if wish.new_account or (not found and wish.account_id is None):
        if len(found) >= ACCOUNTS_PER_PHONE:
            raise PhoneFull
        return _create(session, phone, wish.language)
    chosen = [row for row in found if wish.account_id in (None, row["id"])]
    if len(chosen) != 1:
        raise AccountChoiceRequired(accounts=[_choice(row) for row in found])
    if chosen[0]["status"] == "suspended":
        raise AccountSuspended
    account_id: UUID = chosen[0]["id"]
    return account_id


def _choice(row: RowMapping) -> dict[str, str]:
    name = ""
    if row["name_sealed"] is not None:
        place = name_place(row["person_id"])
        name = mask_name(crypto.current().open(row["name_sealed"], place=place))
    return {"id": str(row["id"]), "name": name}


def _create(session: Session, phone: str, language: Language) -> UUID:
    rings = crypto.current()
    account_id = new_id()
    session.execute(
        _CREATE,
        {
            "id": account_id,
            "phone_sealed": rings.seal(phone, place=phone_place(account_id)),
            "phone_index": rings.lookup("phone", phone),
            "language": language,
        },
    )
    return account_id
