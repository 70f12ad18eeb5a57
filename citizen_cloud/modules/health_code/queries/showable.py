"""What a code is given out by, read in one statement and held until the code is written.

The standing is locked against a change of colour, link and consent against their end: whoever
changes one waits for the code, and then finds it and ends it. Nobody who only shows waits.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import HEALTH_CODE, PURPOSES

NO_COLOUR = "none"


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
class Coloured:
    """Where a person stands at this instant."""

    at: datetime
    colour: str
    next_change_at: datetime | None
    # The colour turned by time or by new rules, and nobody wrote that down yet.
    is_due: bool


@dataclass(frozen=True, kw_only=True)
class Showable(Coloured):
    """What is known of a person who wants to show a code, and of the phone that asks."""

    is_agreed: bool
    is_linked: bool
    key_id: UUID | None
    public_key: bytes | None
    # Whether the person, or whoever asks for him, has a phone registered anywhere.
    has_phone: bool


# The strongest lock at once: two who both held a weaker one could never both write a due change.
_COLOURED = """
    SELECT t.at, coalesce(s.colour, 'none') AS colour, s.next_change_at,
           coalesce(s.holds_until <= t.at OR s.rule_version <> v.number, false) AS is_due
"""
_FROM = """
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      JOIN health_code.rule_version v ON v.status = 'live'
      LEFT JOIN LATERAL (SELECT colour, next_change_at, holds_until, rule_version
                           FROM health_code.standing
                          WHERE person_id = :person_id FOR NO KEY UPDATE) s ON true
"""
_COLOUR = text(_COLOURED + _FROM)
AGREED = """
    EXISTS (SELECT FROM accounts.consent c
             WHERE c.account_id = :consenting_id AND c.purpose = :purpose
               AND c.version = :version AND c.withdrawn_at IS NULL)
"""
LINKED = """
    EXISTS (SELECT FROM families.link l
             WHERE l.id = :link_id AND l.status = 'active' AND :purpose = ANY(l.scopes))
"""
ON_PHONES = """
    EXISTS (SELECT FROM credentials.device_key d
             WHERE d.account_id IN (:account_id, :persons_account_id) AND d.ended_at IS NULL)
"""


def _held(condition: str, behind: str = "true") -> str:
    """Hold the row until the code is written: whoever takes it back then finds the code."""
    return condition.rstrip().removesuffix(")") + f" AND {behind} FOR SHARE)"


_SHOWABLE = text(
    f"""
    {_COLOURED},
           k.id AS key_id, k.public_key,
           {_held(AGREED)} AS is_agreed,
           cast(:link_id AS uuid) IS NULL OR {_held(LINKED)} AS is_linked,
           {ON_PHONES} AS has_phone
    {_FROM}
      LEFT JOIN credentials.device_key k
        ON k.account_id = :account_id AND k.device_id = :device_id AND k.ended_at IS NULL
    """
)
# For one's own business, as the source of a code's INSERT: no row where anything stands in the
# way. The colour is the locked row's, so it is the one that counts after the wait; the consent
# names it, so that the locks are taken in the same order as above.
GIVABLE = f"""
    SELECT x.at, x.colour, x.next_change_at AS expires_at,
           jsonb_build_object('c', x.colour) AS claims
      FROM ({_COLOURED} {_FROM}) x
     WHERE NOT x.is_due AND x.colour <> '{NO_COLOUR}'
       AND {_held(AGREED, behind="x.colour IS NOT NULL")}
"""  # noqa: S608 - put together from constants


def coloured(session: Session, *, person_id: UUID, now: datetime | None = None) -> Coloured:
    """Return where a person stands, locked until this transaction ends."""
    row = session.execute(_COLOUR, {"person_id": person_id, "now": now}).mappings().one()
    return Coloured(**row)


def facts_of(asking: Asking, now: datetime | None) -> dict[str, Any]:
    """Return what the statements here ask for."""
    return {
        "account_id": asking.account_id,
        # Who has an account agrees there himself; for who has none, the one who acts agrees.
        "consenting_id": asking.persons_account_id or asking.account_id,
        "device_id": asking.device_id,
        "person_id": asking.person_id,
        "link_id": asking.link_id,
        "persons_account_id": asking.persons_account_id,
        "purpose": HEALTH_CODE,
        "version": PURPOSES[HEALTH_CODE].version,
        "now": now,
    }


def showable(session: Session, asking: Asking, *, now: datetime | None = None) -> Showable:
    """Return what a code is given out by; the caller writes the code in this transaction."""
    return Showable(**session.execute(_SHOWABLE, facts_of(asking, now)).mappings().one())
