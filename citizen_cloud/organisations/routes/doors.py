"""The room's one blueprint, and what its doors share."""

from uuid import UUID

from citizen_cloud.organisations.services import Actor
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller

blp = Blueprint(
    "organisations",
    url_prefix="/admin",
    description="机构与工作人员 · Organisations, their staff and roles (back office)",
)


def actor() -> Actor:
    """Return the caller as the audit names him."""
    return Actor(caller().kind, caller().account_id)


def after_of(listing: str, sent: str | None) -> UUID | None:
    """Return the id a page starts behind. Raises ``BadCursor``."""
    return UUID(str(cursors.decode(listing, sent)[0])) if sent else None
