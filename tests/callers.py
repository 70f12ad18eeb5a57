"""Accounts that are signed in, written straight into the tables: for rooms above accounts."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts import tokens
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.accounts.models import Account, Device, SignIn
from citizen_cloud.db import new_id
from citizen_cloud.organisations.models import Membership


@dataclass(frozen=True)
class SignedIn:
    """One account and what it sends with every request."""

    account_id: UUID
    headers: dict[str, str]


def citizen(phone="+8613800000000", language="zh"):
    """Return a citizen of level 1, signed in."""
    account_id = new_id()
    sealed = crypto.current().seal(phone, place=phone_place(account_id)) if phone else None
    with db.transaction() as session:
        session.add(Account(id=account_id, kind="citizen", phone_sealed=sealed, language=language))
        session.flush()
        return _signed_in(session, account_id)


def staff(*roles, kind="staff"):
    """Return a staff account with roles: ``"admin"``, or ``("manager", organisation_id)``."""
    account_id = new_id()
    with db.transaction() as session:
        session.add(Account(id=account_id, kind=kind, username=f"u{secrets.token_hex(6)}"))
        session.flush()
        for role in roles:
            name, place = (role, None) if isinstance(role, str) else role
            session.add(Membership(account_id=account_id, organisation_id=place, role=name))
        return _signed_in(session, account_id)


def _signed_in(session, account_id):
    now = clock.now()
    device = Device(id=new_id(), account_id=account_id, secret_hash=b"-")
    session.add(device)
    session.flush()
    sign_in = SignIn(
        id=new_id(),
        account_id=account_id,
        device_id=device.id,
        amr="sms",
        refresh_hash=secrets.token_bytes(32),
        expires_at=now.replace(year=now.year + 1),
    )
    session.add(sign_in)
    session.flush()
    token = tokens.issue(account_id=account_id, sign_in_id=sign_in.id, now=now)
    return SignedIn(account_id, {"Authorization": f"Bearer {token}"})
