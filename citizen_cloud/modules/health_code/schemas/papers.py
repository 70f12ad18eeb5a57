"""What is sent and shown of codes on paper."""

from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.modules.health_code.schemas.showing import COLOURS
from citizen_cloud.web.fields import Flag, Instant, OneOf, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing

REASONS = ("minor", "elder", "disabled")


class HealthPaperSchema(Outgoing):
    """A paper code, without the code."""

    id = Uuid()
    reason = OneOf(*REASONS, metadata={"example": "elder"})
    colour = OneOf(*COLOURS, metadata={"example": "green"})
    is_suspended = Flag(
        metadata={"description": "Another colour counts now; good again when this one does"}
    )
    issued_at = Instant()
    expires_at = Instant()


class HealthPaperCodeSchema(HealthPaperSchema):
    """A paper code as it is printed."""

    code = Str(
        max_length=1_000,
        metadata={"description": "The text of the QR code", "example": "CC1:6BF…"},
    )


class HealthShownDocumentSchema(Incoming):
    """The document on the table, and at which counter."""

    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(required=True, max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(required=True, max_length=60, metadata={"example": "王小明"})
    organisation_id = Uuid(
        metadata={"description": "Needed where the clerk works at several", "no_example": True}
    )


class NewHealthPaperSchema(HealthShownDocumentSchema):
    """Who gets the paper; with a certificate of disability, where its copy is filed."""

    disability_evidence = Str(
        max_length=100,
        metadata={
            "description": "Reference to the certificate that was shown; kept sealed",
            "no_example": True,
        },
    )
