"""Compare what a code says with what was issued: a stolen key must not make or prolong a code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from citizen_cloud.credentials.verifier import Claims
from citizen_cloud.modules.health_code.rules.verifying import Record
from citizen_cloud.modules.health_code.services.checks.presented import Presented


def record_of(row: Mapping[str, Any], scan: Presented, at: datetime | None = None) -> Record:
    """Return what is known of a code, from its row or, of a thin one, from its id.

    A thin code of 0.3.0 has a row: gates that were alone tell of it after the upgrade.

    ``at`` is the instant of a scan that is uploaded later: what ended after it was good then.
    """
    claims = scan.reading.claims
    if claims is not None and scan.bearer is not None:
        is_as_issued = True
        is_void = _has_ended(row) if at is None else _had_ended(row, claims, at)
    else:
        is_as_issued = claims is not None and _says(row) == (
            claims.kid,
            claims.issued_at,
            claims.expires_at,
            claims.colour,
            claims.show_key,
        )
        ended = [row["revoked_at"], row["suspended_at"]]
        is_void = any(one is not None and (at is None or one <= at) for one in ended)
    return Record(
        is_as_issued=is_as_issued,
        is_void=is_void or bool(row["is_ended"]),
        is_key_revoked=bool(row["is_key_revoked"]),
    )


def _says(row: Mapping[str, Any]) -> tuple[Any, ...]:
    colour = (row["claims"] or {}).get("c")
    return row["kid"], row["issued_at"], row["expires_at"], colour, row["show_key"]


def _has_ended(row: Mapping[str, Any]) -> bool:
    """Say whether a thin code counts no more; a colour that turned is seen beside the standing."""
    return row["person_id"] is None or not row["is_given"]


def _had_ended(row: Mapping[str, Any], claims: Claims, at: datetime) -> bool:
    """Say whether a thin code had ended by then, as far as it is still known.

    Of somebody who was forgotten meanwhile nothing is; of a colour only its last turn.
    """
    if row["person_id"] is None:
        return False
    has_turned = row["changed_at"] <= at and row["colour"] != claims.colour
    return has_turned or not row["is_given"]
