"""What the inbox takes and gives."""

from citizen_cloud.web.fields import Both, Instant, Int, ListOf, Part, QueryFlag, Str, Uuid
from citizen_cloud.web.schemas import Outgoing, PageQuery


class MessageQuery(PageQuery):
    """Which messages."""

    unread = QueryFlag(
        load_default=False, metadata={"description": "Only unread ones", "example": False}
    )


class MessageSchema(Outgoing):
    """A message; ``subject`` names what it is about, so that a tap can open it."""

    id = Uuid()
    kind = Str(max_length=64, metadata={"example": "masks.booked"})
    title = Both()
    body = Both(max_length=1000)
    subject_type = Str(max_length=32, allow_none=True, metadata={"example": "booking"})
    subject_id = Uuid(allow_none=True)
    created_at = Instant()
    read_at = Instant(allow_none=True)


class MessagePageSchema(Outgoing):
    """One page of the inbox, and how much is unread in all."""

    items = ListOf(Part(MessageSchema), max_length=100, required=True)
    next_cursor = Str(max_length=500, required=True, allow_none=True, metadata={"example": None})
    unread = Int(metadata={"example": 2})
