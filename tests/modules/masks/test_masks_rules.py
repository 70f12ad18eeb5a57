"""Quota profiles, eligibility, days by digit, windows and bands: tables, no database."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from citizen_cloud.modules.masks.rules.eligibility import (
    Applicant,
    Eligibility,
    birth_year_day_is_open,
    document_day_is_open,
    eligibility,
    from_json,
    is_child,
    why_not,
)
from citizen_cloud.modules.masks.rules.rationing import PROFILES, quota
from citizen_cloud.modules.masks.rules.windows import Window, band, clashes, window

MONDAY = date(2020, 3, 9)
SUNDAY = date(2020, 3, 15)


@pytest.mark.parametrize(
    ("profile", "product_class", "most", "rolling_days", "period"),
    [
        ("TW-1", "adult", 2, 7, "rolling"),
        ("TW-1", "child", 2, 7, "rolling"),
        ("TW-2", "adult", 9, 14, "rolling"),
        ("TW-2", "child", 10, 14, "rolling"),
        ("KR", "adult", 2, None, "2020-W11"),
        ("KR-3", "adult", 3, None, "2020-W11"),
    ],
)
def test_a_profile_names_its_limit_and_period(profile, product_class, most, rolling_days, period):
    found = quota(PROFILES[profile], product_class, MONDAY)
    assert (found.max, found.rolling_days, found.period) == (most, rolling_days, period)


def test_the_scope_is_the_product_class_so_that_two_campaigns_share_one_allowance():
    scopes = {quota(profile, "adult", MONDAY).scope for profile in PROFILES.values()}
    assert scopes == {"masks:adult"}
    assert quota(PROFILES["TW-1"], "child", MONDAY).scope == "masks:child"


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2020, 3, 9), "2020-W11"),
        (date(2020, 3, 15), "2020-W11"),
        (date(2020, 3, 16), "2020-W12"),
        # A week belongs to the year of its Thursday (ISO 8601).
        (date(2020, 12, 31), "2020-W53"),
        (date(2021, 1, 3), "2020-W53"),
        (date(2021, 1, 4), "2021-W01"),
        (date(2024, 12, 30), "2025-W01"),
    ],
)
def test_a_calendar_week_runs_from_monday_over_the_turn_of_the_year(day, period):
    assert quota(PROFILES["KR"], "adult", day).period == period


@pytest.mark.parametrize(
    ("rule", "birth_on", "day", "expected"),
    [
        # 12 and a half, but 13 this year
        ("birth_date", date(2007, 9, 1), date(2020, 3, 9), True),
        ("birth_year", date(2007, 9, 1), date(2020, 3, 9), False),
        ("birth_year", date(2008, 12, 31), date(2020, 1, 1), True),
        # the day before the 13th birthday, and the day itself
        ("birth_date", date(2007, 3, 10), date(2020, 3, 9), True),
        ("birth_date", date(2007, 3, 9), date(2020, 3, 9), False),
        # born on 29 February: 13 on 1 March of a common year
        ("birth_date", date(2008, 2, 29), date(2021, 2, 28), True),
        ("birth_date", date(2008, 2, 29), date(2021, 3, 1), False),
    ],
)
def test_a_child_is_at_most_12_by_year_or_to_the_day(rule, birth_on, day, expected):
    assert is_child(rule, birth_on, day) is expected


@pytest.mark.parametrize(
    ("number", "weekdays"),
    [
        ("11010519491231002X", [1, 3, 5, 6]),
        ("360426199101010070", [1, 3, 5, 6]),
        ("360426199101010071", [0, 2, 4, 6]),
        ("33050219880702447X", [1, 3, 5, 6]),
        ("E12345678", [1, 3, 5, 6]),
        ("E1234567A", [0, 2, 4, 6]),
    ],
)
def test_odd_digits_go_on_monday_and_zero_counts_as_even(number, weekdays):
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    assert [day.weekday() for day in week if document_day_is_open(number, day)] == weekdays


@pytest.mark.parametrize("digit", range(10))
def test_birth_years_go_by_weekday_and_catch_up_at_the_weekend(digit):
    expected = {1: 0, 6: 0, 2: 1, 7: 1, 3: 2, 8: 2, 4: 3, 9: 3, 5: 4, 0: 4}[digit]
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    born = date(1980 + digit, 5, 1)
    days = [day.weekday() for day in week if birth_year_day_is_open(born, day)]
    assert days == [expected, 5, 6]


def applicant(number="44011319850101001X", birth_on=date(1985, 1, 1), kind="resident_id"):
    return Applicant(document_type=kind, document_number=number, birth_on=birth_on)


@pytest.mark.parametrize(
    ("terms", "who", "reason"),
    [
        (Eligibility(), applicant(), None),
        (Eligibility(audience="child"), applicant(), "children_only"),
        (Eligibility(audience="child"), applicant(birth_on=date(2012, 1, 1)), None),
        (Eligibility(audience="adult"), applicant(birth_on=date(2012, 1, 1)), "adults_only"),
        (Eligibility(audience="adult"), applicant(), None),
        (Eligibility(audience="child"), applicant(birth_on=None), "birth_unknown"),
        (Eligibility(districts=("4401",)), applicant(), None),
        (Eligibility(districts=("2102",)), applicant(), "other_district"),
        (Eligibility(districts=("4401",)), applicant(kind="passport"), "other_district"),
        (Eligibility(stagger="document_digit"), applicant(), "not_your_day"),
        (Eligibility(stagger="birth_year_digit"), applicant(), "not_your_day"),
        (Eligibility(stagger="birth_year_digit"), applicant(birth_on=date(1986, 1, 1)), None),
        (Eligibility(stagger="birth_year_digit"), applicant(birth_on=None), "birth_unknown"),
    ],
)
def test_who_is_not_eligible_is_told_why(terms, who, reason):
    found = why_not(terms, who, MONDAY)
    assert (found.reason if found else None) == reason
    if found is not None:
        assert found.code == "not_eligible"
        assert all(found.detail)


def test_conditions_come_from_the_profile_unless_the_campaign_says_otherwise():
    usual = eligibility(PROFILES["KR"], "child", {})
    assert (usual.audience, usual.child_rule, usual.stagger) == (
        "child",
        "birth_year",
        "birth_year_digit",
    )
    wished = eligibility(PROFILES["TW-1"], "adult", {"stagger": "document_digit"})
    assert (wished.audience, wished.stagger) == ("all", "document_digit")
    assert from_json(wished.as_json()) == wished
    assert not eligibility(PROFILES["TW-1"], "adult", {}).needs_document
    assert wished.needs_document


@pytest.mark.parametrize(
    ("free", "name"),
    [
        (0, "0"),
        (1, "1-29"),
        (29, "1-29"),
        (30, "30-99"),
        (99, "30-99"),
        (100, "100+"),
        (5136, "100+"),
    ],
)
def test_stock_is_told_in_bands(free, name):
    assert band(free) == name


def test_a_window_is_local_time_and_may_cross_midnight():
    day = date(2028, 2, 28)
    assert window(day, time(8), time(12)) == (
        datetime(2028, 2, 28, 0, 0, tzinfo=UTC),
        datetime(2028, 2, 28, 4, 0, tzinfo=UTC),
    )
    assert window(day, time(20), time(2)) == (
        datetime(2028, 2, 28, 12, 0, tzinfo=UTC),
        datetime(2028, 2, 28, 18, 0, tzinfo=UTC),
    )


def item(number, begin, end, *, half="am", place=1, day=date(2026, 3, 2), offer_id=None):
    starts_at, ends_at = window(day, begin, end)
    return Window(
        organisation_id=UUID(int=place),
        half=half,
        window_on=day,
        starts_at=starts_at,
        ends_at=ends_at,
        number=number,
        offer_id=offer_id,
    )


def test_overlapping_windows_of_one_outlet_are_told_as_pairs():
    late = date(2026, 3, 3)
    found = clashes(
        [
            item(0, time(8), time(12)),
            item(1, time(11), time(14), half="pm"),
            item(2, time(8), time(12), place=2),
            item(3, time(20), time(2), half="pm", place=3),
            item(4, time(1), time(5), place=3, day=late),
            item(5, time(12), time(13), half="pm", place=2),
            item(None, time(8), time(9), place=2, offer_id=UUID(int=9)),
            item(None, time(8), time(9), place=2, offer_id=UUID(int=9)),
        ]
    )
    pairs = sorted(str(pair.as_json()) for pair in found)
    assert pairs == sorted(
        str(pair)
        for pair in [
            {"item": 0, "with_item": 1},
            {"item": 3, "with_item": 4},
            {"item": 2, "with_offer": str(UUID(int=9))},
            {"item": 2, "with_offer": str(UUID(int=9))},
        ]
    )


def test_the_same_half_day_twice_clashes_even_when_the_hours_do_not():
    found = clashes([item(0, time(8), time(9)), item(1, time(10), time(11))])
    assert [pair.as_json() for pair in found] == [{"item": 0, "with_item": 1}]
