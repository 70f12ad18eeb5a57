"""For whom staff accounts stand, and ever stood."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_EVER = text(
    """
    SELECT person_id FROM accounts.account WHERE id = ANY(:ids) AND person_id IS NOT NULL
     UNION
    SELECT person_id FROM accounts.binding WHERE account_id = ANY(:ids) AND person_id IS NOT NULL
    """
)


def persons_behind(session: Session, account_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return everybody for whom these accounts stand, or ever stood."""
    return frozenset(session.execute(_EVER, {"ids": list(account_ids)}).scalars())


def are_one(session: Session, one: UUID, other: UUID | None) -> bool:
    """Return whether two accounts are one human's, as far as anybody confirmed it."""
    if other is None or one == other:
        return one == other
    return bool(persons_behind(session, {one}) & persons_behind(session, {other}))


_BESIDE = text(
    """
    SELECT other.account_id FROM accounts.binding own
      JOIN accounts.binding other ON other.person_id = own.person_id
     WHERE own.account_id = ANY(:ids)
    """
)


def accounts_beside(session: Session, account_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return these accounts, and every other staff account of the same people."""
    found = session.execute(_BESIDE, {"ids": list(account_ids)}).scalars()
    return frozenset((*account_ids, *found))


_LIVE = text(
    """
    SELECT 1 FROM accounts.binding
     WHERE account_id = :id AND bound_at IS NOT NULL AND ended_at IS NULL
    """
)


def is_bound(session: Session, account_id: UUID) -> bool:
    """Return whether an account stands for somebody now."""
    return session.scalar(_LIVE, {"id": account_id}) is not None
