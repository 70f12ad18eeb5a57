"""Blank what proposals were about, of a service that has come to its end."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.services.ending import EXPIRED, end
from citizen_cloud.approvals.services.recording import clock

_OF_KINDS = text(
    """
    SELECT id, kind, status, proposed_by, unit_id, expires_at FROM approvals.proposal
     WHERE kind::text ^@ ANY(cast(:kinds AS text[]))
       AND (payload_sealed IS NOT NULL OR status = 'open')
     ORDER BY id LIMIT :most FOR UPDATE
    """
)
_BLANK = text(
    """
    UPDATE approvals.proposal
       SET payload_sealed = NULL, evidence_sealed = :nothing, summary = '{}'::jsonb,
           outcome = CASE WHEN outcome IS NULL THEN NULL ELSE '{}'::jsonb END
     WHERE id = :id
    """
)
_NOTES = text(
    """
    UPDATE approvals.decision SET note_sealed = NULL
     WHERE proposal_id = :id AND note_sealed IS NOT NULL
    """
)


def forget_kinds(session: Session, *, kinds: Collection[str], most: int) -> int:
    """Blank so many proposals whose kind begins so; return how many.

    That somebody proposed and who agreed stays, with the digest of what it was. What is open ends.
    """
    rows = session.execute(_OF_KINDS, {"kinds": list(kinds), "most": most}).all()
    for row in rows:
        if row.status == "open":
            end(session, row, status="expired", event=EXPIRED, now=clock(session, None))
        nothing = crypto.current().seal("", place=sealing.evidence_place(row.id))
        session.execute(_BLANK, {"id": row.id, "nothing": nothing})
        session.execute(_NOTES, {"id": row.id})
    return len(rows)
