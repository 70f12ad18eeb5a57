"""What a thin code is given out by, and by which it still counts when it is shown.

Nothing is written and nothing locked: what counts is looked at again at the check, where there is
one, and without one a code is over before anybody could be told that it ended.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.credentials.services.issuing import USABLE_KEY, usable_keys
from citizen_cloud.credentials.services.thin import BASIS_BYTES
from citizen_cloud.db import first_row, for_driver
from citizen_cloud.modules.health_code.queries import showable
from citizen_cloud.modules.health_code.queries.showable import Asking


@dataclass(frozen=True, kw_only=True)
class ThinlyShowable:
    """What is known of a person who asks for a code that lasts a minute."""

    at: datetime
    colour: str
    next_change_at: datetime | None
    # The colour turned by time or by new rules, and nobody wrote that down yet.
    is_due: bool
    handle: int | None
    is_agreed: bool
    is_linked: bool
    # Whether the person, or whoever asks for him, has a phone registered anywhere.
    has_phone: bool
    # The key to sign with, None where all are revoked.
    kid: str | None


_COLUMNS = tuple(one.name for one in fields(ThinlyShowable))
# Driver-level SQL: this is read for every code. Columns in the order above.
_SHOWABLE = for_driver(
    f"""
    SELECT t.at, coalesce(s.colour, 'none'), s.next_change_at,
           coalesce(s.holds_until <= t.at OR s.rule_version <> v.number, false), s.handle,
           {showable.AGREED},
           cast(:link_id AS uuid) IS NULL OR {showable.LINKED},
           {showable.ON_PHONES}, {USABLE_KEY}
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      JOIN health_code.rule_version v ON v.status = 'live'
      LEFT JOIN health_code.standing s ON s.person_id = :person_id
    """  # noqa: S608 - put together from constants
)


def thinly_showable(
    connection: Connection | Session, asking: Asking, *, now: datetime | None = None
) -> ThinlyShowable:
    """Return what a thin code is given out by."""
    facts = showable.facts_of(asking, now) | {"kids": usable_keys()}
    row = first_row(connection, _SHOWABLE, facts)
    if row is None:
        raise LookupError("there is always a live version of the rules")
    return ThinlyShowable(**dict(zip(_COLUMNS, row, strict=True)))


def basis_of(link_id: UUID | None) -> bytes:
    """Return by what a link is known again: of the few of one person, its last bytes do."""
    return b"" if link_id is None else link_id.bytes[-BASIS_BYTES:]


def still_given(*, person_id: str, basis: str, at: str) -> str:
    """Return the condition that what a thin code was given by still holds; all three are SQL.

    The consent of the person's own account, where there is one, else that of whoever acts; and in
    somebody else's business that very link. What ended after ``at`` held then.
    """
    return f"""
    EXISTS (SELECT FROM (SELECT cast({basis} AS bytea) AS basis) b
              LEFT JOIN accounts.account o ON o.person_id = {person_id} AND o.status <> 'closed'
              LEFT JOIN families.link l
                ON l.represented_id = {person_id} AND '{HEALTH_CODE}' = ANY(l.scopes)
               AND substring(uuid_send(l.id) FROM {17 - BASIS_BYTES}) = b.basis
               AND (l.status = 'active' OR l.ended_at > {at})
               AND (l.expires_at IS NULL OR l.expires_at > {at})
              LEFT JOIN accounts.account g ON g.person_id = l.acting_id AND g.status <> 'closed'
              JOIN accounts.consent c
                ON c.account_id = coalesce(o.id, g.id) AND c.purpose = '{HEALTH_CODE}'
               AND (c.withdrawn_at IS NULL OR c.withdrawn_at > {at})
             WHERE b.basis = '' OR l.id IS NOT NULL)
    """  # noqa: S608 - put together from constants
