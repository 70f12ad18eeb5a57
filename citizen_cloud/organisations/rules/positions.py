"""Positions on the earth: one datum inside, distances in metres, boxes an index can use.

Everything stored and searched is WGS-84. Chinese map services hand out GCJ-02 (also called Mars
coordinates) or BD-09, 100 to 700 m off inside China; they are converted when they come in.
"""

import math
from typing import Literal, NamedTuple

Datum = Literal["wgs84", "gcj02", "bd09"]
EARTH_M = 6_371_008.8
# Krasovsky 1940, the ellipsoid the public description of GCJ-02 works with.
_AXIS_M, _ECCENTRICITY2 = 6_378_245.0, 0.006_693_421_622_965_943
_BD_TURN = math.pi * 3000 / 180
# Rounds until the inverse is exact to about a millimetre.
_ROUNDS = 5


class Point(NamedTuple):
    """A position in degrees."""

    latitude: float
    longitude: float


class Box(NamedTuple):
    """A rectangle in degrees. Over the 180th meridian ``west`` is greater than ``east``."""

    south: float
    north: float
    west: float
    east: float


def box_around(centre: Point, metres: float) -> Box:
    """Return a box that holds every point within a distance: what the index is asked first."""
    rise = math.degrees(metres / EARTH_M)
    south, north = centre.latitude - rise, centre.latitude + rise
    if south <= -90 or north >= 90:  # noqa: PLR2004 - a pole lies inside: every meridian counts
        return Box(max(south, -90.0), min(north, 90.0), -180.0, 180.0)
    ratio = math.sin(metres / EARTH_M) / math.cos(math.radians(centre.latitude))
    reach = math.degrees(math.asin(min(1.0, ratio)))
    return Box(south, north, _turned(centre.longitude - reach), _turned(centre.longitude + reach))


def _turned(longitude: float) -> float:
    return (longitude + 180) % 360 - 180 if abs(longitude) > 180 else longitude  # noqa: PLR2004


def metres_sql(latitude: str, longitude: str) -> str:
    """Return the SQL of the great-circle distance to ``:near_lat``, ``:near_lon`` in metres.

    Haversine: 0.5 % of the distance off at most, and steady for points close together. The
    arguments are column names of the caller's own statement, never anything a citizen sent.
    """
    return (
        f"(2 * {EARTH_M} * asin(least(1, sqrt("
        f"sin(radians({latitude} - :near_lat) / 2) ^ 2"
        f" + cos(radians(:near_lat)) * cos(radians({latitude}))"
        f" * sin(radians({longitude} - :near_lon) / 2) ^ 2))))"
    )


def metres_between(one: Point, other: Point) -> float:
    """Return the great-circle distance; the twin of ``metres_sql``."""
    rise = math.radians(other.latitude - one.latitude)
    turn = math.radians(other.longitude - one.longitude)
    part = (
        math.sin(rise / 2) ** 2
        + math.cos(math.radians(one.latitude))
        * math.cos(math.radians(other.latitude))
        * math.sin(turn / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(part)))


def wgs84(point: Point, datum: Datum) -> Point:
    """Return a position in WGS-84."""
    if datum == "bd09":
        point = _gcj02_of_bd09(point)
    return point if datum == "wgs84" else _wgs84_of_gcj02(point)


def gcj02(point: Point) -> Point:
    """Return a WGS-84 position as Chinese map services draw it; unchanged outside China."""
    if not (73.66 < point.longitude < 135.05 and 3.86 < point.latitude < 53.55):  # noqa: PLR2004
        return point
    x, y = point.longitude - 105.0, point.latitude - 35.0
    root = math.sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += _waves((20, 6 * x), (20, 2 * x), (20, y), (40, y / 3), (160, y / 12), (320, y / 30))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += _waves((20, 6 * x), (20, 2 * x), (20, x), (40, x / 3), (150, x / 12), (300, x / 30))
    radians = math.radians(point.latitude)
    bulge = 1 - _ECCENTRICITY2 * math.sin(radians) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY2) / (bulge * math.sqrt(bulge))
    parallel = _AXIS_M / math.sqrt(bulge) * math.cos(radians)
    return Point(
        point.latitude + math.degrees(north / meridian),
        point.longitude + math.degrees(east / parallel),
    )


def _waves(*waves: tuple[int, float]) -> float:
    return sum(height * math.sin(turns * math.pi) for height, turns in waves) * 2 / 3


def _wgs84_of_gcj02(point: Point) -> Point:
    guess = point
    for _ in range(_ROUNDS):
        drawn = gcj02(guess)
        guess = Point(
            guess.latitude - (drawn.latitude - point.latitude),
            guess.longitude - (drawn.longitude - point.longitude),
        )
    return guess


def _gcj02_of_bd09(point: Point) -> Point:
    x, y = point.longitude - 0.0065, point.latitude - 0.006
    radius = math.hypot(x, y) - 0.00002 * math.sin(y * _BD_TURN)
    angle = math.atan2(y, x) - 0.000003 * math.cos(x * _BD_TURN)
    return Point(radius * math.sin(angle), radius * math.cos(angle))
