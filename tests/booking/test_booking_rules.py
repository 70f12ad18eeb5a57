"""What may become of a booking, and how it is called."""

from datetime import date

import pytest

from citizen_cloud.booking.rules import ALPHABET, HOLDING, MOVES, Quota, may_move, new_reference


def test_a_reference_has_eight_letters_nobody_misreads() -> None:
    assert new_reference(bytes(5)) == "00000000"
    assert new_reference(b"\xff" * 5) == "ZZZZZZZZ"
    assert set("ILOU").isdisjoint(ALPHABET)


def test_every_bit_of_the_randomness_counts_in_a_reference() -> None:
    spelt = {new_reference((1 << bit).to_bytes(5, "big")) for bit in range(40)}
    assert len(spelt) == 40


def test_only_cancelled_and_expired_free_places() -> None:
    assert {move.target for move in MOVES.values() if move.frees} == {"cancelled", "expired"}
    assert {move.target for move in MOVES.values() if not move.frees} <= set(HOLDING)


@pytest.mark.parametrize(
    ("name", "status", "allowed"),
    [
        ("confirm", "held", True),
        ("confirm", "booked", False),
        ("cancel", "held", True),
        ("cancel", "booked", True),
        ("cancel", "fulfilled", False),
        ("check_in", "booked", True),
        ("check_in", "held", False),
        ("undo_check_in", "fulfilled", True),
        ("undo_check_in", "cancelled", False),
    ],
)
def test_a_transition_starts_only_where_it_is_declared(
    name: str,
    status: str,
    allowed: bool,
) -> None:
    assert may_move(name, status) is allowed


def test_a_rolling_quota_needs_its_days_and_a_calendar_quota_has_none() -> None:
    with pytest.raises(ValueError, match="rolling"):
        Quota(scope="masks", period="rolling", max=1, day=date(2020, 2, 16))
    with pytest.raises(ValueError, match="rolling"):
        Quota(scope="masks", period="2020-W08", max=1, day=date(2020, 2, 16), rolling_days=7)
