"""What the home screen reads, in one statement."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

MOST_NEXT = 5

_HOME = text(
    """
    WITH coming AS (
        SELECT b.id, s.module, b.status, b.reference, b.quantity, s.starts_at, s.ends_at,
               x.title, x.place
          FROM booking.booking b
          JOIN booking.slot s ON s.id = b.slot_id
          JOIN booking.slot_text x ON x.slot_id = s.id
         WHERE b.person_id = :person_id AND b.status IN ('held', 'booked')
           AND (cast(:modules AS text[]) IS NULL OR s.module = ANY(:modules))
           AND s.ends_at > coalesce(cast(:now AS timestamptz), statement_timestamp())),
    next AS (SELECT * FROM coming ORDER BY starts_at, id LIMIT :most)
    SELECT (SELECT count(*) FROM messages.message m
             WHERE m.account_id = :account_id AND m.read_at IS NULL
               AND (cast(:since_device AS uuid) IS NULL
                    OR m.created_at >= (SELECT d.created_at FROM accounts.device d
                                         WHERE d.id = :since_device))) AS unread,
           (SELECT jsonb_object_agg(module, n)
              FROM (SELECT module, count(*) AS n FROM coming GROUP BY module) c) AS badges,
           n.*
      FROM (VALUES (1)) AS one(row) LEFT JOIN next n ON true
     ORDER BY n.starts_at, n.id
    """
)


@dataclass(frozen=True, kw_only=True)
class Home:
    """Unread messages, coming bookings per module, and the next few of them."""

    unread: int
    badges: dict[str, int]
    coming: list[dict[str, Any]]


def home(
    connection: Connection,
    *,
    account_id: UUID | None,
    person_id: UUID | None,
    modules: Collection[str] | None = None,
    since_device: UUID | None = None,
    now: datetime | None = None,
) -> Home:
    """Read everything the home screen shows of one citizen; without an account no messages.

    With ``since_device`` only messages count that came after this device was registered.
    """
    values = {
        "account_id": account_id,
        "person_id": person_id,
        "since_device": since_device,
        "modules": None if modules is None else sorted(modules),
        "now": now,
        "most": MOST_NEXT,
    }
    rows = connection.execute(_HOME, values).mappings().all()
    return Home(
        unread=rows[0]["unread"],
        badges=rows[0]["badges"] or {},
        coming=[dict(row) for row in rows if row["id"] is not None],
    )
