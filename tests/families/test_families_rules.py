"""Ages, ends, scopes: no database."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from citizen_cloud.families import rules

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("born", "day"),
    [
        (date(2010, 6, 1), date(2028, 6, 1)),
        (date(2012, 2, 29), date(2030, 3, 1)),
        (date(2004, 2, 29), date(2022, 3, 1)),
    ],
)
def test_somebody_comes_of_age_at_midnight_of_the_city(born, day):
    at = rules.comes_of_age_at(born)
    assert at.date() == day
    assert at.utcoffset() == timedelta(hours=8)
    assert (at.hour, at.minute) == (0, 0)


@pytest.mark.parametrize(
    ("relation", "born", "fits"),
    [
        ("child", date(2008, 6, 2), True),
        ("child", date(2008, 6, 1), False),
        ("adult", date(2008, 6, 2), False),
        ("adult", date(2008, 6, 1), True),
        ("elder", date(1940, 1, 1), True),
        ("child", None, True),
        ("adult", None, True),
    ],
)
def test_who_is_under_eighteen_is_a_child_and_nobody_else_is(relation, born, fits):
    assert rules.relation_fits(relation, born, NOW) is fits


def test_a_childs_link_ends_at_the_eighteenth_birthday_at_the_latest():
    born = date(2010, 1, 1)
    birthday = rules.comes_of_age_at(born)
    assert rules.ends_at("child", born, None, NOW) == birthday
    assert rules.ends_at("child", born, date(2099, 1, 1), NOW) == birthday
    assert rules.ends_at("child", born, date(2026, 7, 1), NOW) == rules.midnight(date(2026, 7, 2))


def test_a_child_whose_age_no_document_tells_is_asked_about_every_year():
    assert rules.ends_at("child", None, None, NOW) == NOW + timedelta(days=365)


def test_an_adults_link_ends_when_it_was_wished_or_never():
    assert rules.ends_at("adult", date(1990, 1, 1), None, NOW) is None
    assert rules.ends_at("adult", None, date(2026, 7, 1), NOW) == rules.midnight(date(2026, 7, 2))


def test_a_request_lies_open_for_thirty_days_and_never_beyond_its_end():
    assert rules.answer_by(None, NOW) == NOW + timedelta(days=30)
    assert rules.answer_by(NOW + timedelta(days=3), NOW) == NOW + timedelta(days=3)


@pytest.mark.parametrize(
    ("wished", "outer", "left"),
    [
        (None, [["a", "b"]], ["a", "b"]),
        (None, [["a", "b"], ["b", "c"]], ["b"]),
        (None, [["a"], ["b"]], None),
        (["b", "b"], [["a", "b"]], ["b"]),
        (["c"], [["a", "b"]], None),
        (["a"], [["a", "b"], ["b"]], None),
        ([], [["a"]], None),
    ],
)
def test_scopes_only_grow_narrower(wished, outer, left):
    assert rules.narrowed(wished, *outer) == left


def test_one_attempt_has_one_id_a_day_that_sorts_by_day():
    account, person = UUID(int=1), UUID(int=2)
    today, tomorrow = date(2026, 6, 1), date(2026, 6, 2)
    one = rules.attempt_id(account, person, "masks", today)
    assert one == rules.attempt_id(account, person, "masks", today)
    others = {
        rules.attempt_id(person, account, "masks", today),
        rules.attempt_id(account, person, "any", today),
        rules.attempt_id(account, person, "masks", tomorrow),
    }
    assert len(others | {one}) == 4
    assert one.version == 7
    assert one < rules.attempt_id(account, person, "masks", tomorrow)
