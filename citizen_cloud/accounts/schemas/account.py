"""What the own account takes and gives."""

from citizen_cloud.accounts.rules.consents import PURPOSES
from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.web.fields import Flag, Instant, Int, OneOf, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of


class MeSchema(Outgoing):
    """The caller's own account, masked."""

    account_id = Uuid()
    kind = OneOf("citizen", "staff", "admin", metadata={"example": "citizen"})
    language = OneOf("zh", "en", metadata={"example": "zh"})
    level = Int(
        minimum=1,
        maximum=3,
        metadata={"description": "1 phone, 2 real name, 3 in person", "example": 2},
    )
    real_name = OneOf(
        "none",
        "unconfirmed",
        "confirmed",
        metadata={
            "description": "`unconfirmed`: the account has a person, but the document was not yet "
            "shown on this device; repeat the real-name step to reach its level",
            "example": "confirmed",
        },
    )
    phone = Str(allow_none=True, max_length=32, metadata={"example": "138****8000"})
    name = Str(
        allow_none=True,
        max_length=64,
        metadata={"description": "Masked; the display name for staff", "example": "王*明"},
    )
    person_id = Uuid(allow_none=True)


class OwnDeviceSchema(Outgoing):
    """A registered device."""

    id = Uuid()
    name = Str(max_length=64, metadata={"example": "小明的手机"})
    created_at = Instant()
    last_seen_at = Instant()
    is_current = Flag(metadata={"example": True})


class DeviceNameSchema(Incoming):
    """How its owner will recognise a device."""

    name = Str(required=True, max_length=64, metadata={"example": "小明的手机"})


class SignOutEverywhereSchema(Incoming):
    """Whether the sign-in that asks ends as well."""

    keep_this = Flag(
        load_default=False,
        metadata={"description": "true keeps the sign-in that asks", "example": True},
    )


class ConsentSchema(Outgoing):
    """A purpose, its present text, and what the citizen said to it."""

    purpose = Str(max_length=32, metadata={"example": "real_name"})
    version = Int(minimum=1, metadata={"example": 1})
    title = Str(max_length=200, metadata={"example": "实名认证"})
    text = Str(max_length=2000, metadata={"example": "为核实您的身份……"})
    granted = Flag(metadata={"example": True})
    granted_at = Instant(allow_none=True)
    withdrawn_at = Instant(allow_none=True)


class ConsentChoiceSchema(Incoming):
    """A yes to one purpose in the version that was read, or its withdrawal."""

    purpose = OneOf(*PURPOSES, required=True, metadata={"example": "real_name"})
    version = Int(required=True, minimum=1, maximum=999, metadata={"example": 1})
    granted = Flag(
        load_default=True,
        metadata={"description": "false withdraws it", "example": True},
    )


class RealNameSchema(Incoming):
    """The document and the name on it."""

    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(required=True, max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(required=True, max_length=60, metadata={"example": "王小明"})


class PersonSchema(Outgoing):
    """The person the account now belongs to."""

    person_id = Uuid()
    level = Int(minimum=1, maximum=3, metadata={"example": 2})
    document_type = OneOf(*DOCUMENT_TYPES, metadata={"example": "resident_id"})
    name = Str(max_length=64, metadata={"description": "Masked", "example": "王*明"})


class NewPasswordSchema(Incoming):
    """The password in use and the one to use from now on."""

    current = Str(required=True, max_length=128, metadata={"example": "k3-Yw8mT1pQz"})
    new = Str(
        required=True,
        max_length=128,
        metadata={
            "description": "8 to 128 characters, not common; no other rule",
            "example": "四月的风 吹过海边 42",
        },
    )


OwnDevicePageSchema = page_of(OwnDeviceSchema)
