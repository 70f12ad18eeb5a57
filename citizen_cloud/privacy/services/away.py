"""Who holds data and cannot answer: a module that stands aside, or whose package was taken away."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.privacy.owners import Owners

# Rooms and tools without a contribution; none of them holds anything about anybody.
OTHERS = frozenset({"information_schema", "procrastinate", "public", "registry"})
# Tables outlive the package that made them; what the application may not enter is not its own.
_LEFT = text(
    """
    SELECT n.nspname FROM pg_namespace n
     WHERE n.nspname <> ALL(:known) AND n.nspname NOT LIKE 'pg\\_%'
       AND has_schema_privilege(n.oid, 'USAGE')
       AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p'))
     ORDER BY n.nspname
    """
)


def away(session: Session, *, owners: Owners) -> list[str]:
    """Return the names of those who may hold data and are not here to give or erase it."""
    known = [*owners.known, *owners.absent, *OTHERS]
    return sorted({*owners.absent, *session.scalars(_LEFT, {"known": known})})
