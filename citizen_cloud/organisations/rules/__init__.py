"""Pure rules of the room: words to search by, addresses, area codes, positions on the earth."""

from citizen_cloud.organisations.rules.addresses import (
    Area,
    area_name,
    county_and_town,
    is_area_code,
)
from citizen_cloud.organisations.rules.positions import (
    Box,
    Datum,
    Point,
    box_around,
    metres_between,
    metres_sql,
    wgs84,
)
from citizen_cloud.organisations.rules.words import query_tokens, search_tokens

__all__ = [
    "Area",
    "Box",
    "Datum",
    "Point",
    "area_name",
    "box_around",
    "county_and_town",
    "is_area_code",
    "metres_between",
    "metres_sql",
    "query_tokens",
    "search_tokens",
    "wgs84",
]
