"""Sealed visits, opened by case: what is asked for, and what its authority reads."""

from citizen_cloud.web.fields import Both, Flag, Instant, Int, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

PLACE = {"zh": "青泥洼桥地铁站A口", "en": "Qingniwaqiao Station, exit A"}
CASE = {"description": "The case's number at the authority", "example": "流调 2026-0412"}


class HealthVisitWindowSchema(Incoming):
    """The payload of a `health_code.open_visits` proposal: full hours, at most 14 days."""

    place_id = Uuid(required=True)
    from_at = Instant(required=True, metadata={"example": "2026-11-24T08:00:00.000+08:00"})
    until_at = Instant(required=True, metadata={"example": "2026-11-24T12:00:00.000+08:00"})
    case_number = Str(required=True, min_length=4, max_length=64, metadata=CASE)


class HealthVisitOpeningSchema(Outgoing):
    """An opened record: how it was used, never who is in it."""

    id = Uuid(required=True, metadata={"description": "That of the proposal"})
    unit_id = Uuid(required=True)
    place_id = Uuid(required=True)
    place_name = Both(required=True, metadata={"example": PLACE})
    from_at = Instant(required=True)
    until_at = Instant(required=True)
    case_number = Str(required=True, max_length=64, metadata=CASE)
    opened_at = Instant(required=True)
    ends_at = Instant(required=True, metadata={"description": "When it can be read no more"})
    is_over = Flag(required=True, metadata={"example": False})
    reads = Int(required=True, metadata={"description": "Pages read", "example": 1})
    shown = Int(required=True, metadata={"description": "Visits shown in all", "example": 12})
    last_read_at = Instant(required=True, allow_none=True)


HealthVisitOpeningPageSchema = page_of(HealthVisitOpeningSchema)


class OpenedHealthVisitSchema(Outgoing):
    """A visit as the authority of a case reads it."""

    visit_id = Uuid(required=True)
    person_id = Uuid(required=True)
    person_name = Str(required=True, max_length=200, metadata={"example": "王*明"})
    at = Instant(required=True)


OpenedHealthVisitPageSchema = page_of(OpenedHealthVisitSchema)
