"""What the counter takes and gives."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.counter.rules import KINDS, STATUSES
from citizen_cloud.web.fields import Flag, Instant, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

NOT_SHOWN = {"no_example": True}
# What each kind asks for beside document, name and evidence.
MEMBERS = {
    "recovery": frozenset({"challenge_id", "code"}),
    "name_correction": frozenset({"new_name"}),
    "enrolment": frozenset[str](),
}
EVIDENCE = {
    "description": "Where the evidence lies: a file number, never the content",
    "example": "大连中山公证 2026-11-0412",
}


class CounterCodeSchema(Incoming):
    """The phone that shall be the account's."""

    phone = Str(
        required=True,
        max_length=32,
        metadata={
            "description": "A mobile number; +86 where no country code is given",
            "example": "13800138000",
        },
    )


class NewCounterCaseSchema(Incoming):
    """What lies on the counter, and what is asked."""

    kind = OneOf(*KINDS, required=True, metadata={"example": "name_correction"})
    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(required=True, max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(
        required=True,
        max_length=60,
        metadata={"description": "As the city knows it until now", "example": "王小明"},
    )
    evidence_reference = Str(required=True, max_length=100, metadata=EVIDENCE)
    challenge_id = Uuid(
        metadata={"description": "recovery: of the code sent to the new phone", **NOT_SHOWN}
    )
    code = Str(
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "recovery: the six digits the person reads out", **NOT_SHOWN},
    )
    new_name = Str(
        max_length=60,
        metadata={"description": "name_correction: as the document has it", "example": "王晓明"},
    )
    organisation_id = Uuid(
        metadata={
            "description": "At which counter; only for who works at several",
            **NOT_SHOWN,
        }
    )

    @validates_schema
    def check_kind(self, sent: dict[str, Any], **_: Any) -> None:
        """Ask for what the kind needs and refuse what belongs to another."""
        needed = MEMBERS[sent["kind"]]
        others = frozenset[str]().union(*MEMBERS.values()) - needed
        faults = {name: ["required"] for name in sorted(needed - sent.keys())}
        faults |= {name: ["unknown_field"] for name in sorted(others & sent.keys())}
        if faults:
            raise ValidationError(faults)


class CounterDecisionSchema(Incoming):
    """Yes or no, and why."""

    approved = Flag(required=True, metadata={"example": True})
    reason = Str(
        required=True,
        max_length=200,
        metadata={"description": "Kept with the case", "example": "证件与本人一致"},
    )


class CounterCaseQuery(PageQuery):
    """Which cases."""

    status = OneOf(*STATUSES, metadata={"example": "open"})


class CounterCaseSchema(Outgoing):
    """A case, without what it holds about the person."""

    id = Uuid(required=True)
    kind = OneOf(*KINDS, required=True, metadata={"example": "recovery"})
    status = OneOf(*STATUSES, required=True, metadata={"example": "open"})
    organisation_id = Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "Null while a citizen's own wish waits for a counter"},
    )
    asked_by = OneOf("staff", "citizen", required=True, metadata={"example": "staff"})
    opened_by = Uuid(required=True)
    opened_at = Instant(required=True)
    expires_at = Instant(required=True)
    decided_by = Uuid(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    person_id = Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "Whom an approved case was about; null before"},
    )


class CounterPersonSchema(Outgoing):
    """What to compare with the document on the table."""

    name = Str(max_length=64, metadata={"description": "Masked", "example": "王*明"})
    document_type = OneOf(*DOCUMENT_TYPES, metadata={"example": "resident_id"})
    document_end = Str(max_length=4, metadata={"example": "002X"})


class CounterCaseDetailSchema(CounterCaseSchema):
    """A case with what the second person compares; looking at it is written down."""

    person = Part(CounterPersonSchema, required=True, allow_none=True)
    new_phone = Str(
        required=True,
        allow_none=True,
        max_length=32,
        metadata={"description": "Masked", "example": "138****8000"},
    )
    new_name = Str(
        required=True,
        allow_none=True,
        max_length=60,
        metadata={
            "description": "In full while the case is open, masked later",
            "example": "王晓明",
        },
    )
    evidence_reference = Str(required=True, allow_none=True, max_length=100, metadata=EVIDENCE)
    reason = Str(
        required=True, allow_none=True, max_length=200, metadata={"example": "证件与本人一致"}
    )


class NewNameCorrectionSchema(Incoming):
    """The name as the document has it."""

    name = Str(required=True, max_length=60, metadata={"example": "王晓明"})
    evidence_reference = Str(required=True, max_length=100, metadata=EVIDENCE)


class NameCorrectionSchema(Outgoing):
    """A wish for another name and what became of it."""

    id = Uuid(required=True)
    status = OneOf(*STATUSES, required=True, metadata={"example": "open"})
    opened_at = Instant(required=True)
    expires_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)


CounterCasePageSchema = page_of(CounterCaseSchema)
NameCorrectionPageSchema = page_of(NameCorrectionSchema)
