"""Book many orders of one hot slot in one transaction, with every guarantee of a single one.

Under the slot's lock: who has been here before (key or person) is left out; the rest is admitted
in the order of arrival while places last; quotas are taken in key order, and here the returned
set decides who goes on. Then bookings, ledger, audit and events are one statement. There is no
``ON CONFLICT`` on bookings: a conflict undoes the batch, and its members are booked singly.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.rules import REFERENCE_BYTES, new_reference
from citizen_cloud.booking.services.taking import SALT_BYTES, Order
from citizen_cloud.db import new_id

_SLOT = text(
    """
    SELECT s.capacity - s.taken AS free, s.ledger_seq, s.ledger_head
      FROM booking.slot s,
           (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
     WHERE s.id = :slot_id AND s.status = 'open' AND NOT s.settled
       AND t.at >= s.opens_at AND t.at < s.closes_at
       FOR NO KEY UPDATE OF s
    """
)
_SEEN = text(
    """
    SELECT m.number
      FROM unnest(cast(:accounts AS uuid[]), cast(:keys AS text[]), cast(:persons AS uuid[]))
           WITH ORDINALITY AS m (account, key, person, number)
     WHERE EXISTS (SELECT 1 FROM booking.booking b
                    WHERE b.booked_by = m.account AND b.request_key = m.key)
        OR EXISTS (SELECT 1 FROM booking.booking b
                    WHERE b.slot_id = :slot_id AND b.person_id = m.person
                      AND b.status IN ('held', 'booked', 'arrived', 'fulfilled'))
    """
)
# The same windows as in ``statement.py``; what would pass the limit is left out, not an error.
_ALLOWANCES = text(
    """
    INSERT INTO booking.allowance AS x
           (scope, person_key, quota_period, used, max, window_from, began_on)
    SELECT :scope, m.person_key, :period, m.quantity, :max, cast(:window_from AS date),
           cast(:window_from AS date)
      FROM unnest(cast(:person_keys AS bytea[]), cast(:quantities AS int[]))
           AS m (person_key, quantity)
     ORDER BY m.person_key
    ON CONFLICT (scope, person_key, quota_period) DO UPDATE
       SET used = CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + cast(:days AS int)
                   THEN excluded.used
               ELSE x.used + excluded.used END,
           window_from = CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + cast(:days AS int)
                   THEN excluded.window_from
               ELSE x.window_from END,
           began_on = CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + cast(:days AS int)
                   THEN excluded.window_from
               ELSE x.began_on END,
           floor_on = CASE
               WHEN x.used > 0 AND excluded.window_from >= x.began_on + cast(:days AS int)
                   THEN x.began_on + cast(:days AS int)
               ELSE x.floor_on END,
           max = excluded.max
     WHERE (excluded.window_from < x.floor_on) IS NOT TRUE
       AND excluded.max >= CASE
               WHEN x.used = 0 OR excluded.window_from >= x.began_on + cast(:days AS int)
                   THEN excluded.used
               ELSE x.used + excluded.used END
 RETURNING x.person_key, x.window_from
    """
)
_BOOKINGS = text(
    """
    WITH m AS (
        SELECT * FROM unnest(
            cast(:id AS uuid[]), cast(:person_id AS uuid[]), cast(:booked_by AS uuid[]),
            cast(:quantity AS int[]), cast(:reference AS text[]), cast(:request_key AS text[]),
            cast(:request_hash AS bytea[]), cast(:person_key AS bytea[]),
            cast(:window_from AS date[]), cast(:payload AS text[]), cast(:actor_kind AS text[]),
            cast(:salt AS bytea[]), cast(:seq AS bigint[]), cast(:prev AS bytea[]),
            cast(:hash AS bytea[]))
            AS m (id, person_id, booked_by, quantity, reference, request_key, request_hash,
                  person_key, window_from, payload, actor_kind, salt, seq, prev, hash)
    ), s AS (
        UPDATE booking.slot
           SET taken = taken + :places, ledger_seq = :last_seq, ledger_head = :last_hash
         WHERE id = :slot_id
     RETURNING id, module, organisation_id, starts_at, ends_at
    ), i AS (
        INSERT INTO booking.booking
               (id, slot_id, person_id, booked_by, quantity, status, reference, request_key,
                request_hash, booked_at, changed_at, scope, person_key, quota_period, window_from,
                quota_day)
        SELECT m.id, s.id, m.person_id, m.booked_by, m.quantity, 'booked', m.reference,
               m.request_key, m.request_hash, t.at, t.at, :scope, m.person_key, :period,
               m.window_from, cast(:quota_day AS date)
          FROM s, m,
               (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
     RETURNING id, slot_id, person_id, booked_by, quantity, status, reference, held_until,
               booked_at
    ), l AS (
        INSERT INTO booking.ledger (slot_id, seq, delta, booking_id, prev, hash)
        SELECT s.id, m.seq, m.quantity, m.id, m.prev, m.hash FROM s, m
    ), p AS (
        SELECT m.id, m.booked_by, m.actor_kind, m.salt, s.organisation_id, jsonb_build_object(
                   'booking_id', m.id, 'module', s.module, 'slot_id', s.id,
                   'organisation_id', s.organisation_id, 'person_id', m.person_id,
                   'account_id', m.booked_by, 'quantity', m.quantity, 'reference', m.reference
               ) || cast(m.payload AS jsonb) AS payload
          FROM s, m
    ), u AS (
        INSERT INTO audit.entry (actor_kind, actor_id, action, object_type, object_id,
                                 organisation_id, salt, payload)
        SELECT p.actor_kind, p.booked_by, 'booking.booked', 'booking', p.id, p.organisation_id,
               p.salt, p.payload
          FROM p
    ), o AS (
        INSERT INTO jobs.outbox (event, payload) SELECT 'booking.booked', p.payload FROM p
    )
    SELECT i.id, s.module, i.status, i.reference, i.quantity, i.held_until, i.booked_at,
           i.slot_id, s.organisation_id, i.person_id, i.booked_by, s.starts_at, s.ends_at,
           w.title, w.place
      FROM i CROSS JOIN s LEFT JOIN booking.slot_text w ON w.slot_id = s.id
    """
)


def book_together(
    session: Session, *, orders: Sequence[Order], now: datetime | None = None
) -> dict[str, BookingRow]:
    """Book what can be booked of one slot's orders; return the rows by request key.

    All orders name the same slot and the same quota. Whoever is missing in the answer is booked
    singly and hears the reason there: seen before, over the quota, or no place left.
    """
    first = orders[0]
    slot = session.execute(_SLOT, {"slot_id": first.slot_id, "now": now}).first()
    if slot is None or slot.free <= 0:
        return {}
    fitting = _fitting(_unseen(session, orders), slot.free)
    windows = _take_quotas(session, fitting)
    admitted = [order for order in fitting if order.person_key in windows]
    if not admitted:
        return {}
    values = _rows(admitted, windows, slot)
    keys = {UUID(str(values["id"][n])): order.request_key for n, order in enumerate(admitted)}
    rows = session.execute(_BOOKINGS, {**values, "now": now})
    return {keys[row[0]]: BookingRow._make(row) for row in rows}


def _unseen(session: Session, orders: Sequence[Order]) -> list[Order]:
    found = session.scalars(
        _SEEN,
        {
            "accounts": [order.booked_by for order in orders],
            "keys": [order.request_key for order in orders],
            "persons": [order.person_id for order in orders],
            "slot_id": orders[0].slot_id,
        },
    )
    seen = set(found)
    return [order for number, order in enumerate(orders, 1) if number not in seen]


def _fitting(orders: Sequence[Order], free: int) -> list[Order]:
    """Return those who fit, in the order of arrival; a party too large lets others pass."""
    fitting = []
    for order in orders:
        if order.quantity <= free:
            free -= order.quantity
            fitting.append(order)
    return fitting


def _take_quotas(session: Session, orders: Sequence[Order]) -> dict[bytes | None, Any]:
    """Return the window each person's taking was counted in; refused persons are missing."""
    if not orders:
        return {}
    quota = orders[0].quota
    if quota is None:
        return {order.person_key: None for order in orders}
    rows = session.execute(
        _ALLOWANCES,
        {
            "scope": quota.scope,
            "period": quota.period,
            "max": quota.max,
            "days": quota.rolling_days,
            "window_from": quota.day if quota.rolling_days is not None else None,
            "person_keys": [order.person_key for order in orders],
            "quantities": [order.quantity for order in orders],
        },
    )
    return {bytes(row.person_key): row.window_from for row in rows}


def _rows(
    orders: Sequence[Order], windows: dict[bytes | None, Any], slot: Row[Any]
) -> dict[str, Any]:
    quota = orders[0].quota
    ids = [new_id() for _ in orders]
    head = bytes(slot.ledger_head)
    links: list[tuple[bytes, bytes]] = []
    for booking_id, order in zip(ids, orders, strict=True):
        delta = order.quantity.to_bytes(4, "big", signed=True)
        hashed = hashlib.sha256(head + booking_id.bytes + delta).digest()
        links.append((head, hashed))
        head = hashed
    return {
        "slot_id": orders[0].slot_id,
        "scope": quota.scope if quota else None,
        "period": quota.period if quota else None,
        "quota_day": quota.day if quota and quota.rolling_days is not None else None,
        "places": sum(order.quantity for order in orders),
        "last_seq": slot.ledger_seq + len(orders),
        "last_hash": head,
        "id": ids,
        "person_id": [order.person_id for order in orders],
        "booked_by": [order.booked_by for order in orders],
        "quantity": [order.quantity for order in orders],
        "reference": [new_reference(secrets.token_bytes(REFERENCE_BYTES)) for _ in orders],
        "request_key": [order.request_key for order in orders],
        "request_hash": [order.request_hash for order in orders],
        "person_key": [order.person_key if quota else None for order in orders],
        "window_from": [windows[order.person_key] for order in orders],
        "payload": [orjson.dumps(dict(order.payload), default=str).decode() for order in orders],
        "actor_kind": [order.actor_kind for order in orders],
        "salt": [secrets.token_bytes(SALT_BYTES) for _ in orders],
        "seq": list(range(slot.ledger_seq + 1, slot.ledger_seq + len(orders) + 1)),
        "prev": [prev for prev, _ in links],
        "hash": [hashed for _, hashed in links],
    }
