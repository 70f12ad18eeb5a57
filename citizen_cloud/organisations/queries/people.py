"""Roles, and who holds them or was invited to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import first_row
from citizen_cloud.organisations.identity import invited_name_place, note_place
from citizen_cloud.web.caller import Grant

# Driver-level SQL: this is read before every request of staff.
_GRANT = """
    SELECT bool_or(organisation_id IS NULL),
           array_agg(organisation_id) FILTER (WHERE organisation_id IS NOT NULL)
      FROM organisations.membership
     WHERE account_id = %(account_id)s AND ended_at IS NULL AND role = ANY(%(roles)s)
"""


def grant_of(connection: Connection | Session, account_id: UUID, roles: Collection[str]) -> Grant:
    """Return where an account holds one of some roles, as the table says now.

    Read for every request, so that a membership that ends is over with the next one.
    """
    row = first_row(connection, _GRANT, {"account_id": account_id, "roles": list(roles)})
    everywhere, places = row or (False, None)
    return Grant(everywhere=bool(everywhere), organisation_ids=frozenset(places or ()))


@dataclass(frozen=True, kw_only=True)
class StaffRow:
    """One membership with the account that holds it."""

    membership_id: UUID
    account_id: UUID
    username: str | None
    display_name_sealed: bytes | None
    role: str
    status: str
    created_at: datetime


_STAFF = text(
    """
    SELECT m.id AS membership_id, m.account_id, a.username, a.display_name_sealed, m.role,
           a.status, m.created_at
      FROM organisations.membership m JOIN accounts.account a ON a.id = m.account_id
     WHERE m.organisation_id = :organisation_id AND m.ended_at IS NULL
       AND m.id > coalesce(:after, '00000000-0000-0000-0000-000000000000'::uuid)
     ORDER BY m.id LIMIT :most
    """
)


def staff(
    session: Session, organisation_id: UUID, *, after: UUID | None, limit: int
) -> list[StaffRow]:
    """Return one page and one row more of an organisation's live memberships."""
    rows = session.execute(
        _STAFF, {"organisation_id": organisation_id, "after": after, "most": limit + 1}
    )
    return [StaffRow(**row) for row in rows.mappings()]


_WORKS_AT = text(
    """
    SELECT o.name FROM organisations.membership m
      JOIN organisations.organisation o ON o.id = m.organisation_id
     WHERE m.account_id = :account_id AND m.ended_at IS NULL ORDER BY m.id LIMIT :most
    """
)


def works_at(session: Session, account_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """Return the names of the organisations an account acts for."""
    asked = {"account_id": account_id, "most": limit}
    return [{"name": name} for name in session.execute(_WORKS_AT, asked).scalars()]


_INVITATIONS = text(
    """
    SELECT id, role, display_name_sealed, note_sealed, invited_by, created_at, expires_at,
           accepted_at, account_id, revoked_at,
           CASE WHEN accepted_at IS NOT NULL THEN 'accepted'
                WHEN revoked_at IS NOT NULL THEN 'revoked'
                WHEN expires_at <= statement_timestamp() THEN 'expired'
                ELSE 'open' END AS status
      FROM organisations.invitation
     WHERE organisation_id = :organisation_id
       AND (cast(:before AS uuid) IS NULL OR id < :before)
     ORDER BY id DESC LIMIT :most
    """
)


def invitations(
    session: Session, organisation_id: UUID, *, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return one page and one row more of an organisation's invitations, latest first."""
    asked = {"organisation_id": organisation_id, "before": before, "most": limit + 1}
    return [_invitation(dict(row)) for row in session.execute(_INVITATIONS, asked).mappings()]


def _invitation(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "display_name": _opened(row["display_name_sealed"], invited_name_place(row["id"])),
        "note": _opened(row["note_sealed"], note_place(row["id"])),
    }


def _opened(sealed: bytes | None, place: str) -> str | None:
    return None if sealed is None else crypto.current().open(sealed, place=place)


_ACCOUNT = text(
    """
    SELECT id, kind, status, person_id, created_at FROM accounts.account
     WHERE id = :id AND status <> 'closed'
    """
)
_ROLES = text(
    """
    SELECT id AS membership_id, role, organisation_id FROM organisations.membership
     WHERE account_id = :id AND ended_at IS NULL ORDER BY id LIMIT 100
    """
)
_RESET = text(
    """
    SELECT id, needs_second AND confirmed_by IS NULL AS needs_second, created_at, expires_at
      FROM accounts.reset
     WHERE account_id = :id AND used_at IS NULL AND ended_at IS NULL
       AND expires_at > statement_timestamp()
     ORDER BY id DESC LIMIT 1
    """
)


def account(session: Session, account_id: UUID) -> dict[str, Any] | None:
    """Return how an account stands, and whose it is; None where it is absent or closed."""
    asked = {"id": account_id}
    row = session.execute(_ACCOUNT, asked).mappings().first()
    if row is None:
        return None
    reset = session.execute(_RESET, asked).mappings().first()
    roles = [dict(role) for role in session.execute(_ROLES, asked).mappings()]
    return {**row, "roles": roles, "reset": dict(reset) if reset else None}
