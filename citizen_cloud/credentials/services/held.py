"""End, suspend and lift the codes a person holds, in the transaction of what ends them.

Rows are locked in one order before they are changed: a batch of colours and a phone that is given
up at that instant may both end the codes of a family, and never wait for each other in a circle.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_LIVE = """
    type = ANY(:types) AND holder_id = ANY(:holders) AND revoked_at IS NULL
    AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
"""
_BY = """
    AND device_key_id IN (SELECT k.id FROM credentials.device_key k
                           WHERE k.account_id = :account_id)
"""
_IN_ORDER = "ORDER BY jti FOR NO KEY UPDATE"
_HOLD = text(f"SELECT jti FROM credentials.credential WHERE {_LIVE} {_IN_ORDER}")  # noqa: S608 - no part of these comes from outside
_HOLD_BY = text(f"SELECT jti FROM credentials.credential WHERE {_LIVE} {_BY} {_IN_ORDER}")  # noqa: S608
_REVOKE = text(
    f"""
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE {_LIVE}
    """  # noqa: S608
)
_REVOKE_BY = text(
    f"""
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE {_LIVE} {_BY}
    """  # noqa: S608
)
_SUSPEND = text(
    f"""
    UPDATE credentials.credential
       SET suspended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE {_LIVE} AND suspended_at IS NULL
       AND (cast(:colour AS varchar) IS NULL OR claims ->> 'c' <> :colour)
    """  # noqa: S608
)
_LIFT = text(
    f"""
    UPDATE credentials.credential SET suspended_at = NULL
     WHERE {_LIVE} AND suspended_at IS NOT NULL
       AND (cast(:colour AS varchar) IS NULL OR claims ->> 'c' = :colour)
    """  # noqa: S608
)


def revoke_held(
    session: Session | Connection,
    *,
    holders: Collection[UUID],
    types: Collection[str],
    now: datetime | None = None,
) -> int:
    """End every living code of these types that these people hold; return how many."""
    return _change(session, _REVOKE, holders=holders, types=types, now=now)


def revoke_held_by(
    session: Session | Connection,
    *,
    account_id: UUID,
    holders: Collection[UUID],
    types: Collection[str],
    now: datetime | None = None,
) -> int:
    """End the living codes of these people on one account's phones; return how many.

    For who acted for somebody and does so no more.
    """
    facts = {"account_id": account_id, "holders": list(holders), "types": list(types), "now": now}
    session.execute(_HOLD_BY, facts)
    return rows_changed(session, _REVOKE_BY, facts)


def suspend_held(
    session: Session | Connection,
    *,
    holders: Collection[UUID],
    types: Collection[str],
    colour: str | None = None,
    now: datetime | None = None,
) -> int:
    """Make living codes void for a while, those that say another colour; return how many."""
    return _change(session, _SUSPEND, holders=holders, types=types, colour=colour, now=now)


def lift_held(
    session: Session | Connection,
    *,
    holders: Collection[UUID],
    types: Collection[str],
    colour: str | None = None,
    now: datetime | None = None,
) -> int:
    """Let suspended codes that say this colour count again; return how many."""
    return _change(session, _LIFT, holders=holders, types=types, colour=colour, now=now)


def _change(
    session: Session | Connection,
    statement: TextClause,
    *,
    holders: Collection[UUID],
    types: Collection[str],
    now: datetime | None,
    colour: str | None = None,
) -> int:
    facts = {"holders": list(holders), "types": list(types), "colour": colour, "now": now}
    session.execute(_HOLD, facts)
    return rows_changed(session, statement, facts)
