"""Cases as the counters see them, and which counters somebody works at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.web.caller import Grant


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case; ``status`` is by the clock, also where no job has come by yet."""

    id: UUID
    kind: str
    organisation_id: UUID | None
    person_id: UUID | None
    asked_by: str
    opened_by: UUID
    opened_at: datetime
    expires_at: datetime
    asked_sealed: bytes | None
    evidence_sealed: bytes | None
    reason_sealed: bytes | None
    status: str
    decided_by: UUID | None
    decided_at: datetime | None
    version: int
    # When this was read, by the database
    t: datetime


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whose cases somebody may see: everybody's, or those of some counters.

    A citizen's own wish belongs to no counter until it is decided: every counter may take it up.
    """

    everywhere: bool = False
    counters: frozenset[UUID] = frozenset()

    def covers(self, case: Case) -> bool:
        """Return whether this case is within reach."""
        if self.everywhere or case.organisation_id in self.counters:
            return True
        return bool(self.counters) and case.organisation_id is None and case.status == "open"


def reach_of(session: Session, grant: Grant) -> Reach:
    """Return what a grant reaches: only authorities that are open are counters."""
    counters = counters_among(session, grant.organisation_ids)
    return Reach(everywhere=grant.everywhere, counters=counters)


_COLUMNS = """
    SELECT c.id, c.kind, c.organisation_id, c.person_id, c.asked_by, c.opened_by, c.opened_at,
           c.expires_at, c.asked_sealed, c.evidence_sealed, c.reason_sealed,
           CASE WHEN c.status = 'open' AND c.expires_at <= t THEN 'expired' ELSE c.status END
             AS status, c.decided_by, c.decided_at, c.version, t
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           counter.case c"""
_ONE = text(f"{_COLUMNS} WHERE c.id = :id")
_LOCKED = text(f"{_COLUMNS} WHERE c.id = :id FOR UPDATE OF c")
_LIST = text(
    f"""{_COLUMNS}
     WHERE (:everywhere OR c.organisation_id = ANY(:counters)
            OR (c.organisation_id IS NULL AND c.status = 'open' AND c.expires_at > t
                AND cardinality(cast(:counters AS uuid[])) > 0))
       AND (cast(:status AS varchar) IS NULL OR :status =
            CASE WHEN c.status = 'open' AND c.expires_at <= t THEN 'expired' ELSE c.status END)
       AND (cast(:before AS uuid) IS NULL OR c.id < :before)
     ORDER BY c.id DESC LIMIT :most
    """
)
_OWN = text(
    f"""{_COLUMNS}
     WHERE c.opened_by = :account_id AND c.asked_by = 'citizen'
       AND (cast(:before AS uuid) IS NULL OR c.id < :before)
     ORDER BY c.id DESC LIMIT :most
    """
)


def case(
    session: Session, case_id: UUID, *, lock: bool = False, now: datetime | None = None
) -> Case | None:
    """Return one case, locked where it is to be changed."""
    found = session.execute(_LOCKED if lock else _ONE, {"id": case_id, "now": now})
    row = found.mappings().first()
    return Case(**row) if row else None


def cases(
    session: Session,
    *,
    reach: Reach,
    status: str | None,
    before: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> Sequence[Case]:
    """Return one page and one row more of the cases within reach, latest first."""
    asked = {
        "everywhere": reach.everywhere,
        "counters": list(reach.counters),
        "status": status,
        "before": before,
        "most": limit + 1,
        "now": now,
    }
    return [Case(**row) for row in session.execute(_LIST, asked).mappings()]


def own_wishes(
    session: Session,
    *,
    account_id: UUID,
    before: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> Sequence[Case]:
    """Return one page and one row more of what a citizen asked for, latest first."""
    asked = {"account_id": account_id, "before": before, "most": limit + 1, "now": now}
    return [Case(**row) for row in session.execute(_OWN, asked).mappings()]


def only(session: Session, case_id: UUID, *, now: datetime | None = None) -> Case:
    """Return a case that was just written."""
    row = session.execute(_ONE, {"id": case_id, "now": now}).mappings().one()
    return Case(**row)
