"""What the approvals room takes and gives."""

from typing import Any

from marshmallow import fields

from citizen_cloud.web.fields import Both, Flag, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

STATUSES = ("open", "applied", "rejected", "withdrawn", "expired", "failed")
VERDICTS = ("approve", "reject")
DIGEST = "3f" * 32
KIND = {"description": "One of `GET /approvals/kinds`", "example": "approvals.appoint"}
OUTCOME = {
    "description": "What applying it gave, or the code of why it failed",
    "example": {"size": 3},
    "maxProperties": 40,
}
UNIT = {"description": "The proposer's authority; empty for the platform or a rule"}
MESSAGES: dict[str, Any] = {"required": "required", "invalid": "object_required", "null": "null"}


class ApprovalQuery(PageQuery):
    """Which proposals."""

    status = OneOf(*STATUSES)
    kind = Str(max_length=64, metadata=KIND)


class NewApprovalSchema(Incoming):
    """What others shall agree to."""

    kind = Str(required=True, max_length=64, metadata=KIND)
    payload = fields.Dict(
        required=True,
        keys=Str(max_length=64),
        error_messages=MESSAGES,
        metadata={
            "description": "The kind's own members, listed by `GET /approvals/kinds`",
            "example": {
                "account_id": "01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11",
                "organisation_id": "01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11",
            },
            "maxProperties": 40,
        },
    )
    reason = Str(
        required=True,
        max_length=64,
        metadata={"description": "One of the kind's own", "example": "new_approver"},
    )
    evidence_reference = Str(
        max_length=200,
        min_length=0,
        metadata={
            "description": "Where the evidence lies: a file number, never the content. Without "
            "it nothing is proposed, and the attempt is recorded",
            "example": "大卫健函 2026-0412",
        },
    )
    organisation_id = Uuid(
        metadata={"description": "The authority proposed for; needed by who works at several"}
    )


class ApprovalDecisionSchema(Outgoing):
    """One approver's word."""

    id = Uuid()
    account_id = Uuid()
    unit_id = Uuid()
    verdict = OneOf(*VERDICTS)
    note = Str(max_length=500, allow_none=True, metadata={"example": "已核对案卷"})
    decided_at = Instant()


class ApprovalSchema(Outgoing):
    """A proposal as lists show it."""

    id = Uuid()
    kind = Str(max_length=64, metadata=KIND)
    title = Both()
    reason = Str(max_length=64, metadata={"example": "new_approver"})
    summary = fields.Dict(
        metadata={
            "description": "Counts and ids of what it would do",
            "example": {"size": 3},
            "maxProperties": 40,
        }
    )
    status = OneOf(*STATUSES)
    outcome = fields.Dict(
        allow_none=True,
        metadata=OUTCOME,
    )
    approvals = Int(metadata={"description": "Units that agreed so far", "example": 1})
    approvals_needed = Int(metadata={"example": 2})
    proposed_by = Uuid(allow_none=True, metadata={"description": "Empty where a rule asks"})
    unit_id = Uuid(allow_none=True, metadata=UNIT)
    created_at = Instant()
    expires_at = Instant()
    ended_at = Instant(allow_none=True)


class ApprovalDetailSchema(ApprovalSchema):
    """A proposal with all that is needed to decide."""

    payload = fields.Dict(
        allow_none=True,
        metadata={
            "description": "Shown to who decides, proposed or audits",
            "example": {},
            "maxProperties": 40,
        },
    )
    evidence_reference = Str(
        max_length=200, allow_none=True, metadata={"example": "大卫健函 2026-0412"}
    )
    digest = Str(
        max_length=64,
        metadata={
            "description": "Of all that is proposed; a decision repeats it",
            "example": DIGEST,
        },
    )
    decisions = ListOf(Part(ApprovalDecisionSchema), max_length=100)


class NewApprovalDecisionSchema(Incoming):
    """An approver's word about exactly what was shown."""

    verdict = OneOf(*VERDICTS, required=True)
    digest = Str(
        required=True,
        min_length=64,
        max_length=64,
        pattern="[0-9a-f]{64}",
        metadata={"description": "The `digest` of the proposal as it was shown", "example": DIGEST},
    )
    note = Str(
        max_length=500,
        metadata={"description": "Kept sealed; no names, no documents", "example": "已核对案卷"},
    )


class ApprovalDecidedSchema(Outgoing):
    """A decision and how the proposal stands after it."""

    id = Uuid()
    status = OneOf(*STATUSES)
    outcome = fields.Dict(
        allow_none=True,
        metadata=OUTCOME,
    )


class ApprovalReasonSchema(Outgoing):
    """A reason of a kind's closed list."""

    code = Str(max_length=64, metadata={"example": "new_approver"})
    title = Both()


class ApprovalMemberSchema(Outgoing):
    """One member of a kind's payload."""

    name = Str(max_length=64, metadata={"example": "account_id"})
    type = Str(max_length=32, metadata={"example": "uuid"})
    required = Flag()
    description = Str(max_length=500, allow_none=True, metadata={"example": None})


class ApprovalKindSchema(Outgoing):
    """One kind of decision."""

    name = Str(max_length=64, metadata=KIND)
    title = Both()
    may_propose = Flag(metadata={"description": "Whether the caller may propose it"})
    life_hours = Int(metadata={"description": "An open one expires after", "example": 72})
    reasons = ListOf(Part(ApprovalReasonSchema), max_length=100)
    payload = ListOf(Part(ApprovalMemberSchema), max_length=100)


class ApprovalKindsSchema(Outgoing):
    """Every kind there is."""

    items = ListOf(Part(ApprovalKindSchema), max_length=200)


ApprovalPageSchema = page_of(ApprovalSchema)
