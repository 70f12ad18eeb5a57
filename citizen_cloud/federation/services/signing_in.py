"""Sign in whom a provider vouched for, or say what is missing.

A linked identity opens its account at level 1, as a phone does; the document's level counts on a
device where the document was proven. Only an upstream that proves documents itself (level 2, with
number and name) proves it here too, and finds the account of a person who is known already. It
never makes a person, and what does not match looks like somebody nobody knows.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import clock
from citizen_cloud.accounts.refusals import (
    AccountSuspended,
    ConsentRequired,
    IdNumberInvalid,
    NameInvalid,
)
from citizen_cloud.accounts.rules.consents import REAL_NAME
from citizen_cloud.accounts.services import consents, devices, real_name, sign_ins, vouched
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.errors import Refusal
from citizen_cloud.federation.refusals import IdentityInUse, LinkRequired, ProviderAlreadyLinked
from citizen_cloud.federation.rules import Vouched
from citizen_cloud.federation.services import attempts, identities
from citizen_cloud.federation.services.attempts import Owed
from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Somebody who comes back from a provider, and the device they come with."""

    provider: str
    title: Text
    vouched: Vouched
    device: DeviceProof | None = None
    device_name: str | None = None

    @property
    def owed(self) -> Owed:
        """Return the identity itself."""
        return Owed(provider=self.provider, subject=self.vouched.subject)


def sign_in(session: Session, *, arrival: Arrival, now: datetime) -> Issued | Refusal:
    """Open a sign-in for a linked identity; return ``LinkRequired`` with a ticket for any other.

    The ticket must be kept, so that refusal is returned and raised after the commit. Raises
    ``AccountSuspended``.
    """
    claim = _claim(arrival.vouched, now)
    account_id = _linked(session, arrival, claim, now)
    if account_id is None and claim is not None:
        account_id = _known(session, arrival, claim, now)
    if account_id is None:
        return _ticket(session, arrival, claim, now)
    device = devices.recognise_or_add(
        session, account_id=account_id, proof=arrival.device, name=arrival.device_name
    )
    if claim is not None and _proven(session, claim) == account_id:
        real_name.prove(
            session,
            account_id=account_id,
            device_id=device.id,
            claim=claim,
            verified_by=arrival.provider,
            is_fresh=arrival.vouched.is_fresh,
        )
    return sign_ins.open_sign_in(
        session,
        account_id=account_id,
        kind="citizen",
        device=device,
        amr=arrival.provider,
        fresh=arrival.vouched.is_fresh,
    )


def _claim(said: Vouched, now: datetime) -> Claim | None:
    """Return the document the provider proved, if its form is one of ours."""
    if said.document is None or said.level < real_name.LEVEL:
        return None
    given = said.document
    try:
        return real_name.claim(
            document_type=given.document_type,
            number=given.number,
            name=given.name,
            today=clock.local_day(now),
        )
    except (IdNumberInvalid, NameInvalid):
        return None


def _linked(session: Session, arrival: Arrival, claim: Claim | None, now: datetime) -> UUID | None:
    """Return the account an identity is linked to.

    A provider may give a subject to its next holder, as networks do with phone numbers. One that
    vouches for another document than the account's is no longer this person: the link ends.
    """
    used = identities.use(session, owed=arrival.owed, now=now)
    if used is None:
        return None
    if claim is not None and vouched.is_anothers(session, account_id=used.account_id, claim=claim):
        identities.remove(
            session,
            account_id=used.account_id,
            identity_id=used.id,
            title=arrival.title,
            reason="other_person",
            now=now,
        )
        return None
    if used.status == "suspended":
        raise AccountSuspended
    return used.account_id


def _known(session: Session, arrival: Arrival, claim: Claim, now: datetime) -> UUID | None:
    """Link the identity to the account of the person it was proven to be, if there is one."""
    account_id = _proven(session, claim)
    if account_id is None:
        return None
    try:
        identities.link(
            session, owed=arrival.owed, account_id=account_id, title=arrival.title, now=now
        )
    except (IdentityInUse, ProviderAlreadyLinked):
        return None
    return account_id


def _proven(session: Session, claim: Claim) -> UUID | None:
    """Return whose account a vouched document proves, if its person agrees to the step at all."""
    account_id = vouched.account_of(session, claim=claim)
    if account_id is None:
        return None
    try:
        consents.require_consent(session, account_id=account_id, purpose=REAL_NAME)
    except ConsentRequired:
        return None
    return account_id


def _ticket(session: Session, arrival: Arrival, claim: Claim | None, now: datetime) -> LinkRequired:
    bound_to = devices.account_of(session, proof=arrival.device) if arrival.device else None
    given = attempts.give_ticket(
        session,
        owed=arrival.owed,
        account_id=bound_to,
        person_key=vouched.person_key(claim) if claim else None,
        now=now,
    )
    return LinkRequired(link_ticket=given.token, expires_at=given.expires_at)
