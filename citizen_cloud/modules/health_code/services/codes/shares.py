"""Let somebody who is not there have a person's code checked: once, within three minutes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.rules import share_tokens

LIFE = timedelta(minutes=3)
# Long enough for the holder to see that it was used, and by when.
KEEP = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A share; the token is known only to whoever made it."""

    id: UUID
    token: str
    expires_at: datetime


_MAKE = text(
    """
    INSERT INTO health_code.share (person_id, account_id, token_hash, created_at, expires_at)
    SELECT :person_id, :account_id, :token_hash, t.at, t.at + cast(:life AS interval)
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
    RETURNING id, expires_at
    """
)
# The row is the lock: of two gates that send the token at once, one finds it unused.
_CONSUME = text(
    """
    UPDATE health_code.share
       SET used_at = coalesce(cast(:now AS timestamptz), statement_timestamp()), used_by = :used_by
     WHERE token_hash = :token_hash AND used_at IS NULL AND revoked_at IS NULL
       AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    RETURNING person_id
    """
)
_REVOKE = text(
    """
    UPDATE health_code.share
       SET revoked_at = coalesce(revoked_at, cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND account_id = :account_id
    RETURNING id, expires_at, used_at, revoked_at
    """
)
_REVOKE_ALL = text(
    """
    UPDATE health_code.share
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE account_id = :account_id AND person_id = :person_id
       AND used_at IS NULL AND revoked_at IS NULL
    """
)
_REVOKE_OF = text(
    """
    UPDATE health_code.share
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE (account_id = :account_id OR person_id = :person_id)
       AND used_at IS NULL AND revoked_at IS NULL
    """
)
_FORGET = text(
    """
    DELETE FROM health_code.share
     WHERE expires_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
                        - cast(:keep AS interval)
    """
)


def share(
    session: Session, *, person_id: UUID, account_id: UUID, now: datetime | None = None
) -> Shared:
    """Make a word that stands for a person's code, once."""
    word = share_tokens.token(secrets.token_bytes(share_tokens.TOKEN_BYTES))
    facts = {
        "person_id": person_id,
        "account_id": account_id,
        "token_hash": share_tokens.token_hash(word),
        "life": LIFE,
        "now": now,
    }
    made = session.execute(_MAKE, facts).one()
    return Shared(id=made.id, token=word, expires_at=made.expires_at)


def consume(
    session: Session | Connection,
    token: str,
    *,
    used_by: UUID | None = None,
    now: datetime | None = None,
) -> UUID | None:
    """Use a token up and return whose code it stands for.

    None for one that was used, taken back, is over, or never was: the four look the same. Whoever
    calls this notes the look at the person, in the same transaction.
    """
    if not share_tokens.is_token(token):
        return None
    facts = {"token_hash": share_tokens.token_hash(token), "used_by": used_by, "now": now}
    person_id: UUID | None = session.scalar(_CONSUME, facts)
    return person_id


def revoke(
    session: Session, *, share_id: UUID, account_id: UUID, now: datetime | None = None
) -> None:
    """Take a share of one's own back; again changes nothing. Raises ``NotFound``."""
    facts = {"id": share_id, "account_id": account_id, "now": now}
    if session.execute(_REVOKE, facts).first() is None:
        raise NotFound


def revoke_between(
    session: Session, *, account_id: UUID, person_id: UUID, now: datetime | None = None
) -> None:
    """Take back what an account shared of a person whom it may not act for any more."""
    session.execute(_REVOKE_ALL, {"account_id": account_id, "person_id": person_id, "now": now})


def revoke_of(
    session: Session, *, account_id: UUID, person_id: UUID | None, now: datetime | None = None
) -> None:
    """Take back every share of a person, and every one an account made."""
    session.execute(_REVOKE_OF, {"account_id": account_id, "person_id": person_id, "now": now})


def forget(session: Session, *, now: datetime | None = None) -> int:
    """Delete shares that were over a day ago; return how many."""
    return rows_changed(session, _FORGET, {"now": now, "keep": KEEP})
