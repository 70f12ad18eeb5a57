"""How long news waits."""

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.jobs.rules import LANES

_OLDEST = text(
    """
    SELECT l.lane,
           coalesce(extract(epoch FROM statement_timestamp() - o.due_at), 0)::float AS seconds
      FROM unnest(cast(:lanes AS text[])) AS l(lane)
      LEFT JOIN LATERAL (
           SELECT due_at FROM jobs.outbox
            WHERE lane = l.lane AND done_at IS NULL AND due_at <= statement_timestamp()
            ORDER BY due_at LIMIT 1) o ON true
    """
)


def oldest_waiting(connection: Session | Connection) -> dict[str, float]:
    """Return for every lane how many seconds its first event has been due; 0 where none is."""
    rows = connection.execute(_OLDEST, {"lanes": list(LANES)})
    return {row.lane: row.seconds for row in rows}
