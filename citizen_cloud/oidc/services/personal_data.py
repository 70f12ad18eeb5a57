"""Give a citizen what this room holds about him, and forget it."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject

_ACCOUNTS = """
    SELECT id FROM accounts.account WHERE id = :account_id OR person_id = :person_id
"""
_EXPORTS = {
    "partner_consents": text(
        f"""
        SELECT k.id, k.client_id, c.name AS client, k.scopes, k.granted_at, k.changed_at,
               k.withdrawn_at
          FROM oidc.consent k JOIN oidc.client c ON c.id = k.client_id
         WHERE k.account_id IN ({_ACCOUNTS}) ORDER BY k.id
        """  # noqa: S608 - of constants
    ),
    "partner_sign_ins": text(
        f"""
        SELECT id, client_id, sign_in_id, scopes, level, amr, auth_time, created_at, expires_at,
               revoked_at, revoked_because
          FROM oidc.issuance
         WHERE account_id IN ({_ACCOUNTS}) OR person_id = :person_id ORDER BY id
        """  # noqa: S608 - of constants
    ),
    "partner_requests": text(
        f"""
        SELECT id, client_id, scopes, created_at, expires_at, decided_at FROM oidc.request
         WHERE account_id IN ({_ACCOUNTS}) ORDER BY created_at
        """  # noqa: S608 - of constants
    ),
    "systems": text(
        f"""
        SELECT id AS client_id, name, organisation_id, created_at FROM oidc.client
         WHERE account_id IN ({_ACCOUNTS}) ORDER BY id
        """  # noqa: S608 - of constants
    ),
}
_WHOSE = f"(account_id IN ({_ACCOUNTS}) OR person_id = :person_id)"
_ISSUED = f"SELECT id FROM oidc.issuance WHERE {_WHOSE}"  # noqa: S608 - of constants
# A system's client stays: it names an account behind which there is nobody.
_FORGET = (
    text(f"DELETE FROM oidc.token WHERE issuance_id IN ({_ISSUED})"),  # noqa: S608 - of constants
    text(f"DELETE FROM oidc.issuance WHERE {_WHOSE}"),  # noqa: S608 - of constants
    text(f"DELETE FROM oidc.consent WHERE account_id IN ({_ACCOUNTS})"),  # noqa: S608 - of constants
    text(f"DELETE FROM oidc.request WHERE account_id IN ({_ACCOUNTS})"),  # noqa: S608 - of constants
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return consents to partners, sign-ins there, and requests that were opened."""
    asked = {"account_id": subject.account_id, "person_id": subject.person_id}
    return {
        name: [dict(row) for row in session.execute(statement, asked).mappings()]
        for name, statement in _EXPORTS.items()
    }


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Delete all of it; no partner's token works afterwards. Return how many rows went."""
    del now
    asked = {"account_id": subject.account_id, "person_id": subject.person_id}
    return sum(rows_changed(session, each, asked) for each in _FORGET)
