"""The statement that books: one round trip, one transaction, everything or nothing.

The WHERE of ``s`` is the lock: two phones cannot both pass it, and whoever waited for the row
sees it fresh. ``FROM s, a`` forces the order slot, allowance, booking. A refused allowance is a
CHECK violation, never an ``ON CONFLICT DO UPDATE … WHERE``: the latter would keep the slot's
increment. The last SELECT joins the words of the slot from the outside, so that a slot without
words cannot hide a booking that was made.

``%(now)s`` is empty in production: the database's clock decides.
"""

import re

_SLOT = """
WITH s AS (
    UPDATE booking.slot
       SET taken = taken + %(quantity)s::int,
           ledger_seq = ledger_seq + 1,
           ledger_head = sha256(
               ledger_head || uuid_send(%(id)s::uuid) || int4send(%(quantity)s::int))
     WHERE id = %(slot_id)s::uuid AND status = 'open' AND NOT settled
       AND taken + %(quantity)s::int <= capacity
       AND coalesce(%(now)s::timestamptz, statement_timestamp()) >= opens_at
       AND coalesce(%(now)s::timestamptz, statement_timestamp()) < closes_at
 RETURNING id, module, organisation_id, starts_at, ends_at, hot,
           new.ledger_seq AS seq, old.ledger_head AS prev, new.ledger_head AS hash
),"""

# A taking restarts the window when its day lies behind the window, or when nothing is used and
# no earlier window reaches so far. Where a window ends is counted from ``began_on``, the first day
# still taken in it: else a day booked and given back would open the next window early. A day
# before the floor belongs to a count that is no longer kept: it is pushed over the limit, and the
# CHECK refuses it.
_ALLOWANCE = """
a AS (
    INSERT INTO booking.allowance AS x
           (scope, person_key, quota_period, used, max, window_from, began_on)
    SELECT %(scope)s, %(person_key)s::bytea, %(period)s, %(quantity)s::int, %(max)s::int,
           %(window_from)s::date, %(window_from)s::date
      FROM s
    ON CONFLICT (scope, person_key, quota_period) DO UPDATE
       SET used = CASE
               WHEN excluded.window_from < x.floor_on THEN excluded.max + 1
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + %(days)s::int
                   THEN excluded.used
               ELSE x.used + excluded.used END,
           window_from = CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + %(days)s::int
                   THEN excluded.window_from
               ELSE x.window_from END,
           began_on = CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + %(days)s::int
                   THEN excluded.window_from
               ELSE x.began_on END,
           floor_on = CASE
               WHEN x.used > 0 AND excluded.window_from >= x.began_on + %(days)s::int
                   THEN x.began_on + %(days)s::int
               ELSE x.floor_on END,
           max = excluded.max
 RETURNING x.window_from
),"""

_BOOKING = """
i AS (
    INSERT INTO booking.booking
           (id, slot_id, person_id, booked_by, quantity, status, reference, request_key,
            request_hash, held_until, booked_at, changed_at, scope, person_key, quota_period,
            window_from, quota_day)
    SELECT %(id)s::uuid, s.id, %(person_id)s::uuid, %(booked_by)s::uuid, %(quantity)s::int,
           CASE WHEN %(hold_for)s::interval IS NULL THEN 'booked' ELSE 'held' END,
           %(reference)s, %(request_key)s, %(request_hash)s::bytea,
           least(coalesce(%(now)s::timestamptz, statement_timestamp()) + %(hold_for)s::interval,
                 CASE WHEN %(hold_for)s::interval IS NOT NULL THEN s.ends_at END),
           coalesce(%(now)s::timestamptz, statement_timestamp()),
           coalesce(%(now)s::timestamptz, statement_timestamp()),
           {quota}
      FROM {sources}
 RETURNING id, slot_id, person_id, booked_by, quantity, status, reference, held_until, booked_at
),
l AS (
    INSERT INTO booking.ledger (slot_id, seq, delta, booking_id, prev, hash)
    SELECT s.id, s.seq, i.quantity, i.id, s.prev, s.hash FROM s, i
),
p AS (
    SELECT s.organisation_id, i.id, i.booked_by, 'booking.' || i.status AS event,
           jsonb_build_object(
               'booking_id', i.id, 'module', s.module, 'slot_id', s.id,
               'organisation_id', s.organisation_id, 'person_id', i.person_id,
               'account_id', i.booked_by, 'quantity', i.quantity, 'reference', i.reference
           ) || %(payload)s::jsonb AS payload
      FROM s, i
),
u AS (
    INSERT INTO audit.entry (actor_kind, actor_id, action, object_type, object_id,
                             organisation_id, salt, payload)
    SELECT %(actor_kind)s, p.booked_by, p.event, 'booking', p.id, p.organisation_id,
           %(salt)s::bytea, p.payload
      FROM p
),
o AS (
    INSERT INTO jobs.outbox (event, payload) SELECT p.event, p.payload FROM p
)
SELECT i.id, s.module, i.status, i.reference, i.quantity, i.held_until, i.booked_at, i.slot_id,
       s.organisation_id, i.person_id, i.booked_by, s.starts_at, s.ends_at, w.title, w.place,
       s.hot
  FROM i CROSS JOIN s LEFT JOIN booking.slot_text w ON w.slot_id = s.id
"""

# Goods without a quota, and goods with one.
BOOK = _SLOT + _BOOKING.format(quota="NULL, NULL, NULL, NULL, NULL", sources="s")
BOOK_RATIONED = (
    _SLOT
    + _ALLOWANCE
    + _BOOKING.format(
        quota="%(scope)s, %(person_key)s::bytea, %(period)s, a.window_from, %(window_from)s::date",
        sources="s, a",
    )
)


def for_pgbench(sql: str) -> str:
    """Return the statement with pgbench's ``:name`` variables, for the bench to compare with."""
    return re.sub(r"%\((\w+)\)s", r":\1", sql).strip() + ";\n"
