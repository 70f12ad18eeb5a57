"""What this part holds about people: shares, paper codes, and an attested disability."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.codes.disabilities import evidence_place
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.text import Text

_SHARES = text(
    """
    SELECT id, created_at, expires_at, used_at, revoked_at,
           account_id IS NOT DISTINCT FROM cast(:account_id AS uuid) AS made_here,
           person_id IS NOT DISTINCT FROM cast(:person_id AS uuid) AS is_own
      FROM health_code.share
     WHERE person_id = :person_id OR account_id = :account_id
     ORDER BY id
    """
)
_PAPERS = text(
    """
    SELECT id, reason, colour, issued_at, expires_at, ended_at, ended_because
      FROM health_code.paper WHERE person_id = :person_id ORDER BY id
    """
)
_DISABILITY = text(
    """
    SELECT id, organisation_id, evidence_sealed, attested_at
      FROM health_code.disability WHERE person_id = :person_id
    """
)
# What a clerk did at work: how often, not for whom.
_WORK = text(
    """
    SELECT (SELECT count(*) FROM health_code.paper WHERE issued_by = :account_id) AS papers_made,
           (SELECT count(*) FROM health_code.disability
             WHERE attested_by = :account_id) AS disabilities_attested,
           (SELECT count(*) FROM health_code.share WHERE used_by = :account_id) AS shares_checked
    """
)
_FORGET = tuple(
    text(f"DELETE FROM health_code.{rest}")  # noqa: S608 - put together from constants
    for rest in (
        "share WHERE person_id = :person_id OR account_id = :account_id",
        "paper WHERE person_id = :person_id",
        "disability WHERE person_id = :person_id",
    )
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return every share, paper and attestation of somebody; for a clerk, how many he made."""
    asked = asdict(subject)
    return {
        "shares": [dict(row) for row in session.execute(_SHARES, asked).mappings()],
        "papers": [dict(row) for row in session.execute(_PAPERS, asked).mappings()],
        "disabilities": [_opened(row) for row in session.execute(_DISABILITY, asked).mappings()],
        "as_staff": dict(session.execute(_WORK, asked).mappings().one()),
    }


def _opened(row: RowMapping) -> dict[str, Any]:
    place = evidence_place(row["id"])
    evidence = crypto.current().open(row["evidence_sealed"], place=place)
    return {
        "id": row["id"],
        "organisation_id": row["organisation_id"],
        "attested_at": row["attested_at"],
        "evidence": evidence,
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete them; the credential room ends the codes themselves."""
    del now
    asked = asdict(subject)
    return sum(rows_changed(session, one, asked) for one in _FORGET)


HOLDING = Holding(
    name="codes",
    category=Text(
        "分享记录、纸质码和残障登记", "Shares, paper codes and a disability recorded at a counter"
    ),
    tables=frozenset({"health_code.share", "health_code.paper", "health_code.disability"}),
    export=export,
    erase=erase,
)
