"""What a citizen sees of a staff account before saying that it is his."""

from citizen_cloud.organisations.schemas.places import NAME
from citizen_cloud.web.fields import Both, Instant, ListOf, OneOf, Part, Str
from citizen_cloud.web.schemas import Outgoing

MOST = 50


class WorksAtSchema(Outgoing):
    """An organisation the account acts for."""

    name = Both(required=True, metadata={"example": NAME})


class AskingSchema(Outgoing):
    """The account that shows the code."""

    username = Str(max_length=64, required=True, metadata={"example": "wang.xiaomei"})
    kind = OneOf(
        "staff",
        "admin",
        required=True,
        metadata={"description": "`admin` looks after the whole platform"},
    )
    works_at = ListOf(Part(WorksAtSchema), required=True, max_length=MOST)
    expires_at = Instant(required=True)
