"""A citizen's bookings of every module: shown, cancelled, and their codes.

The portal checks the owner, asks the module's policy from the registry, and calls the kernel: so
the kernel knows no module, and no module writes these routes again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.identity import masked_name
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.booking import queries, services
from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.services import Actor
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services import Code
from citizen_cloud.errors import Conflict, NotFound, StepUpRequired, Unavailable
from citizen_cloud.families.services import purpose_of
from citizen_cloud.manifest import Action, BookingPolicy, ServiceModule
from citizen_cloud.portal.state import Host
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Caller, Identity, Represented
from citizen_cloud.web.refusals import ProxyNotPermitted

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


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks, and for whom: himself, or somebody a link lets him act for."""

    caller: Caller
    acting: Represented | None = None

    @property
    def subject(self) -> Identity | None:
        """Return whose bookings these are."""
        return self.caller.identity if self.acting is None else self.acting.identity


def own_booking(session: Session, *, asker: Asker, booking_id: UUID) -> BookingRow:
    """Return a booking the subject holds. Raises ``NotFound`` for anybody else's.

    Having made it opens nothing: whoever booked for a child and is its guardian no more stays
    outside. Raises ``ProxyNotPermitted`` where the link does not cover the booking's service, and
    ``StepUpRequired`` on a device where the document was not shown: a phone number changes hands,
    and its next holder must not read, cancel or collect what the last one booked.
    """
    row = queries.booking_facts(session, booking_id)
    if row is None or not _owns(asker, row):
        raise NotFound
    if asker.subject is None:
        raise StepUpRequired(required_level=HOLDERS_LEVEL)
    if asker.acting is not None and row.module not in asker.acting.scopes:
        raise OutOfScope(row.module)
    return row


class OutOfScope(ProxyNotPermitted):
    """The link exists and does not cover the service of this booking; says the same."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self.module = module


def _owns(asker: Asker, row: BookingRow) -> bool:
    subject = asker.subject
    if subject is None:
        # It opens nothing yet: the document comes first.
        return row.booked_by == asker.caller.account_id
    return row.person_id == subject.person_id


def policy_of(host: Host, module: str) -> BookingPolicy | None:
    """Return the installed module's policy; None where the module is gone."""
    found: ServiceModule | None = host.modules.get(module)
    return found.bookings if found else None


def shown(
    host: Host, *, subject: Identity | None, rows: list[BookingRow], now: datetime
) -> list[Shown]:
    """Return the subject's bookings with what may be done with each; reads nothing."""
    name = masked_name(subject) if subject is not None else ""
    return [Shown(row=row, masked_name=name, actions=_actions(host, row, now)) for row in rows]


def _actions(host: Host, row: BookingRow, now: datetime) -> tuple[Action, ...]:
    policy = policy_of(host, row.module)
    return policy.actions(row.facts, now) if policy else ()


def cancel_booking(
    session: Session,
    host: Host,
    *,
    asker: Asker,
    booking_id: UUID,
    reason: str | None,
    now: datetime,
) -> BookingRow:
    """Cancel a booking of the subject's, if its module's rule allows it; its code dies with it.

    Cancelling a cancelled booking changes nothing and shows it again. What somebody does for
    another is written down for the person.
    """
    row = own_booking(session, asker=asker, booking_id=booking_id)
    policy = policy_of(host, row.module)
    if policy is None:
        raise ModuleUnavailable(module=row.module)
    if row.status == "cancelled":
        return row
    policy.cancel_policy(session, row.facts, now)
    if Action.CANCEL not in policy.actions(row.facts, now):
        raise NotCancellable
    actor = Actor(kind=asker.caller.kind, id=asker.caller.account_id)
    services.cancel(session, booking_id=booking_id, actor=actor, reason=reason)
    if policy.credential is not None:
        credentials.revoke(session, type=policy.credential, subject_id=booking_id)
    if asker.acting is not None:
        note_access(session, _change(asker.caller, asker.acting, row.module), now=now)
    return own_booking(session, asker=asker, booking_id=booking_id)


def _change(caller: Caller, acting: Represented, module: str) -> Look:
    return Look(
        person_id=acting.identity.person_id,
        reader_kind="proxy",
        reader_id=caller.account_id,
        purpose=purpose_of(module),
        categories=("bookings",),
        basis_type="link",
        basis_id=acting.link_id,
        outcome="changed",
    )


def booking_code(
    session: Session, host: Host, *, asker: Asker, booking_id: UUID, now: datetime
) -> tuple[BookingRow, Code]:
    """Return the live code of a booking, issuing it at the first show."""
    row = own_booking(session, asker=asker, booking_id=booking_id)
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
        holder_id=row.facts.person_id,
        now=now,
    )
    return row, code
