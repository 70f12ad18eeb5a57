"""What the privacy room takes and gives."""

from citizen_cloud.privacy.rules import CLOSURE_REASONS
from citizen_cloud.web.fields import Both, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

EXAMPLE_SECRET = "pY4Vb0u3c5y1v2mC7QKx8n0dJ6rT9wZsE4hL1gA2fNo"  # noqa: S105 - an example


class LookReaderSchema(Outgoing):
    """Who looked: an organisation and a role, never a member of staff by name."""

    kind = Str(max_length=16, metadata={"example": "staff"})
    organisation = Both(
        allow_none=True, metadata={"example": {"zh": "海天大药房", "en": "Haitian"}}
    )
    role = Both(metadata={"example": {"zh": "工作人员", "en": "Staff"}})
    name = Str(
        max_length=100,
        allow_none=True,
        metadata={"description": "A proxy's, masked, or a system's", "example": "李*光"},
    )
    service = Both(
        allow_none=True,
        metadata={
            "description": "A partner's service or system, as it was registered",
            "example": {"zh": "海天医院预约挂号", "en": "Haitian Hospital appointments"},
        },
    )


class LookCategorySchema(Outgoing):
    """One kind of data that was seen."""

    name = Str(max_length=32, metadata={"example": "name"})
    text = Both(metadata={"example": {"zh": "姓名", "en": "Name"}})


class LookBasisSchema(Outgoing):
    """What made it rightful."""

    kind = OneOf("booking", "case", "link", "consent", "none", metadata={"example": "booking"})
    text = Both(metadata={"example": {"zh": "您在该处的预约", "en": "Your booking there"}})
    id = Uuid(allow_none=True, metadata={"description": "Of the booking, case or link"})


class LookSchema(Outgoing):
    """One look at my data, or an attempt that was refused."""

    id = Uuid()
    at = Instant()
    outcome = OneOf("read", "changed", "refused", metadata={"example": "read"})
    reader = Part(LookReaderSchema)
    purpose = Str(max_length=64, metadata={"example": "masks.redeem"})
    purpose_text = Both(metadata={"example": {"zh": "口罩领取核对", "en": "Handing over masks"}})
    categories = ListOf(Part(LookCategorySchema), max_length=20)
    basis = Part(LookBasisSchema)


class DataExportSchema(Outgoing):
    """A bundle, asked for or ready."""

    id = Uuid()
    status = OneOf("waiting", "ready", metadata={"example": "waiting"})
    requested_at = Instant()
    ready_at = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)


class NewClosureSchema(Incoming):
    """Why the account is closed; may be left out."""

    reason = OneOf(*CLOSURE_REASONS, metadata={"example": "not_needed"})


class ClosureSchema(Outgoing):
    """A closure that can still be undone."""

    id = Uuid()
    status = OneOf("cooling", metadata={"example": "cooling"})
    requested_at = Instant()
    due_at = Instant(metadata={"description": "Until then it can be undone"})


class OwnClosureSchema(Outgoing):
    """The closure of the own account, if one is under way."""

    closure = Part(ClosureSchema, allow_none=True)


class NewClosureAnswerSchema(ClosureSchema):
    """A closure with its secret, which is shown this once."""

    secret = Str(
        max_length=64,
        metadata={
            "description": "With the id it fetches the certificate when the account is gone",
            "example": EXAMPLE_SECRET,
        },
    )


class CertificateQuerySchema(Incoming):
    """A closure's id and secret."""

    id = Uuid(required=True)
    secret = Str(required=True, max_length=64, metadata={"example": EXAMPLE_SECRET})


class CertificateSchema(Outgoing):
    """What became of a closure."""

    status = OneOf("cooling", "closing", "closed", "undone", metadata={"example": "closed"})
    due_at = Instant()
    ended_at = Instant(allow_none=True)
    certificate = Str(
        max_length=65_536,
        allow_none=True,
        metadata={
            "description": "A JWS (EdDSA, `typ: erasure-certificate+jwt`) under the keys of "
            "`/.well-known/credential-keys.json`; null until it is closed",
            "example": "eyJ0eXAiOiJlcmFzdXJlLWNlcnRpZmljYXRlK2p3dCJ9.e30.c2ln",
        },
    )


LookPageSchema = page_of(LookSchema)
DataExportPageSchema = page_of(DataExportSchema)


class DestructionSchema(Outgoing):
    """The proof that a service is gone."""

    module = Str(max_length=32, metadata={"example": "health_code"})
    finished_at = Instant()
    certificate = Str(
        max_length=65_536,
        metadata={
            "description": "JWS (EdDSA, `typ` destruction-certificate+jwt)",
            "example": "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl",
        },
    )
