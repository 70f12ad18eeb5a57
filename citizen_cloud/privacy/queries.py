"""Who looked at a person's data, with the names of organisations, proxies and services."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import display_name_place, mask_name, name_place
from citizen_cloud.privacy import owners, rules
from citizen_cloud.text import Text

# A staff member stays unnamed: who it was is for the organisation and the audit trail to say.
_LOOKS = text(
    """
    SELECT d.id, d.at, d.reader_kind, d.purpose, d.categories, d.basis_type, d.outcome,
           d.basis_id, o.name AS organisation,
           (SELECT m.role FROM organisations.membership m
             WHERE m.account_id = d.reader_id
               AND m.organisation_id IS NOT DISTINCT FROM d.organisation_id
             ORDER BY m.id DESC LIMIT 1) AS role,
           CASE WHEN d.reader_kind = 'proxy' THEN p.id END AS proxy_id,
           CASE WHEN d.reader_kind = 'proxy' THEN p.name_sealed END AS proxy_name_sealed,
           CASE WHEN a.kind = 'service' THEN a.id END AS system_id,
           CASE WHEN a.kind = 'service' THEN a.display_name_sealed END AS system_name_sealed,
           CASE WHEN d.reader_kind = 'partner'
                THEN (SELECT c.name FROM oidc.client c WHERE c.id = d.reader_id)
                WHEN a.kind = 'service'
                THEN (SELECT c.name FROM oidc.client c WHERE c.account_id = d.reader_id)
                END AS service
      FROM accounts.data_access d
      LEFT JOIN organisations.organisation o ON o.id = d.organisation_id
      LEFT JOIN accounts.account a ON a.id = d.reader_id
      LEFT JOIN accounts.person p ON p.id = a.person_id
     WHERE d.person_id = :person_id AND (cast(:before AS uuid) IS NULL OR d.id < :before)
     ORDER BY d.id DESC LIMIT :limit
    """
)
_EXPORTS = text(
    """
    SELECT id, status, requested_at, ready_at, expires_at FROM privacy.export
     WHERE account_id = :account_id AND (expires_at IS NULL OR expires_at > statement_timestamp())
       AND (cast(:before AS uuid) IS NULL OR id < :before)
     ORDER BY id DESC LIMIT :limit
    """
)


def looks_at(
    session: Session, *, person_id: UUID, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return looks at a person's data, latest first."""
    asked = {"person_id": person_id, "before": before, "limit": limit}
    services = {owner.name: owner.title for owner in owners.current().owners}
    return [_look(row, services) for row in session.execute(_LOOKS, asked).mappings()]


def _look(row: RowMapping, services: Mapping[str, Text]) -> dict[str, Any]:
    words = rules.ROLES.get(row["role"] or row["reader_kind"], rules.ROLES["staff"])
    return {
        "id": row["id"],
        "at": row["at"],
        "outcome": row["outcome"],
        "reader": {
            "kind": row["reader_kind"],
            "organisation": row["organisation"],
            "role": words.as_json(),
            "name": _name(row),
            "service": row["service"],
        },
        "purpose": row["purpose"],
        "purpose_text": rules.purpose_words(row["purpose"], services).as_json(),
        "categories": [_category(each) for each in row["categories"]],
        "basis": {
            "kind": row["basis_type"],
            "text": rules.BASES.get(row["basis_type"], Text("其他", "Other")).as_json(),
            "id": row["basis_id"],
        },
    }


def _category(category: str) -> dict[str, Any]:
    return {"name": category, "text": rules.category_words(category).as_json()}


def _name(row: RowMapping) -> str | None:
    rings = crypto.current()
    if row["proxy_name_sealed"] is not None:
        return mask_name(rings.open(row["proxy_name_sealed"], place=name_place(row["proxy_id"])))
    if row["system_name_sealed"] is not None:
        place = display_name_place(row["system_id"])
        return rings.open(row["system_name_sealed"], place=place)
    return None


def own_exports(
    session: Session, *, account_id: UUID, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return the bundles of an account that are waiting or can be fetched, latest first."""
    asked = {"account_id": account_id, "before": before, "limit": limit}
    return [dict(row) for row in session.execute(_EXPORTS, asked).mappings()]
