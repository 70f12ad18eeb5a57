"""At which counter somebody works who is about to decide who a person is, and with whom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.standing_for import are_one
from citizen_cloud.errors import Invalid
from citizen_cloud.organisations.queries import are_tied
from citizen_cloud.organisations.refusals import NotACounter


def counter_of(counters: Collection[UUID], wanted: UUID | None) -> UUID:
    """Return the counter somebody works at; who works at several says at which.

    Raises ``NotACounter`` or ``Invalid``.
    """
    if not counters or (wanted is not None and wanted not in counters):
        raise NotACounter
    if wanted is None and len(counters) > 1:
        raise Invalid(errors=[{"pointer": "/organisation_id", "code": "required"}])
    return wanted or next(iter(counters))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two members of staff of one counter: the first one's word, and the second's."""

    # The first may be gone by now, or suspended: then nobody vouches for that word.
    is_first_there: bool
    # Not one account, nor two that may be one person's.
    is_independent: bool


_WORKS = text(
    """
    SELECT EXISTS (SELECT FROM organisations.membership m
                     JOIN accounts.account a ON a.id = m.account_id AND a.status = 'active'
                    WHERE m.account_id = :id AND m.organisation_id = :organisation_id
                      AND m.ended_at IS NULL)
    """
)


def pair_of(
    session: Session, *, organisation_id: UUID, first: UUID, second: UUID, now: datetime
) -> Pair:
    """Return what two members of staff are to each other, as the tables say now."""
    asked = {"id": first, "organisation_id": organisation_id}
    return Pair(
        is_first_there=bool(session.scalar(_WORKS, asked)),
        is_independent=not are_one(session, first, second)
        and not are_tied(session, {first}, {second}, now=now),
    )
