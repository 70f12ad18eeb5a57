"""Pages by id: where one begins, and whether there is another."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from citizen_cloud.web import cursors
from citizen_cloud.web.cursors import BadCursor


def before_id(listing: str, query: Mapping[str, Any]) -> UUID | None:
    """Return the id a page begins behind. Raises ``BadCursor``."""
    sent = query.get("cursor")
    if not sent:
        return None
    try:
        return UUID(str(cursors.decode(listing, sent)[0]))
    except (ValueError, IndexError) as error:
        raise BadCursor from error


def more_behind(listing: str, ids: Sequence[UUID], limit: int) -> str | None:
    """Return the cursor of the next page, where one row more than asked was found."""
    return cursors.encode(listing, [ids[limit - 1]]) if len(ids) > limit else None
