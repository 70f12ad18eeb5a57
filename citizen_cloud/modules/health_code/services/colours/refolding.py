"""Look again at people whose standing is behind: by time, or by a new rule version."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.queries.standings import Standing, standing_of
from citizen_cloud.modules.health_code.queries.versions import live_version
from citizen_cloud.modules.health_code.services.colours.standings import lock, refold

# So many at once hold their rows for about a second.
MOST = 500
_DUE = text(
    """
    WITH due AS MATERIALIZED (
        SELECT s.person_id FROM health_code.standing s
         WHERE s.holds_until <= coalesce(cast(:now AS timestamptz), statement_timestamp())
         ORDER BY s.holds_until LIMIT :most FOR UPDATE SKIP LOCKED)
    SELECT person_id FROM due
    """
)
# Below and above, each in the order of the index: right after an activation nearly everybody is
# behind, and a scan of the table would pass over all who follow already, batch after batch.
_BEHIND = text(
    """
    WITH below AS MATERIALIZED (
        SELECT s.person_id FROM health_code.standing s WHERE s.rule_version < :number
         ORDER BY s.rule_version, s.person_id LIMIT :most FOR UPDATE SKIP LOCKED),
    above AS MATERIALIZED (
        SELECT s.person_id FROM health_code.standing s WHERE s.rule_version > :number
         ORDER BY s.rule_version, s.person_id LIMIT :most FOR UPDATE SKIP LOCKED)
    SELECT person_id FROM below UNION ALL SELECT person_id FROM above
    """
)
_NEXT = text(
    """
    SELECT person_id FROM health_code.standing
     WHERE cast(:after AS uuid) IS NULL OR person_id > :after
     ORDER BY person_id LIMIT :most
    """
)


def turn_due(session: Session, *, most: int = MOST, now: datetime | None = None) -> int:
    """Fold people anew whose time has come; return how many.

    A batch is one transaction: what was done stays done, and whoever another worker holds is
    left to it.
    """
    people = list(session.scalars(_DUE, {"now": now, "most": most}))
    return fold_anew(session, people, now)


def follow_version(session: Session, *, most: int = MOST, now: datetime | None = None) -> int:
    """Fold people anew who stand by other rules than those in force; return how many."""
    number = live_version(session).number
    people = list(session.scalars(_BEHIND, {"number": number, "most": most}))
    return fold_anew(session, people, now)


def recompute(
    session: Session, *, after: UUID | None, most: int = MOST, now: datetime | None = None
) -> UUID | None:
    """Fold the next people behind an id anew, due or not; return the last, None at the end."""
    people = list(session.scalars(_NEXT, {"after": after, "most": most}))
    fold_anew(session, people, now)
    return people[-1] if people else None


def settle(session: Session, person_id: UUID, *, now: datetime | None = None) -> Standing | None:
    """Return where somebody stands, and write it first where the row is behind.

    For whoever signs a code from it: the codes of the colour before end in this transaction.
    """
    found = standing_of(session, person_id, now=now)
    if found is None or not found.is_due:
        return found
    fold_anew(session, [person_id], now)
    return standing_of(session, person_id, now=now)


def fold_anew(session: Session, people: list[UUID], now: datetime | None) -> int:
    """Write where people stand now, which ends what says otherwise; return how many they are."""
    if people:
        version = live_version(session)
        locked = lock(session, people, number=version.number, now=now)
        refold(session, locked, version=version)
    return len(people)
