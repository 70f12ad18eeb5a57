"""What the back office sends and gets about organisations."""

from marshmallow import Schema

from citizen_cloud.web.fields import Both, Instant, Int, Number, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

KINDS = ("pharmacy", "hospital", "venue", "authority")
STATUSES = ("active", "paused", "closed")
NAME = {"zh": "松山健康服务中心", "en": "Songshan Health Centre"}
AREA_CODE = "[1-9][0-9]{5}(?:[0-9]{3}){0,2}"


class PositionSchema(Incoming):
    """Where a place is; map services in China hand out gcj02 or bd09, receivers wgs84."""

    latitude = Number(minimum=-90, maximum=90, required=True, metadata={"example": 25.0478})
    longitude = Number(minimum=-180, maximum=180, required=True, metadata={"example": 121.5318})
    datum = OneOf("wgs84", "gcj02", "bd09", load_default="wgs84", metadata={"example": "wgs84"})


class PlaceSchema(Outgoing):
    """A position in WGS-84."""

    latitude = Number(minimum=-90, maximum=90, required=True, metadata={"example": 25.0478})
    longitude = Number(minimum=-180, maximum=180, required=True, metadata={"example": 121.5318})


class OrganisationSchema(Outgoing):
    """A place that serves citizens."""

    id = Uuid(required=True)
    kind = OneOf(*KINDS, required=True)
    register = Str(max_length=32, required=True, metadata={"example": "city"})
    code = Str(max_length=32, required=True, metadata={"example": "2101010013"})
    name = Both(required=True, metadata={"example": NAME})
    address = Str(max_length=200, required=True, metadata={"example": "台北市松山區八德路4段694號"})
    phone = Str(max_length=32, required=True, allow_none=True, metadata={"example": "02-27653147"})
    area_code = Str(max_length=12, required=True, allow_none=True, metadata={"example": None})
    county = Str(max_length=32, required=True, metadata={"example": "台北市"})
    town = Str(max_length=32, min_length=0, required=True, metadata={"example": "松山區"})
    position = Part(PlaceSchema, required=True, allow_none=True)
    status = OneOf(*STATUSES, required=True)
    version = Int(minimum=1, required=True)
    created_at = Instant(required=True)


class OrganisationChangeSchema(Incoming):
    """What may change; what is left out stays."""

    name = Both(metadata={"example": NAME})
    address = Str(max_length=200, metadata={"example": "台北市松山區八德路4段694號"})
    phone = Str(max_length=32, allow_none=True, metadata={"example": "02-27653147"})
    area_code = Str(
        pattern=AREA_CODE,
        max_length=12,
        allow_none=True,
        metadata={"description": "GB/T 2260, with a street's digits if known", "example": "210202"},
    )
    county = Str(
        max_length=32,
        metadata={"description": "Read off the address where left out", "example": "台北市"},
    )
    town = Str(max_length=32, min_length=0, metadata={"example": "松山區"})
    position = Part(PositionSchema, allow_none=True)
    status = OneOf(*STATUSES, metadata={"example": "paused"})


class NewOrganisationSchema(Incoming):
    """An organisation to add."""

    kind = OneOf(*KINDS, required=True, metadata={"example": "pharmacy"})
    register = Str(
        max_length=32,
        pattern="[a-z][a-z0-9-]{0,31}",
        load_default="city",
        metadata={"description": "Whose numbering the code is", "example": "city"},
    )
    code = Str(
        max_length=32,
        pattern="[A-Za-z0-9._-]{1,32}",
        required=True,
        metadata={"description": "Its number in the register", "example": "2101010013"},
    )
    name = Both(required=True, metadata={"example": NAME})
    address = Str(max_length=200, required=True, metadata={"example": "台北市松山區八德路4段694號"})
    phone = Str(max_length=32, metadata={"example": "02-27653147"})
    area_code = Str(pattern=AREA_CODE, max_length=12, metadata={"example": "210202"})
    county = Str(
        max_length=32,
        metadata={"description": "Read off the address where left out", "example": "台北市"},
    )
    town = Str(max_length=32, min_length=0, metadata={"example": "松山區"})
    position = Part(PositionSchema)


class OrganisationListQuery(PageQuery):
    """Which organisations to list."""

    kind = OneOf(*KINDS, metadata={"example": "pharmacy"})
    q = Str(
        max_length=64,
        metadata={"description": "Words of name or address; no patterns", "example": "松山"},
    )


OrganisationPageSchema: type[Schema] = page_of(OrganisationSchema)
