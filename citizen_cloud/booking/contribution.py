"""What the booking room adds: its sweepers, and which personal data it holds."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.booking import services
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, PersonalData, Subject
from citizen_cloud.text import Text

MOST = 500
# Longer than any quota period, so that forgetting never gives a second quota.
KEEP_QUOTAS = timedelta(days=62)
RETENTION_DAYS = 730

_LAPSED_SLOTS = text(
    """
    SELECT DISTINCT slot_id FROM booking.booking
     WHERE status = 'held'
       AND held_until <= coalesce(cast(:now AS timestamptz), statement_timestamp())
     LIMIT :most
    """
)
_OVER = text(
    """
    WITH over AS MATERIALIZED (
        SELECT b.scope, b.person_key, b.quota_period
          FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
         WHERE b.person_key IS NOT NULL
         GROUP BY b.scope, b.person_key, b.quota_period
        HAVING max(s.ends_at) < :before
         LIMIT :most
    ), gone AS (
        DELETE FROM booking.allowance a USING over o JOIN booking.allowance x
               USING (scope, person_key, quota_period)
         WHERE a.scope = o.scope AND a.person_key = o.person_key
           AND a.quota_period = o.quota_period
           AND a.window_from IS NOT DISTINCT FROM x.window_from AND a.used = x.used
     RETURNING a.scope, a.person_key, a.quota_period
    )
    UPDATE booking.booking b SET person_key = NULL FROM gone g
     WHERE b.scope = g.scope AND b.person_key = g.person_key AND b.quota_period = g.quota_period
    """
)
_EXPORT = text(
    """
    SELECT b.id, b.reference, b.status, b.quantity, b.booked_at, b.changed_at, b.cancel_reason,
           s.module, s.starts_at, s.ends_at, w.title, w.place
      FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
      LEFT JOIN booking.slot_text w ON w.slot_id = b.slot_id
     WHERE b.person_id = :person_id
        OR b.person_id IN (SELECT person_id FROM accounts.account WHERE id = :account_id)
     ORDER BY b.id
    """
)
# Whoever booked for another was there, but where and when the other one goes is not his to take.
_EXPORT_FOR_OTHERS = text(
    """
    SELECT b.id, s.module, b.status, b.quantity, b.booked_at
      FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
     WHERE b.booked_by = :account_id AND b.person_id IS DISTINCT FROM :person_id
       AND b.person_id NOT IN (SELECT person_id FROM accounts.account
                                WHERE id = :account_id AND person_id IS NOT NULL)
     ORDER BY b.id
    """
)
_QUOTAS = text(
    """
    SELECT a.scope, a.quota_period, a.used, a.max, a.window_from, a.began_on, a.floor_on
      FROM booking.allowance a
     WHERE a.person_key = (SELECT p.person_key FROM accounts.person p WHERE p.id = :person_id)
     ORDER BY a.scope, a.quota_period
    """
)
# The key of a request is the app's own word, and may say anything.
_ERASE = text(
    """
    UPDATE booking.booking
       SET cancel_reason = NULL, request_key = id::text, request_hash = ''::bytea
     WHERE (booked_by = :account_id OR person_id = :person_id)
       AND (cancel_reason IS NOT NULL OR request_key <> id::text)
    """
)


def expire_holds(now: datetime | None) -> int:
    """Free unconfirmed holds, one slot and one transaction at a time; return how many.

    The statements ask the database's clock: a worker whose clock runs fast frees nothing early.
    """
    del now
    with db.transaction() as session:
        slots = session.scalars(_LAPSED_SLOTS, {"now": None, "most": MOST}).all()
    freed = 0
    for slot_id in slots:
        with db.transaction() as session:
            freed += services.expire_holds(session, slot_id=slot_id)
    return freed


def forget_quotas(now: datetime) -> int:
    """Delete what people used of quotas whose period is long over; return how many bookings."""
    with db.transaction() as session:
        before = now - KEEP_QUOTAS
        return rows_changed(session, _OVER, {"before": before, "most": MOST * 100})


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the person's bookings and quotas, and that some bookings were made for others."""
    asked = asdict(subject)
    parts = {"bookings": _EXPORT, "booked_for_others": _EXPORT_FOR_OTHERS, "quotas": _QUOTAS}
    return {
        part: [dict(row) for row in session.execute(statement, asked).mappings()]
        for part, statement in parts.items()
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Blank what an account wrote in its own words.

    Bookings stay as counts of places, under ids without a name; the quota key leaves with its
    period, or a new account would bring a second quota.
    """
    del now
    return rows_changed(session, _ERASE, asdict(subject))


contribution = Contribution(
    name="booking",
    jobs=(
        Job(name="booking.expire_holds", cron="* * * * * */10", run=expire_holds),
        Job(name="booking.forget_quotas", cron="23 3 * * *", run=forget_quotas),
    ),
    personal_data=PersonalData(
        categories=(
            Text("预约记录", "Bookings"),
            Text("限购用量(以不可逆标识记录)", "Quota used, under an irreversible key"),
        ),
        purpose=Text(
            "保留名额并保证公平分配", "To keep the places booked and share scarce ones fairly"
        ),
        legal_basis=Text("履行公共服务职责", "Performance of a public service"),
        retention_days=RETENTION_DAYS,
        tables=frozenset({"booking.booking", "booking.allowance"}),
        kept=(
            Text("预约作为名额计数保留,不含姓名", "Bookings as counts of places, under no name"),
            Text(
                "本期限购用量保留至该期结束后62天,以防重复领取",
                "What was used of a quota, until 62 days after its period, so that nobody "
                "gets a second one",
            ),
        ),
        export=export,
        erase=erase,
    ),
)
