"""Yes and no to a purpose; what was said stays written down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import ConsentOutdated, ConsentRequired
from citizen_cloud.accounts.rules.consents import PURPOSES, REAL_NAME, Purpose
from citizen_cloud.audit.services import Act, record
from citizen_cloud.jobs.services import announce

# What somebody agreed to goes on without him nowhere.
WITHDRAWN = "accounts.consent_withdrawn"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """A purpose and what the citizen said to its present version."""

    purpose: Purpose
    granted_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def granted(self) -> bool:
        """Return whether it holds now."""
        return self.granted_at is not None and self.withdrawn_at is None


_OF = text(
    """
    SELECT purpose, version, granted_at, withdrawn_at FROM accounts.consent
     WHERE account_id = :account_id
    """
)
_GRANT = text(
    """
    INSERT INTO accounts.consent AS c (account_id, purpose, version, granted_at)
    VALUES (:account_id, :purpose, :version, coalesce(:now, statement_timestamp()))
    ON CONFLICT (account_id, purpose, version) DO UPDATE
       SET granted_at = CASE WHEN c.withdrawn_at IS NULL THEN c.granted_at
                             ELSE excluded.granted_at END,
           withdrawn_at = NULL
    RETURNING granted_at, withdrawn_at
    """
)
_WITHDRAW = text(
    """
    UPDATE accounts.consent SET withdrawn_at = coalesce(:now, statement_timestamp())
     WHERE account_id = :account_id AND purpose = :purpose AND withdrawn_at IS NULL
    """
)
# No new business in a name whose use was taken back: every device stands at level 1 again.
_FORGET_PROOFS = text("UPDATE accounts.device SET proven_at = NULL WHERE account_id = :account_id")
# A row per answer, for ever as long as the account is there.
_END_RECEIPTS = text(
    """
    UPDATE accounts.consent_receipt SET withdrawn_at = :at
     WHERE account_id = :account_id AND purpose = :purpose AND granted AND withdrawn_at IS NULL
    """
)
_RECEIPT = text(
    """
    INSERT INTO accounts.consent_receipt
           (account_id, purpose, version, granted, text_digest, method, at)
    VALUES (:account_id, :purpose, :version, :granted, :digest, :method,
            coalesce(:now, statement_timestamp()))
    RETURNING at
    """
)


def consents_of(session: Session | Connection, *, account_id: UUID) -> list[Consent]:
    """Return every purpose with the citizen's answer to its present version."""
    rows = session.execute(_OF, {"account_id": account_id}).all()
    said = {(row.purpose, row.version): row for row in rows}
    return [
        Consent(purpose=purpose, granted_at=row.granted_at, withdrawn_at=row.withdrawn_at)
        if (row := said.get((purpose.name, purpose.version)))
        else Consent(purpose=purpose)
        for purpose in PURPOSES.values()
    ]


_HOLDS = text(
    """
    SELECT 1 FROM accounts.consent
     WHERE account_id = :account_id AND purpose = :purpose AND withdrawn_at IS NULL
    """
)


def holds(session: Session, *, account_id: UUID, purpose: str) -> bool:
    """Return whether a yes to any version of a purpose was not taken back."""
    asked = {"account_id": account_id, "purpose": purpose}
    return session.scalar(_HOLDS, asked) is not None


def require_consent(session: Session | Connection, *, account_id: UUID, purpose: str) -> None:
    """Let pass who agreed to the present version. Raises ``ConsentRequired`` with its number."""
    found = {
        consent.purpose.name: consent for consent in consents_of(session, account_id=account_id)
    }[purpose]
    if not found.granted:
        raise ConsentRequired(purpose=purpose, version=found.purpose.version)


def answer_consent(
    session: Session,
    *,
    account_id: UUID,
    purpose: str,
    version: int,
    granted: bool,
    method: Literal["app", "counter"] = "app",
    now: datetime | None = None,
) -> Consent:
    """Write down a yes or its withdrawal, and its receipt; other purposes are untouched.

    Agreeing to another version than the present one raises ``ConsentOutdated``; withdrawing ends
    every version. Without consent to ``real_name`` the document counts on no device any more.
    """
    known = PURPOSES[purpose]
    if granted and version != known.version:
        raise ConsentOutdated(purpose=purpose, version=known.version)
    said = {"account_id": account_id, "purpose": purpose, "version": version, "now": now}
    session.execute(_GRANT if granted else _WITHDRAW, said)
    if purpose == REAL_NAME and not granted:
        session.execute(_FORGET_PROOFS, {"account_id": account_id})
    digest = known.digest if version == known.version else None
    receipt = {**said, "granted": granted, "digest": digest, "method": method}
    at = session.scalar(_RECEIPT, receipt)
    if not granted:
        session.execute(_END_RECEIPTS, {**said, "at": at})
        news = {"account_id": account_id, "purpose": purpose}
        announce(session, WITHDRAWN, news, lane="urgent")
    act = Act(
        actor_kind="citizen",
        actor_id=account_id,
        action="accounts.consent_granted" if granted else WITHDRAWN,
        object_type="consent",
        object_id=account_id,
        payload={"purpose": purpose, "version": version},
    )
    record(session, act)
    answers = consents_of(session, account_id=account_id)
    return next(consent for consent in answers if consent.purpose.name == purpose)
