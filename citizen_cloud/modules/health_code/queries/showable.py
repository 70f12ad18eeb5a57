"""What a code is given out by, read in one statement and held until the code is written.

The standing is locked against a change of colour, and the link against its end: whoever changes
either waits for the code, and then finds it and ends it. Nobody who only shows waits for anybody.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import PURPOSES

CONSENT = "health_code"


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks for a code, on which phone, and for whom."""

    account_id: UUID
    device_id: UUID
    person_id: UUID
    # The link that lets the caller act for the person; None in his own business.
    link_id: UUID | None = None
    # The person's own account, where the caller acts for somebody who has one.
    persons_account_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Showable:
    """What is known of a person who wants to show a code, at this instant."""

    at: datetime
    is_agreed: bool
    is_linked: bool
    colour: str
    next_change_at: datetime | None
    # The key of the phone that asks.
    key_id: UUID | None
    public_key: bytes | None
    # Whether the person, or whoever asks for him, has a phone registered anywhere.
    has_phone: bool

    @property
    def is_due(self) -> bool:
        """Return whether the colour turned by time and nobody wrote that down yet."""
        return self.next_change_at is not None and self.next_change_at <= self.at


_READ = text(
    """
    SELECT t.at, coalesce(s.colour, 'none') AS colour, s.next_change_at,
           k.id AS key_id, k.public_key,
           EXISTS (SELECT FROM accounts.consent c
                    WHERE c.account_id = :account_id AND c.purpose = :purpose
                      AND c.version = :version AND c.withdrawn_at IS NULL) AS is_agreed,
           cast(:link_id AS uuid) IS NULL
           OR EXISTS (SELECT FROM families.link l
                       WHERE l.id = :link_id AND l.status = 'active'
                         AND :purpose = ANY(l.scopes) FOR SHARE) AS is_linked,
           EXISTS (SELECT FROM credentials.device_key d
                    WHERE d.account_id = ANY(:accounts) AND d.ended_at IS NULL) AS has_phone
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      LEFT JOIN LATERAL (SELECT colour, next_change_at FROM health_code.standing
                          WHERE person_id = :person_id FOR SHARE) s ON true
      LEFT JOIN credentials.device_key k
        ON k.account_id = :account_id AND k.device_id = :device_id AND k.ended_at IS NULL
    """
)


def showable(session: Session, asking: Asking, *, now: datetime | None = None) -> Showable:
    """Return what a code is given out by; the caller writes the code in this transaction."""
    accounts = {asking.account_id, asking.persons_account_id} - {None}
    facts = {
        "account_id": asking.account_id,
        "device_id": asking.device_id,
        "person_id": asking.person_id,
        "link_id": asking.link_id,
        "accounts": list(accounts),
        "purpose": CONSENT,
        "version": PURPOSES[CONSENT].version,
        "now": now,
    }
    return _showable(session.execute(_READ, facts).one())


def _showable(row: Row[tuple[object, ...]]) -> Showable:
    return Showable(**row._mapping)  # noqa: SLF001 - the row's public view of its columns
