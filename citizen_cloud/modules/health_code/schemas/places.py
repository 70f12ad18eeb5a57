"""Places as their staff send and get them."""

from citizen_cloud.web.fields import Both, Flag, Int, OneOf, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

AREA_CODE = "[1-9][0-9]{5}(?:[0-9]{3}){0,2}"
NAME = {"zh": "青泥洼桥地铁站A口", "en": "Qingniwaqiao Station, exit A"}
SHORTEST_AGE_S, LONGEST_AGE_S = 600, 86_400
AGE = {"description": "How old a status list an offline gate may work from", "example": 21_600}
NONCE = {"description": "Its gates take only codes bound to the gate's number", "example": False}


class HealthPlaceSchema(Outgoing):
    """A place and the rules of its door."""

    id = Uuid(required=True)
    organisation_id = Uuid(required=True)
    name = Both(required=True, metadata={"example": NAME})
    area_code = Str(required=True, max_length=12, metadata={"example": "210202"})
    max_status_age_s = Int(required=True, metadata=AGE)
    accepts_thin = Flag(required=True, metadata={"example": True})
    accepts_paper = Flag(required=True, metadata={"example": True})
    needs_nonce = Flag(required=True, metadata=NONCE)
    admits_yellow = Flag(required=True, metadata={"example": True})
    status = OneOf("open", "closed", required=True, metadata={"example": "open"})
    version = Int(required=True, metadata={"example": 1})


HealthPlacePageSchema = page_of(HealthPlaceSchema)


class NewHealthPlaceSchema(Incoming):
    """A place to add."""

    organisation_id = Uuid(required=True)
    name = Both(required=True, metadata={"example": NAME})
    area_code = Str(required=True, max_length=12, pattern=AREA_CODE, metadata={"example": "210202"})
    max_status_age_s = Int(
        minimum=SHORTEST_AGE_S, maximum=LONGEST_AGE_S, load_default=21_600, metadata=AGE
    )
    accepts_thin = Flag(load_default=True, metadata={"example": True})
    accepts_paper = Flag(load_default=True, metadata={"example": True})
    needs_nonce = Flag(load_default=False, metadata=NONCE)
    admits_yellow = Flag(load_default=True, metadata={"example": True})


class HealthPlaceChangeSchema(Incoming):
    """What may change of a place."""

    name = Both(metadata={"example": NAME})
    area_code = Str(max_length=12, pattern=AREA_CODE, metadata={"example": "210202"})
    max_status_age_s = Int(minimum=SHORTEST_AGE_S, maximum=LONGEST_AGE_S, metadata=AGE)
    accepts_thin = Flag(metadata={"example": True})
    accepts_paper = Flag(metadata={"example": True})
    needs_nonce = Flag(metadata=NONCE)
    admits_yellow = Flag(metadata={"example": True})
    status = OneOf("open", "closed", metadata={"example": "open"})
