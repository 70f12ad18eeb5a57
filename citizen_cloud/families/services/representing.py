"""May this caller act for that person, now? One statement, read anew for every request.

The same statement writes the look down: a read that a link allows, or an attempt that none does.
What is *changed* on somebody's behalf is written where it happens, in the same transaction.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row

from citizen_cloud import clock
from citizen_cloud.families.rules import CATEGORIES, attempt_id
from citizen_cloud.web.caller import Caller, Identity, Represented

# Time decides here, not the status that a job tidies later.
_REPRESENT = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at),
    found AS (
        SELECT p.id, p.person_key, p.document_type, p.document_sealed, p.name_sealed,
               l.id AS link_id, l.scopes, a.id AS account_id
          FROM clock
          JOIN accounts.person p ON p.id = :person_id AND p.erased_at IS NULL
          LEFT JOIN families.link l
            ON l.acting_id = :acting_id AND l.represented_id = p.id AND l.status = 'active'
           AND (l.expires_at IS NULL OR l.expires_at > clock.at)
           AND (:scope = 'any' OR :scope = ANY(l.scopes)
                OR :scope = 'guardian' AND l.relation = 'child')
          LEFT JOIN accounts.account a ON a.person_id = p.id AND a.status <> 'closed'
    ), noted AS (
        INSERT INTO accounts.data_access
               (id, person_id, at, reader_kind, reader_id, purpose, categories, basis_type,
                basis_id, outcome)
        SELECT CASE WHEN link_id IS NULL THEN cast(:attempt_id AS uuid) ELSE uuidv7() END,
               id, clock.at, 'proxy', :reader_id, :purpose, ARRAY[:category],
               CASE WHEN link_id IS NULL THEN 'none' ELSE 'link' END, link_id,
               CASE WHEN link_id IS NULL THEN 'refused' ELSE 'read' END
          FROM found CROSS JOIN clock
         WHERE link_id IS NULL OR :reads
        ON CONFLICT (id) DO NOTHING
    )
    SELECT * FROM found
    """
)
_REFUSED = text(
    """
    INSERT INTO accounts.data_access
           (id, person_id, at, reader_kind, reader_id, purpose, categories, basis_type, outcome)
    VALUES (:id, :person_id, :now, 'proxy', :reader_id, :purpose, ARRAY[:category], 'none',
            'refused')
    ON CONFLICT (id) DO NOTHING
    """
)


def purpose_of(scope: str) -> str:
    """Return what a look by a proxy is called."""
    return f"families.proxy.{scope}"


def represent(
    connection: Connection,
    *,
    caller: Caller,
    person_id: UUID,
    scope: str,
    reads: bool,
    now: datetime | None = None,
) -> Represented | None:
    """Return whom the caller acts for, None where no live link covers the scope.

    ``any`` is every scope: the room that asks narrows its answer to those of the link.
    ``guardian`` is what no service's scope opens, and a child's guardian sees. An attempt on
    somebody who exists is written down once per actor, person, scope and day.
    """
    day = clock.local_day(now or clock.now())
    found = connection.execute(
        _REPRESENT,
        {
            "now": now,
            "person_id": person_id,
            "acting_id": caller.person.person_id,
            "scope": scope,
            "attempt_id": attempt_id(caller.account_id, person_id, scope, day),
            "reader_id": caller.account_id,
            "purpose": purpose_of(scope),
            "category": category_of(scope),
            "reads": reads,
        },
    ).first()
    return None if found is None or found.link_id is None else _represented(found)


def category_of(scope: str) -> str:
    """Return which data lies behind a scope, in the word the person reads."""
    return CATEGORIES.get(scope, "bookings")


def _represented(row: Row[tuple[object, ...]]) -> Represented:
    return Represented(
        identity=Identity(
            person_id=row.id,
            person_key=row.person_key,
            document_type=row.document_type,
            document_sealed=row.document_sealed,
            name_sealed=row.name_sealed,
        ),
        scopes=frozenset(row.scopes),
        link_id=row.link_id,
        account_id=row.account_id,
    )


def note_refused(
    connection: Connection, *, account_id: UUID, person_id: UUID, scope: str, now: datetime
) -> None:
    """Write down that a link did not reach so far; once per actor, person, scope and day."""
    connection.execute(
        _REFUSED,
        {
            "id": attempt_id(account_id, person_id, scope, clock.local_day(now)),
            "person_id": person_id,
            "now": now,
            "reader_id": account_id,
            "purpose": purpose_of(scope),
            "category": category_of(scope),
        },
    )
