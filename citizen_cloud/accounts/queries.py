"""What an account shows of itself."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import (
    device_name_place,
    display_name_place,
    masked_name,
    phone_place,
)
from citizen_cloud.accounts.rules.phones import masked_phone
from citizen_cloud.accounts.services.authentication import SignedIn

UNNAMED = "未命名设备"
_DEVICES = text(
    """
    SELECT id, name_sealed, created_at, last_seen_at, id = :current AS is_current
      FROM accounts.device
     WHERE account_id = :account_id AND removed_at IS NULL AND (NOT :only_current OR id = :current)
       AND (cast(:before AS uuid) IS NULL OR id < :before)
     ORDER BY id DESC LIMIT :limit
    """
)


def own_devices(
    connection: Connection,
    *,
    account_id: UUID,
    current: UUID,
    only_current: bool = False,
    before: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return the registered devices, latest first; ``only_current`` hides the others."""
    asked = {
        "account_id": account_id,
        "current": current,
        "only_current": only_current,
        "before": before,
        "limit": limit,
    }
    rows = connection.execute(_DEVICES, asked).mappings()
    return [{**row, "name": _device_name(row["id"], row["name_sealed"])} for row in rows]


def _device_name(device_id: UUID, sealed: bytes | None) -> str:
    if sealed is None:
        return UNNAMED
    return crypto.current().open(sealed, place=device_name_place(device_id))


_RECEIPTS = text(
    """
    SELECT id, purpose, version, granted, encode(text_digest, 'hex') AS text_digest, method, at,
           withdrawn_at
      FROM accounts.consent_receipt
     WHERE account_id = :account_id AND (cast(:before AS uuid) IS NULL OR id < :before)
       AND (cast(:since_device AS uuid) IS NULL
            OR at >= (SELECT created_at FROM accounts.device WHERE id = :since_device))
     ORDER BY id DESC LIMIT :limit
    """
)


def own_receipts(
    connection: Connection,
    *,
    account_id: UUID,
    since_device: UUID | None = None,
    before: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return every answer to a purpose, latest first; ``since_device`` hides what was before it."""
    asked = {
        "account_id": account_id,
        "since_device": since_device,
        "before": before,
        "limit": limit,
    }
    return [dict(row) for row in connection.execute(_RECEIPTS, asked).mappings()]


_OWN_BINDING = text(
    """
    SELECT bound_at FROM accounts.binding
     WHERE account_id = :id AND bound_at IS NOT NULL AND ended_at IS NULL
    """
)


def own_binding(connection: Connection, *, account_id: UUID) -> dict[str, Any]:
    """Return whether a staff account stands for somebody; for whom is not said."""
    bound_at = connection.scalar(_OWN_BINDING, {"id": account_id})
    return {"is_bound": bound_at is not None, "bound_at": bound_at}


_STAFF_ACCOUNTS = text(
    """
    SELECT b.id, a.username, b.bound_at
      FROM accounts.binding b JOIN accounts.account a ON a.id = b.account_id
     WHERE b.person_id = :person_id AND b.ended_at IS NULL ORDER BY b.bound_at DESC LIMIT :limit
    """
)


def staff_accounts(connection: Connection, person_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """Return the staff accounts that stand for a person, latest first."""
    asked = {"person_id": person_id, "limit": limit}
    return [dict(row) for row in connection.execute(_STAFF_ACCOUNTS, asked).mappings()]


def own_account(known: SignedIn) -> dict[str, Any]:
    """Return what ``GET /me`` shows, from what authentication read: no further statement."""
    identity = known.identity
    return {
        "account_id": str(known.account_id),
        "kind": known.kind,
        "language": known.language,
        "level": known.level,
        "real_name": _real_name(known),
        "phone": _phone(known),
        "name": masked_name(identity) if identity else _display_name(known),
        "person_id": str(identity.person_id) if identity else None,
    }


def _real_name(known: SignedIn) -> str:
    if known.identity is not None:
        return "confirmed"
    return "unconfirmed" if known.has_person else "none"


def _phone(known: SignedIn) -> str | None:
    if known.phone_sealed is None:
        return None
    place = phone_place(known.account_id)
    return masked_phone(crypto.current().open(known.phone_sealed, place=place))


def _display_name(known: SignedIn) -> str | None:
    if known.display_name_sealed is None:
        return None
    place = display_name_place(known.account_id)
    return crypto.current().open(known.display_name_sealed, place=place)
