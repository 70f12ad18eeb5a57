"""A scan as an inspector sends it, and what he gets."""

from citizen_cloud.credentials.compact import LONGEST
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.web.fields import Both, Flag, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing

OUTCOMES = tuple(str(one) for one in Outcome)
COLOURS = ("green", "yellow", "red")
SOURCES = ("device", "thin", "paper", "share")
PROBLEMS = ("not_found", "place_closed", "scan_id_reused", "too_old")
MOST_SCANS = 500
SCAN_ID = {
    "description": "Drawn by the scanner for each scan; repeated, it repeats the answer",
    "example": "0196b6a2-5f0e-7a31",
}
CODE = {"description": "What the camera read, or the word of a share", "example": "CC2:6BF…"}
# Base64url as it is written, so that each nonce has one text.
NONCE_FORM = "(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?"
NONCE = {
    "description": "What the gate asked the code to be bound to: 1 to 32 bytes, base64url",
    "example": "AAECAwQFBgcICQoLDA0ODw",
}


class NewHealthScanSchema(Incoming):
    """One scan."""

    scan_id = Str(
        required=True, min_length=1, max_length=64, pattern="[A-Za-z0-9._-]+", metadata=SCAN_ID
    )
    code = Str(required=True, min_length=1, max_length=LONGEST, metadata=CODE)
    place_id = Uuid(metadata={"description": "Where; one of your organisation's places"})
    nonce = Str(min_length=2, max_length=43, pattern=NONCE_FORM, metadata=NONCE)


class HealthVerificationSchema(Outgoing):
    """What a code is worth, and no more of the person than a look at the screen tells."""

    outcome = OneOf(*OUTCOMES, required=True, metadata={"example": "valid"})
    colour = OneOf(*COLOURS, required=True, allow_none=True, metadata={"example": "green"})
    name_masked = Str(required=True, allow_none=True, max_length=200, metadata={"example": "王*明"})
    as_of = Instant(required=True, allow_none=True)
    status_as_of = Instant(required=True)
    source = OneOf(*SOURCES, required=True, allow_none=True, metadata={"example": "device"})
    reason = Both(required=True, metadata={"example": {"zh": "有效", "en": "Valid"}})
    decided_at = Instant(required=True)
    replayed = Flag(
        required=True,
        metadata={"description": "This scan was answered before", "example": False},
    )


class OfflineHealthScanSchema(NewHealthScanSchema):
    """A scan that a gate decided alone."""

    scanned_at = Instant(required=True, metadata={"description": "By the gate's own clock"})
    outcome = OneOf(*OUTCOMES, required=True, metadata={"example": "valid"})


class HealthScanBatchSchema(Incoming):
    """What gates decided while they were alone."""

    scans = ListOf(
        Part(OfflineHealthScanSchema), required=True, min_length=1, max_length=MOST_SCANS
    )


class HealthScanDecisionSchema(Outgoing):
    """What the server says of one of them."""

    scan_id = Str(required=True, max_length=64, metadata=SCAN_ID)
    outcome = OneOf(*OUTCOMES, required=True, allow_none=True, metadata={"example": "valid"})
    device_outcome = OneOf(*OUTCOMES, required=True, metadata={"example": "valid"})
    is_conflict = Flag(
        required=True,
        metadata={"description": "The gate let in whom the server would not", "example": False},
    )
    replayed = Flag(required=True, metadata={"example": False})
    problem = OneOf(
        *PROBLEMS,
        required=True,
        allow_none=True,
        metadata={"description": "Why it was not recorded", "example": None},
    )


class HealthScanDecisionsSchema(Outgoing):
    """In the order they were sent."""

    items = ListOf(Part(HealthScanDecisionSchema), required=True, max_length=MOST_SCANS)
    conflicts = Int(required=True, metadata={"example": 0})
