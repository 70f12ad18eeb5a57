"""What authority systems send, and the report they get."""

from flask_smorest.fields import Upload

from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.modules.health_code.rules.batches import (
    EVIDENCE,
    KINDS,
    LONGEST_REFERENCE,
    MOST_FAULTS_SHOWN,
    MOST_FILE_ROWS,
    MOST_JSON_ROWS,
)
from citizen_cloud.web.fields import Both, Flag, Instant, Int, ListOf, OneOf, Part, QueryFlag, Str
from citizen_cloud.web.fields import Uuid as Id
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

REFERENCE = {
    "description": "Your own id of the batch: the same id and content gives the same report",
    "example": "cdc-2026-11-24-0007",
}
PATTERN = "[0-9A-Za-z._:-]{1,64}"


class HealthFactSchema(Incoming):
    """One fact of one person, with what it rests on."""

    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(max_length=32, required=True, metadata={"example": "11010519491231002X"})
    name = Str(max_length=50, required=True, metadata={"example": "王小明"})
    kind = OneOf(*KINDS, required=True, metadata={"example": "test_result"})
    detail = Str(
        max_length=16,
        min_length=0,
        load_default="",
        metadata={
            "description": "`positive`, `negative` of a test; `close`, `secondary`, `venue` of an "
            "exposure; empty for the others",
            "example": "negative",
        },
    )
    occurred_at = Str(
        max_length=40,
        required=True,
        metadata={
            "description": "RFC 3339; without an offset the city's time. A wrong one is a row of "
            "the report",
            "example": "2026-11-24T08:30:00+08:00",
        },
    )
    evidence_class = OneOf(*EVIDENCE, required=True, metadata={"example": "laboratory"})
    evidence_reference = Str(
        max_length=64,
        required=True,
        metadata={"description": "Where the evidence lies", "example": "LAB-2026-0412"},
    )


class NewHealthBatchSchema(Incoming):
    """A batch of facts."""

    batch_id = Str(max_length=LONGEST_REFERENCE, pattern=PATTERN, required=True, metadata=REFERENCE)
    is_partial = Flag(
        load_default=False,
        data_key="partial",
        metadata={
            "description": "Take the right rows although others are wrong",
            "example": False,
        },
    )
    rows = ListOf(Part(HealthFactSchema), min_length=1, max_length=MOST_JSON_ROWS, required=True)


class NewHealthFileSchema(Incoming):
    """The same as CSV."""

    batch_id = Str(max_length=LONGEST_REFERENCE, pattern=PATTERN, required=True, metadata=REFERENCE)
    is_partial = QueryFlag(
        load_default=False,
        data_key="partial",
        metadata={
            "description": "Take the right rows although others are wrong",
            "example": False,
        },
    )
    file = Upload(
        required=True,
        error_messages={"required": "file_required", "null": "file_required"},
        metadata={
            "description": f"CSV in UTF-8 or GB18030, at most {MOST_FILE_ROWS} rows",
            "no_example": True,
        },
    )


class HealthRowFaultSchema(Outgoing):
    """What is wrong with a row; of a file the header is row 1."""

    row = Int(required=True, allow_none=True, metadata={"example": 3})
    field = Str(max_length=32, required=True, allow_none=True, metadata={"example": "name"})
    code = Str(max_length=32, required=True, metadata={"example": "name_invalid"})
    message = Str(max_length=300, required=True, metadata={"example": "姓名格式不正确"})


class HealthBatchSchema(Outgoing):
    """What became of a batch: every row was accepted or rejected by its form alone."""

    id = Id(required=True)
    batch_id = Str(max_length=LONGEST_REFERENCE, required=True, metadata=REFERENCE)
    status = OneOf(
        "received",
        "applied",
        "waiting",
        "released",
        "refused",
        required=True,
        metadata={
            "description": "`received`: a minute later `applied`. `waiting`: above your hourly "
            "cap, two authorities decide; then `released` or `refused`",
            "example": "applied",
        },
    )
    rows_in = Int(required=True, metadata={"example": 120})
    accepted = Int(required=True, metadata={"example": 120})
    rejected = Int(required=True, metadata={"example": 0})
    errors = ListOf(Part(HealthRowFaultSchema), max_length=MOST_FAULTS_SHOWN, required=True)
    received_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)


class HealthAuditedBatchSchema(Outgoing):
    """A batch as auditors see it: counts, no rows."""

    id = Id(required=True)
    batch_id = Str(max_length=LONGEST_REFERENCE, required=True, metadata=REFERENCE)
    source_id = Id(required=True)
    source_name = Both(required=True, metadata={"example": {"zh": "市疾控中心", "en": "City CDC"}})
    unit_id = Id(required=True)
    status = OneOf("received", "applied", "waiting", "released", "refused", required=True)
    rows_in = Int(required=True, metadata={"example": 120})
    accepted = Int(required=True, metadata={"example": 118})
    rejected = Int(required=True, metadata={"example": 2})
    unplaced = Int(
        required=True,
        metadata={
            "description": "Accepted rows that named nobody here; the source is not told",
            "example": 3,
        },
    )
    approval_id = Id(required=True, allow_none=True)
    received_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)


HealthAuditedBatchPageSchema = page_of(HealthAuditedBatchSchema)
