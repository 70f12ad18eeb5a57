"""Give codes out to a phone that signs for a fresh show key; ``thin`` is for any other client.

Two statements each: what is known, then the record of the code. Where nothing stands in the way
one does both (``at_once``). Showing a code takes none.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.accounts.rules.consents import HEALTH_CODE, PURPOSES
from citizen_cloud.credentials.refusals import DeviceKeyUnknown
from citizen_cloud.credentials.services import Held, issue_held, prove_show_key
from citizen_cloud.credentials.services.issuing import PHONE
from citizen_cloud.modules.health_code.queries.showable import (
    Asking,
    Coloured,
    Showable,
    showable,
)
from citizen_cloud.modules.health_code.services.codes.acting import note_acting
from citizen_cloud.modules.health_code.services.colours.settled import settled
from citizen_cloud.web.refusals import ProxyNotPermitted


@dataclass(frozen=True, kw_only=True)
class Given:
    """A code that was given to a phone, and what it says."""

    held: Held
    colour: str
    next_change_at: datetime | None
    at: datetime


def give_phone(
    session: Session,
    asking: Asking,
    *,
    show_key: bytes,
    proof: bytes,
    now: datetime | None = None,
) -> Given:
    """Give the phone a code that lasts a day, or until the colour turns.

    Raises ``ConsentRequired``, ``DeviceKeyUnknown`` where this phone has no key, what
    ``prove_show_key`` and ``issue_held`` raise, and ``NoStatus``.
    """
    known = _known(session, asking, now)
    if known.key_id is None or known.public_key is None:
        raise DeviceKeyUnknown
    prove_show_key(known.public_key, show_key=show_key, proof=proof)
    now_is = settled(session, known, person_id=asking.person_id, now=now)
    held = issue_held(
        session,
        type=PHONE,
        holder_id=asking.person_id,
        colour=now_is.colour,
        expires_at=now_is.next_change_at,
        show_key=show_key,
        device_key_id=known.key_id,
        now=now,
    )
    note_acting(session, asking, outcome="read")
    return _given(held, now_is)


def require_agreed(session: Session, asking: Asking, *, now: datetime | None = None) -> None:
    """Let pass who agreed to the service and, acting for somebody, still may."""
    _known(session, asking, now)


def require_status(session: Session, asking: Asking, *, now: datetime | None = None) -> bool:
    """Let pass who has a colour to show; return whether a phone is registered to show it.

    Raises ``ConsentRequired``, ``NoStatus``.
    """
    known = _known(session, asking, now)
    settled(session, known, person_id=asking.person_id, now=now)
    return known.has_phone


def _known(session: Session, asking: Asking, now: datetime | None) -> Showable:
    known = showable(session, asking, now=now)
    require_right(is_linked=known.is_linked, is_agreed=known.is_agreed)
    return known


def require_right(*, is_linked: bool, is_agreed: bool) -> None:
    """Let pass who agreed and may act. Raises ``ProxyNotPermitted``, ``ConsentRequired``."""
    if not is_linked:
        raise ProxyNotPermitted
    if not is_agreed:
        raise ConsentRequired(purpose=HEALTH_CODE, version=PURPOSES[HEALTH_CODE].version)


def _given(held: Held, known: Coloured) -> Given:
    return Given(held=held, colour=known.colour, next_change_at=known.next_change_at, at=known.at)
