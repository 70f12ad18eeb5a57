"""Made-up persons nobody has a reason to look at; ``data_access`` sounds the alarm."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound

_ADD = text(
    """
    INSERT INTO accounts.honey_person (person_id)
    SELECT id FROM accounts.person WHERE id = :id AND erased_at IS NULL
    ON CONFLICT (person_id) DO UPDATE SET created_at = honey_person.created_at
    RETURNING person_id
    """
)
_LIST = text("SELECT person_id, created_at FROM accounts.honey_person ORDER BY created_at")
_REMOVE = text("DELETE FROM accounts.honey_person WHERE person_id = :id")


def mark(session: Session, *, person_id: UUID) -> None:
    """Make every look at a person an alarm. Raises ``NotFound``."""
    if session.scalar(_ADD, {"id": person_id}) is None:
        raise NotFound
    record(session, _act("honey_marked", person_id))


def unmark(session: Session, *, person_id: UUID) -> None:
    """Make a person like any other again."""
    session.execute(_REMOVE, {"id": person_id})
    record(session, _act("honey_unmarked", person_id))


def marked(session: Session) -> list[tuple[UUID, datetime]]:
    """Return the marked persons, and since when."""
    return [(row.person_id, row.created_at) for row in session.execute(_LIST)]


def _act(verb: str, person_id: UUID) -> Act:
    return Act(
        actor_kind="operator",
        actor_id=None,
        action=f"privacy.{verb}",
        object_type="person",
        object_id=person_id,
    )
