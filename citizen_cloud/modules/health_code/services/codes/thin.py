"""Give a code for a minute to any client: one statement that writes nothing, and a signature.

No row says that it was given, so none says when somebody showed a code. Its id is sealed, and a
check opens it and looks at what counts by then (``queries.thin``).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.credentials.services.issuing import RETRY_AFTER_S
from citizen_cloud.credentials.services.thin import Bearer, ThinCode, thin_code
from citizen_cloud.errors import Unavailable
from citizen_cloud.modules.health_code.queries.showable import NO_COLOUR, Asking
from citizen_cloud.modules.health_code.queries.thin import basis_of, thinly_showable
from citizen_cloud.modules.health_code.rules.not_given import NoStatus, UseDevice
from citizen_cloud.modules.health_code.services.codes.showing import require_right
from citizen_cloud.modules.health_code.services.colours.refolding import fold_anew


@dataclass(frozen=True, kw_only=True)
class Given:
    """A code that was given to any client, and what it says."""

    code: ThinCode
    colour: str
    at: datetime


def give(
    connection: Connection | Session, asking: Asking, *, now: datetime | None = None
) -> Given | None:
    """Give any client a code; None where a turn is due that nobody wrote down yet (``turn``).

    Whoever has a phone registered gets none: a stolen sign-in would be enough for it. Raises
    ``ProxyNotPermitted``, ``ConsentRequired``, ``UseDevice``, ``NoStatus``, and ``Unavailable``
    where every signing key is revoked.
    """
    known = thinly_showable(connection, asking, now=now)
    require_right(is_linked=known.is_linked, is_agreed=known.is_agreed)
    if known.has_phone:
        raise UseDevice
    if known.is_due:
        return None
    if known.handle is None or known.colour == NO_COLOUR:
        raise NoStatus
    if known.kid is None:
        raise Unavailable(retry_after=RETRY_AFTER_S)
    code = thin_code(
        Bearer(handle=known.handle, basis=basis_of(asking.link_id)),
        colour=known.colour,
        kid=known.kid,
        at=known.at,
        until=known.next_change_at,
    )
    return Given(code=code, colour=known.colour, at=known.at)


def turn(session: Session, asking: Asking, *, now: datetime | None = None) -> None:
    """Write down the turn that is due, which ends what says the colour before."""
    fold_anew(session, [asking.person_id], now)
