"""The module's part of the host's pages: a booking's actions, the tile's badge, personal data."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import BookingFacts, BookingPolicy, PersonalData, Subject, Tile
from citizen_cloud.modules.masks.services.policy import actions, check_cancel
from citizen_cloud.modules.masks.services.redemptions import VOUCHER
from citizen_cloud.text import Text


def cancel_policy(session: Session, facts: BookingFacts, now: datetime) -> None:
    """Refuse what ``check_cancel`` refuses; nothing has to be read for it."""
    del session
    check_cancel(facts, now)


policy = BookingPolicy(actions=actions, cancel_policy=cancel_policy, credential=VOUCHER)


# No badge of its own: the home screen counts coming bookings for every module.
tile = Tile(icon="mask", path="/masks")

_EXPORT = text(
    """
    SELECT r.id, r.booking_id, b.reference, r.redeemed_at, r.undone_at, r.method, o.name AS outlet
      FROM masks.redemption r
      JOIN booking.booking b ON b.id = r.booking_id
      JOIN organisations.organisation o ON o.id = r.organisation_id
     WHERE b.person_id = :person_id
        OR b.person_id IN (SELECT person_id FROM accounts.account WHERE id = :account_id)
     ORDER BY r.id
    """
)
_REMINDED = text(
    """
    SELECT m.booking_id, m.sent_at
      FROM masks.reminder m JOIN booking.booking b ON b.id = m.booking_id
     WHERE b.booked_by = :account_id OR b.person_id = :person_id
     ORDER BY m.booking_id
    """
)
_IMPORTS = text(
    """
    SELECT id, organisation_id, target, applied_at FROM masks.stock_import
     WHERE applied_by = :account_id ORDER BY id
    """
)
_WORK = text(
    """
    SELECT count(*) FILTER (WHERE r.redeemed_by = :account_id) AS handed_over,
           count(*) FILTER (WHERE r.undone_by = :account_id) AS taken_back
      FROM masks.redemption r WHERE :account_id IN (r.redeemed_by, r.undone_by)
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return what was collected, and for a clerk how much he handed over."""
    values = asdict(subject)
    return {
        "collected": _rows(session, _EXPORT, values),
        "reminders": _rows(session, _REMINDED, values),
        "as_clerk": dict(session.execute(_WORK, values).mappings().one()),
        "stock_files": _rows(session, _IMPORTS, values),
    }


def _rows(session: Session, statement: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(statement, values).mappings()]


_FORGET = text(
    """
    DELETE FROM masks.reminder m USING booking.booking b
     WHERE b.id = m.booking_id
       AND (b.booked_by = :account_id OR b.person_id = :person_id)
    """
)


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Forget the reminders; hand-overs stay as stock records that name no person themselves."""
    del now
    return rows_changed(session, _FORGET, asdict(subject))


personal_data = PersonalData(
    categories=(Text("口罩领取记录", "Records of masks collected"),),
    purpose=Text("核销预约、防止重复领取", "To hand out each booked share once"),
    legal_basis=Text("履行法定职责", "Statutory duty"),
    retention_days=2 * 365,
    tables=frozenset({"masks.redemption", "masks.reminder", "masks.stock_import"}),
    kept=(
        Text("领取记录作为库存凭证保留,不含姓名", "Hand-overs as records of stock, under no name"),
    ),
    export=export,
    erase=erase,
)
