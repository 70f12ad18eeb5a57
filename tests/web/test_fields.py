from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from marshmallow import ValidationError

from citizen_cloud.web import fields

REFUSED = [
    (
        fields.Int(minimum=1, maximum=9),
        ["1", " 7 ", 1.0, 12.9, True, "1_000", "１２", None, 0, 10, 10**29],
        None,
    ),
    (
        fields.QueryInt(minimum=1, maximum=100),
        ["１２", "1_0", " 1", "1.0", "", "-1", "101", "9" * 30],
        None,
    ),
    (fields.Flag(), ["yes", "true", 1, 0, None], None),
    (fields.QueryFlag(), ["yes", "1", "True", ""], None),
    (fields.Number(minimum=-1, maximum=1), ["0.5", True, float("nan"), float("inf"), 2.0], None),
    (
        fields.Str(max_length=5),
        [
            "",
            "123456",
            5,
            None,
            "a\x00",
            "a\ud800",
            "a\u202eb",
            "a\u200bb",
            "\ufeffa",
            "a\nb",
            "a\x85",
        ],
        None,
    ),
    (
        fields.Uuid(),
        [
            "x",
            5,
            "0" * 32,
            "{00000000-0000-0000-0000-000000000000}",
            "00000000-0000-0000-0000-00000000000g",
        ],
        None,
    ),
    (
        fields.Day(),
        ["2026-02-30", "2026-2-3", "20260203", "1999-12-31", "2100-01-02", "２０２６-02-03", 5],
        None,
    ),
    (fields.WallTime(), ["24:00", "8:00", "08:60", "08:00:00", 8], None),
    (
        fields.Instant(),
        [
            "2026-11-23T08:00:00",
            "2026-11-23",
            "2026-11-23T24:00:00Z",
            "2026-11-23T23:59:60Z",
            "2026-11-23T08:00:00+25:00",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2100-02-29T00:00:00Z",
            5,
            "2026-11-23 08:00:00Z",
        ],
        None,
    ),
    (
        fields.Both(),
        [
            {"zh": "好"},
            {"zh": "好", "en": ""},
            {"zh": "好", "en": "x", "fr": "y"},
            "好",
            [],
            {"zh": 1, "en": "x"},
        ],
        None,
    ),
]


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values, _ in REFUSED for value in values],
    ids=lambda v: repr(v)[:40],
)
def test_what_is_not_exactly_right_is_refused_with_a_code(field, value):
    from citizen_cloud.web.words import WORDS

    with pytest.raises(ValidationError) as caught:
        field.deserialize(value)
    messages = caught.value.messages
    found = (
        messages if isinstance(messages, list) else [m for part in messages.values() for m in part]
    )
    assert set(found) <= set(WORDS), found


def test_the_two_spellings_of_one_instant_are_equal():
    field = fields.Instant()
    assert field.deserialize("2026-11-23T08:00:00+08:00") == field.deserialize(
        "2026-11-23T00:00:00Z"
    )


def test_instants_go_out_in_the_citys_offset():
    assert (
        fields.Instant()._serialize(datetime(2026, 1, 1, tzinfo=UTC), "a", {})
        == "2026-01-01T08:00:00.000+08:00"
    )


def test_a_naive_instant_is_told_what_is_missing():
    with pytest.raises(ValidationError, match="timezone_required"):
        fields.Instant().deserialize("2026-11-23T08:00:00")


def test_good_values_are_read():
    assert fields.Int().deserialize(5) == 5
    assert fields.Day().deserialize("2028-02-29") == date(2028, 2, 29)
    assert fields.Str().deserialize("e\u0301") == "\u00e9"
    assert fields.Str().deserialize("𠮷") == "𠮷"
    assert fields.Uuid().deserialize(str(UUID(int=5))) == UUID(int=5)
