"""Leave word for an account that something about its way in changed; messages delivers it."""

from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.jobs.services import announce

EVENT = "accounts.way_in_changed"
What = Literal[
    "recovery_codes_drawn",
    "recovery_code_used",
    "totp_replaced",
    "reset",
    "suspended",
    "reinstated",
    "person_bound",
    "person_unbound",
]


def tell(session: Session, *, account_id: UUID, what: What, **facts: object) -> None:
    """Announce a change; ``facts`` fill the words (``left``: codes left)."""
    announce(session, EVENT, {"account_id": account_id, "what": what, **facts}, lane="urgent")
