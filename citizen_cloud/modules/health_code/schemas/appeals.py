"""Appeals and corrections: what citizens send, what officers answer, what both see."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.modules.health_code.rules.appeals import ANSWERS, REASONS, WRONG
from citizen_cloud.modules.health_code.rules.hand import CORRECT_REASONS
from citizen_cloud.modules.health_code.schemas.proposals import MOST_EVENTS
from citizen_cloud.web.fields import Both, Flag, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

COLOURS = ("none", "green", "yellow", "red")
STATES = ("open", "proposed", "granted", "refused", "by_rule")
UNIT = {"zh": "中山区卫生健康局", "en": "Zhongshan Health Bureau"}


class NewHealthAppealSchema(Incoming):
    """Why the colour is wrong."""

    reason = OneOf(
        *REASONS,
        required=True,
        metadata={
            "description": "`overdue`: it should have turned by now; answered at once where the "
            "rule says so",
            "example": "negative_test",
        },
    )
    text = Str(max_length=1_000, required=True, metadata={"example": "11月20日检测为阴性。"})


class NewHealthCorrectionSchema(Incoming):
    """Which record is wrong, and in what."""

    event_id = Uuid(metadata={"description": "A record of your own history", "no_example": True})
    wrong = OneOf(*WRONG, required=True, metadata={"example": "wrong_result"})
    text = Str(max_length=1_000, required=True, metadata={"example": "结果录入有误。"})


class HealthAppealSchema(Outgoing):
    """An appeal or correction as its citizen sees it: the authority that answers, no officer."""

    id = Uuid(required=True)
    kind = OneOf("appeal", "correction", required=True, metadata={"example": "appeal"})
    colour = OneOf(*COLOURS, required=True, metadata={"example": "yellow"})
    reason = Str(max_length=32, required=True, metadata={"example": "negative_test"})
    event_id = Uuid(required=True, allow_none=True)
    status = OneOf(*STATES, required=True, metadata={"example": "open"})
    outcome = Both(
        required=True,
        allow_none=True,
        metadata={"description": "What was answered, in words; null while it waits"},
    )
    unit_name = Both(required=True, allow_none=True, metadata={"example": UNIT})
    created_at = Instant(required=True)
    due_at = Instant(required=True, metadata={"description": "Answered by then"})
    decided_at = Instant(required=True, allow_none=True)


HealthAppealPageSchema = page_of(HealthAppealSchema)


class HealthQueuedAppealSchema(Outgoing):
    """One line of the officers' queue: nothing of whose it is."""

    id = Uuid(required=True)
    kind = OneOf("appeal", "correction", required=True, metadata={"example": "appeal"})
    colour = OneOf(*COLOURS, required=True, metadata={"example": "yellow"})
    reason = Str(max_length=32, required=True, metadata={"example": "negative_test"})
    status = OneOf(*STATES, required=True, metadata={"example": "open"})
    is_overdue = Flag(required=True, metadata={"example": False})
    unit_id = Uuid(required=True, allow_none=True)
    approval_id = Uuid(required=True, allow_none=True)
    created_at = Instant(required=True)
    due_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)
    answer = Str(max_length=32, required=True, allow_none=True, metadata={"example": None})


HealthQueuedAppealPageSchema = page_of(HealthQueuedAppealSchema)


class HealthReportedEventSchema(Outgoing):
    """What an authority said of the person."""

    id = Uuid(required=True)
    kind = Str(max_length=16, required=True, metadata={"example": "test_result"})
    evidence = Str(max_length=16, required=True, metadata={"example": "laboratory"})
    detail = Str(max_length=64, min_length=0, required=True, metadata={"example": "positive"})
    by_hand = Flag(required=True, metadata={"example": False})
    is_withdrawn = Flag(required=True, metadata={"example": False})
    occurred_at = Instant(required=True)


class HealthAppealCaseSchema(HealthQueuedAppealSchema):
    """An appeal opened by an officer; its citizen sees who looked."""

    person_name = Str(
        max_length=100,
        min_length=0,
        required=True,
        metadata={"description": "Masked", "example": "王*明"},
    )
    text = Str(max_length=1_000, required=True, metadata={"example": "11月20日检测为阴性。"})
    events = ListOf(Part(HealthReportedEventSchema), max_length=50, required=True)


class HealthAppealDecisionSchema(Incoming):
    """No, with a reason; or yes, as a proposal two others must agree to."""

    verdict = OneOf("refuse", "grant", required=True, metadata={"example": "refuse"})
    answer = OneOf(
        *ANSWERS,
        metadata={"description": "With `refuse`: why", "example": "evidence_stands"},
    )
    reason = OneOf(
        *CORRECT_REASONS, metadata={"description": "With `grant`: why", "no_example": True}
    )
    evidence_reference = Str(
        max_length=64,
        metadata={"description": "With `grant`: where the evidence lies", "no_example": True},
    )
    event_ids = ListOf(
        Uuid(),
        min_length=1,
        max_length=MOST_EVENTS,
        metadata={"description": "With `grant`: what is withdrawn", "no_example": True},
    )

    @validates_schema
    def check_form(self, data: dict[str, Any], **_: Any) -> None:
        """Ask for what belongs to the verdict, and for nothing else."""
        wanted = {
            "refuse": ("answer",),
            "grant": ("reason", "evidence_reference", "event_ids"),
        }[data["verdict"]]
        for name in wanted:
            if name not in data:
                raise ValidationError("required", name)
        for name in data:
            if name not in (*wanted, "verdict"):
                raise ValidationError("unknown_field", name)
