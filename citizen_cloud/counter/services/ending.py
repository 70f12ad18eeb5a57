"""Cases that end without a decision, and contents that are forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.counter import queries
from citizen_cloud.counter.notices import tell
from citizen_cloud.counter.queries import Case, Reach
from citizen_cloud.counter.refusals import CaseOver
from citizen_cloud.counter.rules import KEEP_CONTENTS
from citizen_cloud.counter.services.clerk import SYSTEM, Clerk, at, write_down
from citizen_cloud.db import rows_changed
from citizen_cloud.errors import Forbidden, NotFound

MOST = 200

# The document of somebody unknown is not kept once nobody is to be enrolled by it: no later
# erasure would find it. The same holds for a refusal.
_EXPIRE = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         due AS MATERIALIZED (
            SELECT d.id, t FROM clock, counter.case d
             WHERE d.status = 'open' AND d.expires_at <= t
               AND (cast(:kind AS varchar) IS NULL
                    OR (d.kind = :kind AND d.person_id = :person_id))
             ORDER BY d.id LIMIT :most FOR UPDATE OF d SKIP LOCKED)
    UPDATE counter.case c
       SET status = 'expired', decided_at = due.t, version = version + 1,
           asked_sealed = CASE WHEN c.person_id IS NOT NULL THEN c.asked_sealed END
      FROM due WHERE c.id = due.id
    RETURNING c.id, c.kind, c.person_id, due.t
    """
)
_CANCEL = text(
    """
    UPDATE counter.case
       SET status = 'cancelled', decided_by = :by, decided_at = :t, version = version + 1,
           asked_sealed = CASE WHEN person_id IS NOT NULL THEN asked_sealed END
     WHERE id = :id
    """
)
_FORGET = text(
    """
    UPDATE counter.case SET asked_sealed = NULL, evidence_sealed = NULL, reason_sealed = NULL
     WHERE decided_at <= coalesce(cast(:now AS timestamptz), statement_timestamp()) - :keep
       AND num_nonnulls(asked_sealed, evidence_sealed, reason_sealed) > 0
    """
)


def expire_due(
    session: Session,
    *,
    kind: str | None = None,
    person_id: UUID | None = None,
    now: datetime | None = None,
) -> int:
    """End cases nobody decided in time, a batch of them or one person's; return how many."""
    asked = {"kind": kind, "person_id": person_id, "most": MOST, "now": now}
    rows = session.execute(_EXPIRE, asked).mappings().all()
    for row in rows:
        write_down(session, "case_expired", case_id=row["id"], kind=row["kind"], by=SYSTEM)
        tell(
            session,
            case_id=row["id"],
            kind=row["kind"],
            person_id=row["person_id"],
            news="expired",
            now=row["t"],
        )
    return len(rows)


def cancel(
    session: Session, *, case_id: UUID, reach: Reach, by: Clerk, now: datetime | None = None
) -> Case:
    """Take a case back at its own counter; cancelling twice is as good as once.

    Raises ``NotFound`` (also for another counter's), ``CaseOver``, and ``Forbidden`` for a
    citizen's own wish, which is decided with a reason and not dropped.
    """
    found = queries.case(session, case_id, lock=True, now=now)
    if found is None or not reach.covers(found):
        raise NotFound
    if found.organisation_id is None:
        raise Forbidden
    if found.status == "cancelled":
        return found
    if found.status != "open":
        raise CaseOver(case_status=found.status)
    session.execute(_CANCEL, {"id": case_id, "by": by.id, "t": found.t})
    by = at(by, reach, found.organisation_id)
    write_down(session, "case_cancelled", case_id=case_id, kind=found.kind, by=by)
    tell(
        session,
        case_id=case_id,
        kind=found.kind,
        person_id=found.person_id,
        news="cancelled",
        now=found.t,
    )
    return queries.only(session, case_id, now=now)


def withdraw(
    session: Session, *, case_id: UUID, account_id: UUID, now: datetime | None = None
) -> Case:
    """Take back the own wish; twice is as good as once. Raises ``NotFound``, ``CaseOver``."""
    found = queries.case(session, case_id, lock=True, now=now)
    if found is None or found.asked_by != "citizen" or found.opened_by != account_id:
        raise NotFound
    if found.status == "cancelled":
        return found
    if found.status != "open":
        raise CaseOver(case_status=found.status)
    session.execute(_CANCEL, {"id": case_id, "by": account_id, "t": found.t})
    by = Clerk(kind="citizen", id=account_id)
    write_down(session, "case_withdrawn", case_id=case_id, kind=found.kind, by=by)
    return queries.only(session, case_id, now=now)


def forget_contents(session: Session, *, now: datetime | None = None) -> int:
    """Blank what was asked, the evidence and the reason 90 days after the end; return how many."""
    return rows_changed(session, _FORGET, {"keep": KEEP_CONTENTS, "now": now})
