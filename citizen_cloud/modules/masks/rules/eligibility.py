"""Who may collect on which day: children, districts, and days by a digit of the document."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, cast

from citizen_cloud.accounts.rules.documents import RESIDENT_ID
from citizen_cloud.modules.masks.rules.rationing import ChildRule, Profile, Stagger
from citizen_cloud.modules.masks.rules.refusals import (
    AdultsOnly,
    BirthUnknown,
    ChildrenOnly,
    NotEligible,
    NotYourDay,
    OtherDistrict,
)

Audience = Literal["all", "child", "adult"]
OLDEST_CHILD = 12
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, kw_only=True)
class Eligibility:
    """A campaign's conditions. ``districts`` are prefixes of identity numbers; empty admits all."""

    audience: Audience = "all"
    child_rule: ChildRule = "birth_date"
    stagger: Stagger = "none"
    districts: tuple[str, ...] = ()

    @property
    def needs_document(self) -> bool:
        """Return whether the document has to be opened at all to decide."""
        return self.audience != "all" or self.stagger != "none" or bool(self.districts)

    def as_json(self) -> dict[str, Any]:
        """Return the form the campaign's row keeps."""
        return {**asdict(self), "districts": list(self.districts)}


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """What the rules look at. ``birth_on`` is empty for documents that do not tell it."""

    document_type: str
    document_number: str
    birth_on: date | None


def eligibility(profile: Profile, product_class: str, wishes: Mapping[str, Any]) -> Eligibility:
    """Return a campaign's conditions: what was asked for over what the profile says."""
    usual = {
        "audience": "child" if product_class == "child" else "all",
        "child_rule": profile.child_rule,
        "stagger": profile.stagger,
    }
    return from_json({**usual, **wishes})


def from_json(value: Mapping[str, Any]) -> Eligibility:
    """Read the form the campaign's row keeps."""
    return Eligibility(
        audience=cast("Audience", value.get("audience", "all")),
        child_rule=cast("ChildRule", value.get("child_rule", "birth_date")),
        stagger=cast("Stagger", value.get("stagger", "none")),
        districts=tuple(value.get("districts", ())),
    )


def why_not(terms: Eligibility, applicant: Applicant, day: date) -> NotEligible | None:
    """Return why this person may not collect on this day, or nothing."""
    return (
        _wrong_audience(terms, applicant, day)
        or _wrong_district(terms, applicant)
        or _wrong_day(terms, applicant, day)
    )


def is_child(rule: ChildRule, birth_on: date, day: date) -> bool:
    """Return whether somebody is at most 12: by birth year alone, or to the day.

    By year: who turns 13 this year is no child any more on 1 January. By date: a child until the
    day before the 13th birthday; born on 29 February, the birthday of a common year is 1 March.
    """
    years = day.year - birth_on.year
    if rule == "birth_date" and (day.month, day.day) < (birth_on.month, birth_on.day):
        years -= 1
    return years <= OLDEST_CHILD


def _wrong_audience(terms: Eligibility, applicant: Applicant, day: date) -> NotEligible | None:
    if terms.audience == "all":
        return None
    if applicant.birth_on is None:
        return BirthUnknown()
    child = is_child(terms.child_rule, applicant.birth_on, day)
    if child == (terms.audience == "child"):
        return None
    return AdultsOnly() if child else ChildrenOnly()


def _wrong_district(terms: Eligibility, applicant: Applicant) -> NotEligible | None:
    """Refuse numbers of other districts; documents without an area cannot show theirs."""
    if not terms.districts:
        return None
    has_area = applicant.document_type == RESIDENT_ID
    is_ours = has_area and applicant.document_number.startswith(terms.districts)
    return None if is_ours else OtherDistrict()


def _wrong_day(terms: Eligibility, applicant: Applicant, day: date) -> NotEligible | None:
    if terms.stagger == "none":
        return None
    if terms.stagger == "document_digit":
        is_open = document_day_is_open(applicant.document_number, day)
    elif applicant.birth_on is None:
        return BirthUnknown()
    else:
        is_open = birth_year_day_is_open(applicant.birth_on, day)
    return None if is_open else NotYourDay()


def document_day_is_open(number: str, day: date) -> bool:
    """Return whether a document has its turn: odd Monday, Wednesday, Friday; even the others.

    On Sunday everybody has. 0 counts as even, and so does a final X (the check digit ten).
    """
    weekday = day.weekday()
    if weekday == SUNDAY:
        return True
    return (last_digit(number) % 2 == 1) == (weekday % 2 == 0)


def last_digit(number: str) -> int:
    """Return the digit that decides the day: the last one; X is 0; without any digit 0."""
    if number.endswith("X"):
        return 0
    digits = re.findall("[0-9]", number)
    return int(digits[-1]) if digits else 0


def birth_year_day_is_open(birth_on: date, day: date) -> bool:
    """Return whether a birth year has its turn: 1, 6 on Monday … 5, 0 on Friday.

    The weekend is for everybody who did not come during the week; the weekly quota sees to that.
    """
    weekday = day.weekday()
    return weekday >= SATURDAY or (birth_on.year - 1) % 5 == weekday
