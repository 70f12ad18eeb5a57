"""Tell holders what became of their masks, each thing once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking.queries import BookingRow, booking_facts
from citizen_cloud.families.services import accounts_to_tell
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.masks.rules.notices import Told, notice
from citizen_cloud.modules.masks.services.outlets import OUTLET_LEFT
from citizen_cloud.modules.masks.services.slots import MODULE
from citizen_cloud.text import from_json

SETTINGS = {"reminder_hours": 16, "reminder_sms": True}
MOST = 500


def tell(session: Session, *, booking_id: UUID, kind: str, dedupe_key: str, now: datetime) -> bool:
    """Put the news of one booking into the booker's and the person's inbox.

    False if it was told before. A proxy whose link has ended is told nothing more; a new code
    is news only while the booking waits for it.
    """
    row = booking_facts(session, booking_id)
    if row is None or (kind == "renewed" and row.status not in {"booked", "arrived"}):
        return False
    if kind == "cancelled" and _has_outlet_left(session, booking_id):
        kind = OUTLET_LEFT
    return _send(session, row, kind, dedupe_key, now=now)


def _has_outlet_left(session: Session, booking_id: UUID) -> bool:
    """Say whether the outlet gave the booking up; citizens may write the same word as a reason."""
    sql = text(
        """
        SELECT EXISTS (SELECT FROM booking.booking b
                         JOIN booking.slot s ON s.id = b.slot_id
                         JOIN organisations.organisation o ON o.id = s.organisation_id
                        WHERE b.id = :id AND b.cancel_reason = :left AND o.status = 'closed')
        """
    )
    return bool(session.scalar(sql, {"id": booking_id, "left": OUTLET_LEFT}))


def _send(
    session: Session,
    row: BookingRow,
    kind: str,
    dedupe_key: str,
    *,
    now: datetime,
    sms: bool = False,
) -> bool:
    told = Told(
        product=from_json(row.title),
        place=from_json(row.place),
        quantity=row.quantity,
        reference=row.reference,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
    title, body = notice(kind, told)
    is_new = False
    for account_id in accounts_to_tell(
        session, person_id=row.person_id, booked_by=row.booked_by, scope=MODULE
    ):
        note = Note(
            account_id=account_id,
            kind=f"masks.{kind}",
            title=title,
            body=body,
            dedupe_key=_key_of(account_id, row, dedupe_key),
            subject_type="booking",
            subject_id=row.id,
            sms=sms,
        )
        is_new = notify(session, note=note, now=now) or is_new
    return is_new


def _key_of(account_id: UUID, row: BookingRow, dedupe_key: str) -> str:
    """Return a key per inbox; the booker's is the one it always was."""
    return dedupe_key if account_id == row.booked_by else f"{dedupe_key}:{account_id}"


# Whoever booked inside the reminder's own time has just been told and needs none.
_DUE = text(
    """
    INSERT INTO masks.reminder (booking_id)
    SELECT b.id
      FROM booking.slot s
      JOIN booking.booking b ON b.slot_id = s.id AND b.status = 'booked'
     CROSS JOIN (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at,
                        make_interval(hours => :hours) AS ahead) t
     WHERE s.module = :module AND s.ends_at > t.at AND s.starts_at > t.at
       AND s.starts_at <= t.at + t.ahead AND b.booked_at < s.starts_at - t.ahead
       AND NOT EXISTS (SELECT FROM masks.reminder r WHERE r.booking_id = b.id)
     ORDER BY b.id LIMIT :most
    ON CONFLICT DO NOTHING RETURNING booking_id
    """
)


def remind(session: Session, *, now: datetime | None, sent_at: datetime) -> int:
    """Remind holders whose window begins soon, each once; return how many were."""
    settings = _settings(session)
    values = {
        "module": MODULE,
        "hours": settings["reminder_hours"],
        "most": MOST,
        "now": now,
    }
    booking_ids = session.scalars(_DUE, values).all()
    for booking_id in booking_ids:
        row = booking_facts(session, booking_id)
        if row is not None:
            key = f"masks.reminder:{booking_id}"
            sms = bool(settings["reminder_sms"])
            _send(session, row, "reminder", key, now=sent_at, sms=sms)
    return len(booking_ids)


def _settings(session: Session) -> dict[str, int | bool]:
    """Return the module's settings as an administrator left them."""
    sql = text("SELECT settings FROM registry.module WHERE name = :name")
    return {**SETTINGS, **(session.scalar(sql, {"name": MODULE}) or {})}
