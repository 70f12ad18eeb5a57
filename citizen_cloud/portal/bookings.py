"""A citizen's bookings of every module: shown, cancelled, and their codes.

The portal checks the owner, asks the module's policy from the registry, and calls the kernel: so
the kernel knows no module, and no module writes these routes again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.identity import masked_name, masked_names
from citizen_cloud.booking import queries, services
from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.services import Actor
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services import Code
from citizen_cloud.errors import Conflict, NotFound, StepUpRequired, Unavailable
from citizen_cloud.manifest import Action, BookingPolicy, ServiceModule
from citizen_cloud.portal.state import Host
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Caller

HOLDERS_LEVEL = 2


class ModuleUnavailable(Unavailable):
    """The module of this booking is not installed at present."""

    code = "module_unavailable"
    title = Text("服务不可用", "Service not installed")
    detail = Text(
        "该预约所属的服务目前不可用，预约仍然保留。",
        "The service of this booking is not available at present; the booking itself is kept.",
    )


class NoCode(Conflict):
    """There is no code to show for this booking now."""

    code = "no_code"
    title = Text("当前没有可出示的凭证", "No code to show")
    detail = Text("该预约当前没有可出示的凭证。", "This booking has no code to show at present.")


class NotCancellable(Conflict):
    """The booking's state or the module's rule does not allow a cancellation any more."""

    code = "not_cancellable"
    title = Text("当前不能取消", "Cannot be cancelled now")
    detail = Text("该预约当前不能取消。", "This booking cannot be cancelled any more.")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A booking as its owner sees it."""

    row: BookingRow
    masked_name: str
    actions: tuple[Action, ...]


def own_booking(session: Session, *, caller: Caller, booking_id: UUID) -> BookingRow:
    """Return a booking the caller made or holds. Raises ``NotFound`` for anybody else's.

    Raises ``StepUpRequired`` on a device where the document was not shown: a phone number changes
    hands, and its next holder must not read, cancel or collect what the last one booked.
    """
    row = queries.booking_facts(session, booking_id)
    if row is None or not _owns(caller, row):
        raise NotFound
    if caller.identity is None:
        raise StepUpRequired(required_level=HOLDERS_LEVEL)
    return row


def _owns(caller: Caller, row: BookingRow) -> bool:
    is_holder = caller.identity is not None and row.person_id == caller.identity.person_id
    return is_holder or row.booked_by == caller.account_id


def policy_of(host: Host, module: str) -> BookingPolicy | None:
    """Return the installed module's policy; None where the module is gone."""
    found: ServiceModule | None = host.modules.get(module)
    return found.bookings if found else None


def shown(
    session: Session, host: Host, *, caller: Caller, rows: list[BookingRow], now: datetime
) -> list[Shown]:
    """Return bookings with what may be done with each; one more read only for others' names."""
    identity = caller.identity
    strangers = {
        row.person_id for row in rows if not identity or row.person_id != identity.person_id
    }
    names = masked_names(session, list(strangers)) if strangers else {}
    if identity is not None:
        names[identity.person_id] = masked_name(identity)
    return [
        Shown(
            row=row,
            masked_name=names.get(row.person_id, ""),
            actions=_actions(host, row, now),
        )
        for row in rows
    ]


def _actions(host: Host, row: BookingRow, now: datetime) -> tuple[Action, ...]:
    policy = policy_of(host, row.module)
    return policy.actions(row.facts, now) if policy else ()


def cancel_booking(
    session: Session,
    host: Host,
    *,
    caller: Caller,
    booking_id: UUID,
    reason: str | None,
    now: datetime,
) -> BookingRow:
    """Cancel a booking of the caller's, if its module's rule allows it; its code dies with it.

    Cancelling a cancelled booking changes nothing and shows it again.
    """
    row = own_booking(session, caller=caller, booking_id=booking_id)
    policy = policy_of(host, row.module)
    if policy is None:
        raise ModuleUnavailable(module=row.module)
    if row.status == "cancelled":
        return row
    policy.cancel_policy(session, row.facts, now)
    if Action.CANCEL not in policy.actions(row.facts, now):
        raise NotCancellable
    actor = Actor(kind=caller.kind, id=caller.account_id)
    services.cancel(session, booking_id=booking_id, actor=actor, reason=reason)
    if policy.credential is not None:
        credentials.revoke(session, type=policy.credential, subject_id=booking_id)
    return own_booking(session, caller=caller, booking_id=booking_id)


def booking_code(
    session: Session, host: Host, *, caller: Caller, booking_id: UUID, now: datetime
) -> tuple[BookingRow, Code]:
    """Return the live code of a booking, issuing it at the first show."""
    row = own_booking(session, caller=caller, booking_id=booking_id)
    policy = policy_of(host, row.module)
    if policy is None:
        raise ModuleUnavailable(module=row.module)
    if policy.credential is None or Action.SHOW not in policy.actions(row.facts, now):
        raise NoCode
    code = credentials.issue(
        session,
        type=policy.credential,
        subject_id=booking_id,
        not_before=row.booked_at,
        expires_at=row.ends_at,
        now=now,
    )
    return row, code
