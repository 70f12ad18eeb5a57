"""Recount everything, in one snapshot, while the city books: it reports and never repairs."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.engine import Connection


class Difference(NamedTuple):
    """One thing that does not add up: which invariant, which object, and the two numbers."""

    kind: str
    object_id: str
    expected: str
    found: str


# One statement is one snapshot: the counters and the rows they count are of the same instant.
_DIFFERENCES = text(
    """
    WITH held AS (
        SELECT slot_id, sum(quantity) AS places FROM booking.booking
         WHERE status IN ('held', 'booked', 'arrived', 'fulfilled', 'noshow') GROUP BY slot_id
    ), chain AS (
        SELECT slot_id, seq, delta, booking_id, prev, hash,
               row_number() OVER w AS number,
               coalesce(lag(hash) OVER w, '\\x'::bytea) AS before
          FROM booking.ledger WINDOW w AS (PARTITION BY slot_id ORDER BY seq)
    ), moved AS (
        SELECT slot_id, sum(delta) AS places, max(seq) AS seq,
               (array_agg(hash ORDER BY seq DESC))[1] AS head
          FROM booking.ledger GROUP BY slot_id
    ), per_booking AS (
        SELECT booking_id, sum(delta) AS places, count(*) AS moves
          FROM booking.ledger GROUP BY booking_id
    ), used AS (
        SELECT scope, person_key, quota_period, window_from, sum(quantity) AS places
          FROM booking.booking
         WHERE person_key IS NOT NULL AND scope IS NOT NULL
           AND status IN ('held', 'booked', 'arrived', 'fulfilled', 'noshow')
         GROUP BY scope, person_key, quota_period, window_from
    ), acts AS (
        SELECT object_id AS booking_id,
               count(*) FILTER (WHERE action IN ('booking.booked', 'booking.held')) AS made,
               count(*) FILTER (WHERE action = 'booking.held') AS held,
               count(*) FILTER (WHERE action = 'booking.confirmed') AS confirmed,
               count(*) FILTER (WHERE action = 'booking.cancelled') AS cancelled,
               count(*) FILTER (WHERE action = 'booking.expired') AS expired,
               count(*) FILTER (WHERE action = 'booking.fulfilled')
               - count(*) FILTER (WHERE action = 'booking.undone') AS fulfilled
          FROM audit.entry WHERE object_type = 'booking' GROUP BY object_id
    ), told AS (
        SELECT object_id::text AS booking_id, action AS event, count(*) AS times
          FROM audit.entry
         WHERE object_type = 'booking' AND action LIKE 'booking.%'
           AND at > statement_timestamp() - interval '6 days'
         GROUP BY 1, 2
    ), news AS (
        SELECT payload ->> 'booking_id' AS booking_id, event, count(*) AS times
          FROM jobs.outbox
         WHERE event LIKE 'booking.%' AND created_at > statement_timestamp() - interval '6 days'
         GROUP BY 1, 2
    )
    SELECT 'conservation' AS kind, s.id::text AS object_id,
           coalesce(h.places, 0)::text AS expected, s.taken::text AS found
      FROM booking.slot s LEFT JOIN held h ON h.slot_id = s.id
     WHERE s.taken <> coalesce(h.places, 0)
    UNION ALL
    SELECT 'oversold', id::text, 'at most ' || capacity + overcommit, taken::text
      FROM booking.slot WHERE taken < 0 OR taken > capacity + overcommit
    UNION ALL
    SELECT 'allowance', coalesce(a.scope, u.scope),
           coalesce(u.places, 0)::text, coalesce(a.used::text, 'none')
      FROM booking.allowance a
      FULL JOIN used u ON u.scope = a.scope AND u.person_key = a.person_key
           AND u.quota_period = a.quota_period
           AND u.window_from IS NOT DISTINCT FROM a.window_from
     WHERE (a.scope IS NULL AND NOT EXISTS (
               SELECT 1 FROM booking.allowance x
                WHERE x.scope = u.scope AND x.person_key = u.person_key
                  AND x.quota_period = u.quota_period AND x.window_from IS NOT NULL))
        OR a.used <> coalesce(u.places, 0)
    UNION ALL
    SELECT 'over_quota', scope, 'at most ' || max, used::text
      FROM booking.allowance WHERE used < 0 OR used > max
    UNION ALL
    SELECT 'key_used_twice', booked_by::text, '1', count(*)::text
      FROM booking.booking GROUP BY booked_by, request_key HAVING count(*) > 1
    UNION ALL
    SELECT 'person_twice_in_slot', slot_id::text, '1', count(*)::text
      FROM booking.booking WHERE status IN ('held', 'booked', 'arrived', 'fulfilled')
     GROUP BY slot_id, person_id HAVING count(*) > 1
    UNION ALL
    SELECT 'ledger_chain', slot_id::text, number::text, seq::text
      FROM chain
     WHERE seq <> number OR prev <> before
        OR hash <> sha256(prev || uuid_send(booking_id) || int4send(delta))
    UNION ALL
    SELECT 'ledger_head', s.id::text, s.ledger_seq::text, coalesce(m.seq, 0)::text
      FROM booking.slot s LEFT JOIN moved m ON m.slot_id = s.id
     WHERE s.ledger_seq <> coalesce(m.seq, 0)
        OR s.ledger_head <> coalesce(m.head, '\\x'::bytea)
        OR s.taken <> coalesce(m.places, 0)
    UNION ALL
    SELECT 'ledger_of_booking', b.id::text, b.status, coalesce(p.places, 0)::text
      FROM booking.booking b LEFT JOIN per_booking p ON p.booking_id = b.id
     WHERE p.places IS DISTINCT FROM
               CASE WHEN b.status IN ('cancelled', 'expired') THEN 0 ELSE b.quantity END
        OR p.moves <> CASE WHEN b.status IN ('cancelled', 'expired') THEN 2 ELSE 1 END
    UNION ALL
    SELECT 'audit', b.id::text, b.status, to_jsonb(a)::text
      FROM booking.booking b LEFT JOIN acts a ON a.booking_id = b.id
     WHERE a.made IS DISTINCT FROM 1
        OR a.cancelled <> (b.status = 'cancelled')::int
        OR a.expired <> (b.status = 'expired')::int
        OR a.fulfilled <> (b.status = 'fulfilled')::int
        OR a.confirmed > a.held
        OR (a.held > a.confirmed AND b.status NOT IN ('held', 'cancelled', 'expired'))
        OR (a.held = a.confirmed AND b.status = 'held')
    UNION ALL
    SELECT 'outbox', coalesce(t.booking_id, n.booking_id),
           coalesce(t.times, 0)::text, coalesce(n.times, 0)::text
      FROM told t FULL JOIN news n ON n.booking_id = t.booking_id AND n.event = t.event
     WHERE t.times IS DISTINCT FROM n.times
    LIMIT 1000
    """
)


def differences(connection: Connection) -> list[Difference]:
    """Return what does not add up, at most 1,000 things; an empty list is the good answer.

    Counters against rows, quotas against takings, every ledger link, and one audit entry and one
    event for each transition. Reads only, takes no lock, may run at any time.
    """
    return [Difference._make(row) for row in connection.execute(_DIFFERENCES)]
