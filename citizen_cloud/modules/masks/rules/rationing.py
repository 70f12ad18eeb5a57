"""Quota profiles: how much of a product class one person may take in which period.

Sources are public rules: Taiwan's name-based rationing of 2020 (TW-1, TW-2) and Korea's five-day
rotation of the same spring (KR, later KR-3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

from citizen_cloud.booking.rules import ROLLING, Quota
from citizen_cloud.text import Text

ProductClass = Literal["adult", "child"]
Stagger = Literal["none", "document_digit", "birth_year_digit"]
ChildRule = Literal["birth_year", "birth_date"]

PRODUCT_CLASSES: tuple[ProductClass, ...] = ("adult", "child")
PRODUCTS: Mapping[str, Text] = MappingProxyType(
    {"adult": Text("成人口罩", "Masks for adults"), "child": Text("儿童口罩", "Masks for children")}
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One rationing. ``rolling_days`` is empty where the period is the calendar week."""

    name: str
    title: Text
    most: Mapping[str, int]
    rolling_days: int | None
    child_rule: ChildRule
    stagger: Stagger = "none"


def _profiles(*profiles: Profile) -> Mapping[str, Profile]:
    return MappingProxyType({profile.name: profile for profile in profiles})


PROFILES: Mapping[str, Profile] = _profiles(
    Profile(
        name="TW-1",
        title=Text("每人7天限2片", "2 per person in 7 days"),
        most={"adult": 2, "child": 2},
        rolling_days=7,
        child_rule="birth_date",
    ),
    Profile(
        name="TW-2",
        title=Text("每人14天限成人9片或儿童10片", "9 adult or 10 child per person in 14 days"),
        most={"adult": 9, "child": 10},
        rolling_days=14,
        child_rule="birth_date",
    ),
    Profile(
        name="KR",
        title=Text("每人每周限2片，按出生年份尾数分日", "2 per person a week, by birth-year digit"),
        most={"adult": 2, "child": 2},
        rolling_days=None,
        child_rule="birth_year",
        stagger="birth_year_digit",
    ),
    Profile(
        name="KR-3",
        title=Text("每人每周限3片，按出生年份尾数分日", "3 per person a week, by birth-year digit"),
        most={"adult": 3, "child": 3},
        rolling_days=None,
        child_rule="birth_year",
        stagger="birth_year_digit",
    ),
)


def quota(profile: Profile, product_class: str, day: date) -> Quota:
    """Return what a collection on this local day counts against.

    The scope is the product class, not the campaign: a second campaign of the class draws on the
    same allowance, so nobody gets a double share.
    """
    return Quota(
        scope=scope(product_class),
        period=period(profile, day),
        max=profile.most[product_class],
        day=day,
        rolling_days=profile.rolling_days,
    )


def scope(product_class: str) -> str:
    """Return the allowance's scope of a product class."""
    return f"masks:{product_class}"


def period(profile: Profile, day: date) -> str:
    """Return the name of the quota period a day lies in: ``rolling``, or its ISO week."""
    if profile.rolling_days is not None:
        return ROLLING
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
