"""What a holder may do with a booking of masks."""

from datetime import datetime

from citizen_cloud.manifest import Action, BookingFacts
from citizen_cloud.modules.masks.rules.refusals import CancelTooLate


def actions(facts: BookingFacts, now: datetime) -> tuple[Action, ...]:
    """Return what a holder may do: show the code until the window ends, cancel until it begins.

    Once it has begun the share lies ready at the counter; what is not collected returns to stock
    when the window ends.
    """
    if facts.status != "booked" or now >= facts.ends_at:
        return ()
    return (Action.SHOW, Action.CANCEL) if now < facts.starts_at else (Action.SHOW,)


def check_cancel(facts: BookingFacts, now: datetime) -> None:
    """Refuse a cancellation once the window has begun (``CancelTooLate``)."""
    if facts.status == "booked" and now >= facts.starts_at:
        raise CancelTooLate(starts_at=facts.starts_at)
