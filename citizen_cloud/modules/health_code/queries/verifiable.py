"""All that a check must know, in one statement: the scan, the place, the code, the colour."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import first_row
from citizen_cloud.modules.health_code.queries.thin import still_given
from citizen_cloud.registry.ended import is_ended


class Known(NamedTuple):
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
    # The service ended since the code was issued.
    is_ended: bool
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


# Driver-level SQL: one of these is read for every check, so each looks only where its kind of code
# leads. Columns in the order of ``Known``.
_KNOWN = """
    SELECT t.at, s.id, s.code_hash, s.answer_sealed,
           p.organisation_id, p.status, p.accepts_thin, p.accepts_paper, p.needs_nonce,
           {record},
           EXISTS (SELECT FROM credentials.key_revocation r WHERE r.kid = %(kid)s),
           {is_ended},
           EXISTS (SELECT FROM health_code.scan o
                    WHERE o.showing_hash = %(showing_hash)s AND o.outcome = 'valid'
                      AND (o.type IN ('hc','ht')
                           OR o.account_id = %(account_id)s
                              AND o.place_id IS NOT DISTINCT FROM cast(%(place_id)s AS uuid)
                              AND o.scanned_at > t.at - interval '2 minutes')),
           {is_given},
           n.id, n.name_sealed,
           EXISTS (SELECT FROM accounts.honey_person y WHERE y.person_id = n.id),
           d.colour, d.as_of,
           coalesce(d.holds_until <= t.at OR d.rule_version <> v.number, false)
      FROM (SELECT coalesce(cast(%(now)s AS timestamptz), statement_timestamp()) AS at) t
      JOIN health_code.rule_version v ON v.status = 'live'
      LEFT JOIN health_code.scan s ON s.account_id = %(account_id)s AND s.scan_id = %(scan_id)s
      LEFT JOIN health_code.place p ON p.id = %(place_id)s
      {source}
      LEFT JOIN accounts.person n ON n.id = {person_id} AND n.erased_at IS NULL
      LEFT JOIN health_code.standing d ON d.person_id = n.id
"""
_IS_ENDED = is_ended("%(type)s", "cast(%(signed_at)s AS timestamptz)")
_NO_RECORD = "NULL, NULL, NULL, NULL, NULL, NULL, NULL"
_OF_RECORD = _KNOWN.format(
    record="c.kid, c.issued_at, c.expires_at, c.claims, c.show_key, c.revoked_at, c.suspended_at",
    is_ended=_IS_ENDED,
    is_given="NULL",
    source="LEFT JOIN credentials.credential c ON c.jti = %(jti)s AND c.type = %(type)s",
    person_id="c.holder_id",
)
_OF_THIN = _KNOWN.format(
    record=_NO_RECORD,
    is_ended=_IS_ENDED,
    is_given=still_given(person_id="g.person_id", basis="%(basis)s", at="t.at"),
    source="LEFT JOIN health_code.standing g ON g.handle = %(handle)s",
    person_id="g.person_id",
)
_OF_SHARE = _KNOWN.format(
    record=_NO_RECORD,
    is_ended="false",
    is_given="NULL",
    source="LEFT JOIN health_code.share h ON h.token_hash = %(token_hash)s",
    person_id="h.person_id",
)


def known(session: Session | Connection, facts: Mapping[str, Any]) -> Known:
    """Return what is known of a scan; ``facts`` are the statement's own."""
    statement = _OF_RECORD
    if facts["handle"] is not None:
        statement = _OF_THIN
    elif facts["token_hash"] is not None:
        statement = _OF_SHARE
    row = first_row(session, statement, facts)
    if row is None:
        raise LookupError("there is always a live version of the rules")
    return Known(*row)
