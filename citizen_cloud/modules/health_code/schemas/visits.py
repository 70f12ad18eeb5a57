"""Venue codes and visits: what screens show, what citizens scan, what places may count."""

from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.rules.place_codes import LENGTH
from citizen_cloud.web.fields import Both, Day, Flag, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

CODE = {
    "description": "Starts with CCP1:, is good for five to ten minutes and for this place only",
    "example": "CCP1:" + "0" * (LENGTH - 5),
}
COLOURS = ("green", "yellow", "red", "none")
WORDS = {"zh": "绿码，请通行。", "en": "Green: please enter."}
PLACE = {"zh": "青泥洼桥地铁站A口", "en": "Qingniwaqiao Station, exit A"}


class HealthPlaceCodeSchema(Outgoing):
    """What a place's screen shows now."""

    code = Str(required=True, max_length=LENGTH, metadata=CODE)
    begins_at = Instant(required=True)
    next_at = Instant(required=True, metadata={"description": "When to ask for the next code"})
    accepted_until = Instant(required=True)
    server_time = Instant(required=True)


class NewHealthVisitSchema(Incoming):
    """A scanned venue code, and who came along."""

    place_code = Str(required=True, max_length=LENGTH, metadata=CODE)
    companions = ListOf(
        Uuid(),
        max_length=rules.MOST_COMPANIONS,
        load_default=list,
        metadata={
            "description": "`person_id` of your dependants (`GET /me/dependants`) who are with you",
            "example": [],
        },
    )


class HealthEntrySchema(Outgoing):
    """One of those who came."""

    person_id = Uuid(required=True)
    colour = OneOf(*COLOURS, required=True, metadata={"example": "green"})
    outcome = OneOf(*rules.OUTCOMES, required=True, metadata={"example": "admitted"})
    text = Both(required=True, metadata={"example": WORDS})
    visit_id = Uuid(
        required=True, allow_none=True, metadata={"description": "null where refused: not noted"}
    )


class HealthVisitAnswerSchema(Outgoing):
    """What a scan led to."""

    place_id = Uuid(required=True)
    place_name = Both(required=True, metadata={"example": PLACE})
    at = Instant(required=True)
    admitted = Flag(
        required=True, metadata={"description": "Whether all of them may enter", "example": True}
    )
    entries = ListOf(Part(HealthEntrySchema), max_length=rules.MOST_COMPANIONS + 1, required=True)


class OwnHealthVisitSchema(Outgoing):
    """A visit as only its person sees it."""

    id = Uuid(required=True)
    place_id = Uuid(required=True)
    place_name = Both(required=True, metadata={"example": PLACE})
    at = Instant(required=True)
    deleted_by = Instant(
        required=True, metadata={"description": "When it is gone for good, 21 days later"}
    )


OwnHealthVisitPageSchema = page_of(OwnHealthVisitSchema)


class HealthVisitCountQuery(Incoming):
    """Which day to count."""

    on = Day(metadata={"description": "The city's day; today if left out", "example": "2026-11-24"})


class HealthVisitHourSchema(Outgoing):
    """How many entered within an hour, roughly."""

    hour_at = Instant(required=True)
    band = OneOf(*rules.BANDS, required=True, metadata={"example": "10-29"})


class HealthVisitCountSchema(Outgoing):
    """A day of a place in bands, its full hours only."""

    place_id = Uuid(required=True)
    on = Day(required=True, metadata={"example": "2026-11-24"})
    hours = ListOf(Part(HealthVisitHourSchema), max_length=24, required=True)
