"""What is known of many scans that were decided offline, in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.queries.thin import still_given
from citizen_cloud.registry.ended import is_ended

# The instant that counts: the gate's, but none that has not been.
_THEN = "least(r.device_at, t.at)"
_KNOWN = text(
    f"""
    SELECT r.scan_id, t.at, s.id AS scan_row_id, s.code_hash, s.answer_sealed,
           p.organisation_id, p.status AS place_status, p.accepts_thin, p.accepts_paper,
           p.needs_nonce,
           c.kid, c.issued_at, c.expires_at, c.claims, c.show_key, c.revoked_at, c.suspended_at,
           EXISTS (SELECT FROM credentials.key_revocation k
                    WHERE k.kid = r.kid) AS is_key_revoked,
           {is_ended("r.type", "r.signed_at", _THEN)} AS is_ended,
           CASE WHEN g.handle IS NOT NULL THEN
                {still_given(person_id="g.person_id", basis="r.basis", at=_THEN)} END AS is_given,
           g.colour, g.changed_at, n.id AS person_id, o.is_behind, o.ahead_of
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      CROSS JOIN unnest(cast(:scan_ids AS varchar[]), cast(:place_ids AS uuid[]),
                        cast(:jtis AS uuid[]), cast(:types AS varchar[]), cast(:kids AS varchar[]),
                        cast(:handles AS bigint[]), cast(:bases AS bytea[]),
                        cast(:signed_at AS timestamptz[]), cast(:showing_hashes AS bytea[]),
                        cast(:device_ats AS timestamptz[]))
                 AS r(scan_id, place_id, jti, type, kid, handle, basis, signed_at, showing_hash,
                      device_at)
      LEFT JOIN health_code.scan s ON s.account_id = :account_id AND s.scan_id = r.scan_id
      LEFT JOIN health_code.place p ON p.id = r.place_id
      LEFT JOIN credentials.credential c ON c.jti = r.jti AND c.type = r.type
      LEFT JOIN health_code.standing g ON g.handle = r.handle
      LEFT JOIN accounts.person n ON n.id = coalesce(c.holder_id, g.person_id)
                                 AND n.erased_at IS NULL
      LEFT JOIN LATERAL (
           SELECT bool_or(w.scanned_at <= {_THEN}) AS is_behind,
                  array_agg(w.id) FILTER (WHERE w.scanned_at > {_THEN}) AS ahead_of
             FROM health_code.scan w
            WHERE w.showing_hash = r.showing_hash AND w.outcome = 'valid'
              AND w.finding IS DISTINCT FROM 'replayed'
              AND (w.type IN ('hc','ht')
                   OR w.account_id = :account_id AND w.place_id IS NOT DISTINCT FROM r.place_id
                      AND w.scanned_at > {_THEN} - interval '2 minutes'
                      AND w.scanned_at < {_THEN} + interval '2 minutes')
           ) o ON true
    """  # noqa: S608 - put together from constants
)


def known_of_all(
    session: Session,
    *,
    account_id: UUID,
    scans: Sequence[Mapping[str, Any]],
    now: datetime | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what is known of each, by scan id; ``scans`` are their facts.

    ``is_behind``: the same showing passed before that instant; ``ahead_of``: the rows of those
    that passed after it, because they were known of first.
    """
    facts = {
        "account_id": account_id,
        "scan_ids": [one["scan_id"] for one in scans],
        "place_ids": [one["place_id"] for one in scans],
        "jtis": [one["jti"] for one in scans],
        "types": [one["type"] for one in scans],
        "kids": [one["kid"] for one in scans],
        "signed_at": [one["signed_at"] for one in scans],
        "showing_hashes": [one["showing_hash"] for one in scans],
        "device_ats": [one["device_at"] for one in scans],
        "handles": [one["handle"] for one in scans],
        "bases": [one["basis"] for one in scans],
        "now": now,
    }
    return {row["scan_id"]: dict(row) for row in session.execute(_KNOWN, facts).mappings()}
