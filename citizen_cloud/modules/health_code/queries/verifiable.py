"""All that a check must know, in one statement: the scan, the place, the code, the colour."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import first_row
from citizen_cloud.modules.health_code.queries.thin import still_given


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the database knows of one scan at one instant; None for what there is not."""

    at: datetime
    # An earlier answer to this scan.
    scan_row_id: UUID | None
    code_hash: bytes | None
    answer_sealed: bytes | None
    # The place.
    organisation_id: UUID | None
    place_status: str | None
    accepts_thin: bool | None
    accepts_paper: bool | None
    needs_nonce: bool | None
    # The record of the code.
    kid: str | None
    issued_at: datetime | None
    expires_at: datetime | None
    claims: Mapping[str, Any] | None
    show_key: bytes | None
    revoked_at: datetime | None
    suspended_at: datetime | None
    is_key_revoked: bool
    is_seen: bool
    # Of a thin code, which has no record: whether what it was given by still holds.
    is_given: bool | None
    # Whose it is, or whose share it is.
    person_id: UUID | None
    name_sealed: bytes | None
    # A made-up person: whoever looks is reported.
    is_honey: bool
    # Where the person stands; ``is_due`` where that was not written down yet.
    colour: str | None
    as_of: datetime | None
    is_due: bool


# Driver-level SQL: this is read for every check. Columns in the order of ``Known``.
_KNOWN = f"""
    SELECT t.at, s.id AS scan_row_id, s.code_hash, s.answer_sealed,
           p.organisation_id, p.status AS place_status, p.accepts_thin, p.accepts_paper,
           p.needs_nonce,
           c.kid, c.issued_at, c.expires_at, c.claims, c.show_key, c.revoked_at, c.suspended_at,
           EXISTS (SELECT FROM credentials.key_revocation r
                    WHERE r.kid = %(kid)s) AS is_key_revoked,
           EXISTS (SELECT FROM health_code.scan o
                    WHERE o.showing_hash = %(showing_hash)s AND o.outcome = 'valid'
                      AND (o.is_proven OR o.account_id = %(account_id)s
                                          AND o.decided_at > t.at - interval '2 minutes')
           ) AS is_seen,
           CASE WHEN g.handle IS NOT NULL THEN
                {still_given(person_id="g.person_id", basis="%(basis)s", at="t.at")} END
           AS is_given,
           n.id AS person_id, n.name_sealed,
           EXISTS (SELECT FROM accounts.honey_person y WHERE y.person_id = n.id) AS is_honey,
           d.colour, d.as_of,
           coalesce(d.holds_until <= t.at OR d.rule_version <> v.number, false) AS is_due
      FROM (SELECT coalesce(cast(%(now)s AS timestamptz), statement_timestamp()) AS at) t
      JOIN health_code.rule_version v ON v.status = 'live'
      LEFT JOIN health_code.scan s ON s.account_id = %(account_id)s AND s.scan_id = %(scan_id)s
      LEFT JOIN health_code.place p ON p.id = %(place_id)s
      LEFT JOIN credentials.credential c ON c.jti = %(jti)s AND c.type = %(type)s
      LEFT JOIN health_code.standing g ON g.handle = %(handle)s
      LEFT JOIN health_code.share h ON h.token_hash = %(token_hash)s
      LEFT JOIN accounts.person n ON n.id = coalesce(c.holder_id, g.person_id, h.person_id)
                                 AND n.erased_at IS NULL
      LEFT JOIN health_code.standing d ON d.person_id = n.id
"""  # noqa: S608 - put together from constants
_COLUMNS = tuple(one.name for one in fields(Known))


def known(session: Session | Connection, facts: Mapping[str, Any]) -> Known:
    """Return what is known of a scan; ``facts`` are the statement's own."""
    row = first_row(session, _KNOWN, facts)
    if row is None:
        raise LookupError("there is always a live version of the rules")
    return Known(**dict(zip(_COLUMNS, row, strict=True)))
