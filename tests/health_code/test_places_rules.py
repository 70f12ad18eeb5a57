"""Venue codes and who may enter, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from citizen_cloud.credentials import base45, qr
from citizen_cloud.modules.health_code.rules import place_codes, visits

AT = datetime(2026, 11, 26, 4, 2, 30, tzinfo=UTC)
SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
PLACE, ELSEWHERE = UUID(int=7), UUID(int=8)
STEP = place_codes.step_of(AT)
TEXT = place_codes.written(SECRET, PLACE, STEP)


def fault(text=TEXT, *, place_id=PLACE, secret=SECRET, at=AT):
    code = place_codes.read(text)
    return place_codes.fault_of(code, place_id=place_id, secret=secret, at=at)


def test_a_code_counts_in_its_step_and_the_next_and_not_before_or_after():
    begins = place_codes.begins_at(STEP)
    step = timedelta(seconds=place_codes.STEP_S)
    second = timedelta(seconds=1)
    assert fault(at=begins) is None
    assert fault(at=begins + 2 * step - second) is None
    assert place_codes.accepted_until(STEP) == begins + 2 * step
    assert fault(at=begins + 2 * step) == "stale"
    assert fault(at=begins - second) == "stale"
    assert fault(at=begins + timedelta(days=3)) == "stale"


def test_a_code_is_its_places_alone():
    assert fault(place_id=ELSEWHERE) == "wrong_place"
    relabelled = bytearray(base45.decode(TEXT.removeprefix("CCP1:")))
    relabelled[:16] = ELSEWHERE.bytes
    moved = "CCP1:" + base45.encode(bytes(relabelled))
    assert fault(moved, place_id=ELSEWHERE, secret=OTHER_SECRET) == "forged"
    assert fault(moved, place_id=ELSEWHERE) == "forged"


def test_no_bit_of_a_code_can_be_changed():
    raw = base45.decode(TEXT.removeprefix("CCP1:"))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        expected = "wrong_place" if bit < 128 else "forged"
        assert fault("CCP1:" + base45.encode(bytes(changed))) == expected


def test_an_old_code_cannot_be_dated_anew():
    raw = bytearray(base45.decode(TEXT.removeprefix("CCP1:")))
    raw[16:20] = (STEP + 1000).to_bytes(4, "big")
    at = AT + timedelta(seconds=1000 * place_codes.STEP_S)
    assert fault("CCP1:" + base45.encode(bytes(raw)), at=at) == "forged"


@pytest.mark.parametrize(
    "text", ["", "CCP1:", TEXT[:-1], TEXT + "0", TEXT.replace("CCP1", "CC2:"), "CCP1:" + "z" * 45]
)
def test_what_is_no_code_is_said_to_be_none(text):
    assert place_codes.read(text) is None
    assert fault(text) == "malformed"


def test_the_symbol_is_small():
    assert len(TEXT) == place_codes.LENGTH == 50
    assert qr.version(TEXT) <= 3


@pytest.mark.parametrize(
    ("colour", "admits_yellow", "outcome"),
    [
        ("green", True, "admitted"),
        ("green", False, "admitted"),
        ("yellow", True, "restricted"),
        ("yellow", False, "refused"),
        ("red", True, "refused"),
        ("none", True, "refused"),
    ],
)
def test_who_may_enter(colour, admits_yellow, outcome):
    found, words = visits.outcome_of(colour, admits_yellow=admits_yellow)
    assert found == outcome
    assert words.zh
    assert words.en


def test_places_see_bands():
    numbers = (0, 1, 9, 10, 29, 30, 99, 100, 4000)
    expected = ("0", "1-9", "1-9", "10-29", "10-29", "30-99", "30-99", "100+", "100+")
    assert tuple(visits.band(number) for number in numbers) == expected
