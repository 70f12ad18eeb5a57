"""At which counter somebody works who is about to decide who a person is, and with whom."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.errors import Invalid
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
    # Not the same account, and neither appointed the other.
    is_independent: bool


# Whoever may appoint staff may appoint himself a second account.
_PAIR = text(
    """
    SELECT coalesce(bool_or(m.account_id = :first AND a.status = 'active'), false) AS is_there,
           coalesce(bool_or(:first IN (m.granted_by, i.invited_by) AND m.account_id = :second
                            OR :second IN (m.granted_by, i.invited_by) AND m.account_id = :first),
                    false) AS is_appointed
      FROM organisations.membership m
      JOIN accounts.account a ON a.id = m.account_id
      LEFT JOIN organisations.invitation i
        ON i.account_id = m.account_id AND i.organisation_id = m.organisation_id
     WHERE m.organisation_id = :organisation_id AND m.ended_at IS NULL
       AND m.account_id IN (:first, :second)
    """
)


def pair_of(session: Session, *, organisation_id: UUID, first: UUID, second: UUID) -> Pair:
    """Return what two members of staff are to each other, as the tables say now."""
    asked = {"organisation_id": organisation_id, "first": first, "second": second}
    row = session.execute(_PAIR, asked).one()
    return Pair(
        is_first_there=row.is_there,
        is_independent=first != second and not row.is_appointed,
    )
