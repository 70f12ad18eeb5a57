"""One transition with its audit, event and ledger rows, or none of it.

The slot is locked first, and the next statement, whose snapshot is new, decides. Under that lock
nothing else moves the booking, so the allowance can be locked before the booking's row. Where a
window of days lost its first one is decided after that, by a third statement: under the
allowance's lock, it sees what all others took and gave back.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.rules import Move
from citizen_cloud.booking.services.locks import lock_slot_of
from citizen_cloud.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: an ``account``, or the ``system`` itself, which has no id."""

    kind: str
    id: UUID | None


SYSTEM = Actor(kind="system", id=None)


@dataclass(frozen=True, slots=True)
class Changed:
    """The booking as it is now; ``changed`` is False when it was so already."""

    row: BookingRow
    changed: bool


# ``a`` runs before ``c``: the count makes the booking's UPDATE wait for the allowance's.
_MOVE = text(
    """
    WITH t AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at),
    b AS (
        SELECT b.id, b.slot_id, b.quantity, b.scope, b.person_key, b.quota_period, b.window_from
          FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id, t
         WHERE b.id = :id AND b.status = ANY(:sources)
           AND CASE cast(:condition AS text)
               WHEN 'live' THEN b.held_until > t.at
               WHEN 'lapsed' THEN b.held_until <= t.at
               WHEN 'ended' THEN s.ends_at <= t.at
               ELSE true END
    ), f AS (
        UPDATE booking.slot s
           SET taken = s.taken - b.quantity,
               overcommit = least(s.overcommit, greatest(s.taken - b.quantity - s.capacity, 0)),
               ledger_seq = s.ledger_seq + 1,
               ledger_head = sha256(s.ledger_head || uuid_send(b.id) || int4send(-b.quantity))
          FROM b WHERE s.id = b.slot_id AND cast(:frees AS bool)
     RETURNING s.id, b.id AS booking_id, -b.quantity AS delta, new.ledger_seq AS seq,
               old.ledger_head AS prev, new.ledger_head AS hash
    ), a AS (
        UPDATE booking.allowance x SET used = x.used - b.quantity
          FROM b
         WHERE cast(:frees AS bool) AND x.scope = b.scope AND x.person_key = b.person_key
           AND x.quota_period = b.quota_period
           AND x.window_from IS NOT DISTINCT FROM b.window_from
     RETURNING x.used > 0 AND x.window_from IS NOT NULL AS is_shorter
    ), c AS (
        UPDATE booking.booking o
           SET status = cast(:target AS text), changed_at = t.at,
               cancel_reason = coalesce(cast(:reason AS text), o.cancel_reason),
               held_until = CASE WHEN cast(:target AS text) <> 'booked' THEN o.held_until END
          FROM b, t WHERE o.id = b.id AND (SELECT count(*) FROM a) >= 0
     RETURNING o.*
    ), l AS (
        INSERT INTO booking.ledger (slot_id, seq, delta, booking_id, prev, hash)
        SELECT f.id, f.seq, f.delta, f.booking_id, f.prev, f.hash FROM f
    ), p AS (
        SELECT c.id, s.organisation_id, jsonb_build_object(
                   'booking_id', c.id, 'module', s.module, 'slot_id', s.id,
                   'organisation_id', s.organisation_id, 'person_id', c.person_id,
                   'account_id', c.booked_by, 'quantity', c.quantity, 'reference', c.reference
               ) AS payload
          FROM c JOIN booking.slot s ON s.id = c.slot_id
    ), u AS (
        INSERT INTO audit.entry (actor_kind, actor_id, action, object_type, object_id,
                                 organisation_id, salt, payload)
        SELECT :actor_kind, :actor_id, cast(:event AS text), 'booking', p.id, p.organisation_id,
               uuid_send(gen_random_uuid()), p.payload
          FROM p
    ), o AS (
        INSERT INTO jobs.outbox (event, payload) SELECT cast(:event AS text), p.payload FROM p
    )
    SELECT c.id, s.module, c.status, c.reference, c.quantity, c.held_until, c.booked_at,
           c.slot_id, s.organisation_id, c.person_id, c.booked_by, s.starts_at, s.ends_at,
           w.title, w.place, coalesce((SELECT a.is_shorter FROM a), false)
      FROM c JOIN booking.slot s ON s.id = c.slot_id
      LEFT JOIN booking.slot_text w ON w.slot_id = s.id
    """
)


# Days before ``began_on`` count in the window but never end it earlier.
_BEGIN_LATER = text(
    """
    UPDATE booking.allowance x SET began_on = f.first_on
      FROM (SELECT b.scope, b.person_key, b.quota_period, b.window_from, a.began_on,
                   min(o.quota_day) AS first_on
              FROM booking.booking b
              JOIN booking.allowance a USING (scope, person_key, quota_period, window_from)
              JOIN booking.booking o USING (person_id, scope, person_key, quota_period, window_from)
             WHERE b.id = :id AND o.status IN ('held', 'booked', 'arrived', 'fulfilled', 'noshow')
               AND o.quota_day >= a.began_on
             GROUP BY 1, 2, 3, 4, 5) f
     WHERE x.scope = f.scope AND x.person_key = f.person_key
       AND x.quota_period = f.quota_period AND x.window_from = f.window_from
       AND f.first_on > x.began_on
    """
)


def move_booking(
    session: Session,
    move: Move,
    booking_id: UUID,
    actor: Actor,
    now: datetime | None,
    *,
    reason: str | None = None,
) -> BookingRow | None:
    """Lock the booking's slot and do one transition; nothing when it does not start from here."""
    if not lock_slot_of(session, booking_id):
        raise NotFound
    return act(session, move, booking_id, actor, now, reason=reason)


def act(
    session: Session,
    move: Move,
    booking_id: UUID,
    actor: Actor,
    now: datetime | None,
    *,
    reason: str | None = None,
) -> BookingRow | None:
    """Do one transition; the caller holds the slot's lock."""
    row = session.execute(
        _MOVE,
        {
            "id": booking_id,
            "sources": list(move.sources),
            "target": move.target,
            "frees": move.frees,
            "condition": move.condition,
            "event": move.event,
            "reason": reason,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "now": now,
        },
    ).first()
    if row is None:
        return None
    *facts, is_shorter = row
    if is_shorter:
        session.execute(_BEGIN_LATER, {"id": booking_id})
    return BookingRow._make(facts)
