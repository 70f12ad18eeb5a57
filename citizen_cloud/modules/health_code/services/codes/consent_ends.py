"""Consent was taken back: every code that was given out by it ends, also those out of our reach."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services.consents import holds
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services.issuing import PHONE
from citizen_cloud.modules.health_code.services.codes import papers, shares
from citizen_cloud.modules.health_code.services.codes.papers import Giver

_PERSON = text("SELECT person_id FROM accounts.account WHERE id = :account_id")
# Who has no account agreed through whoever acts: what is on these phones went out by this consent.
_WARDS = text(
    """
    SELECT DISTINCT c.holder_id
      FROM credentials.device_key k
      JOIN credentials.credential c ON c.device_key_id = k.id AND c.revoked_at IS NULL
     WHERE k.account_id = :account_id AND NOT EXISTS (
           SELECT FROM accounts.account a
            WHERE a.person_id = c.holder_id AND a.status <> 'closed')
    """
)


def end_given(session: Session, *, account_id: UUID, now: datetime | None = None) -> None:
    """End the codes of an account's person, on phones and paper, and shares; agreed again: none.

    Whoever asks for a code holds the consent until it is written, so none comes behind this.
    """
    if holds(session, account_id=account_id, purpose=HEALTH_CODE):
        return
    asked = {"account_id": account_id}
    person_id = session.scalar(_PERSON, asked)
    shares.revoke_of(session, account_id=account_id, person_id=person_id, now=now)
    wards = list(session.scalars(_WARDS, asked))
    if wards:
        credentials.revoke_held_by(
            session, account_id=account_id, holders=wards, types=(PHONE,), now=now
        )
    if person_id is None:
        return
    credentials.revoke_held(session, holders=[person_id], types=(PHONE,), now=now)
    giver = Giver(kind="citizen", account_id=account_id)
    papers.withdraw(session, person_id=person_id, giver=giver, now=now)
