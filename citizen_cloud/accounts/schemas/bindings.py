"""What staff and citizens send and get about whom a staff account stands for."""

from citizen_cloud.web.fields import Flag, Instant, ListOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing

CODE_EXAMPLE = "MZXW-6YTB-OI7S-A5DF-NQ2G-4K3A"
# Nobody works with more accounts than this.
MOST = 50


class PersonBindingSchema(Outgoing):
    """Whether a staff account stands for somebody."""

    is_bound = Flag(metadata={"example": True})
    bound_at = Instant(allow_none=True)


class BindingCodeSchema(Outgoing):
    """The code by which the same person's citizen account confirms it, shown this once."""

    code = Str(max_length=32, metadata={"example": CODE_EXAMPLE})
    expires_at = Instant()


class BindingConfirmationSchema(Incoming):
    """The code the staff account was shown."""

    code = Str(
        required=True,
        max_length=64,
        metadata={
            "description": "Case, dashes and blanks do not matter",
            "example": CODE_EXAMPLE,
        },
    )


class SeenConfirmationSchema(BindingConfirmationSchema):
    """The code, and whose account it is as it was shown."""

    username = Str(
        required=True,
        max_length=64,
        metadata={
            "description": "As `POST /me/staff-accounts/preview` shows it",
            "example": "wang.xiaomei",
        },
    )


class StaffAccountSchema(Outgoing):
    """A staff account that stands for the caller."""

    id = Uuid(metadata={"description": "Of the binding"})
    username = Str(max_length=64, allow_none=True, metadata={"example": "wang.xiaomei"})
    bound_at = Instant()


class StaffAccountsSchema(Outgoing):
    """Every staff account that stands for the caller."""

    items = ListOf(Part(StaffAccountSchema), max_length=MOST)
