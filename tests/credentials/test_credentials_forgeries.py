"""No text that differs from a shown one passes, and no two codes of a person can be linked."""

import os
import random
from datetime import timedelta
from difflib import SequenceMatcher

import gate_world as world
import pytest
import qr_reader
from gate_world import NOW, gate
from hypothesis import given, settings
from hypothesis import strategies as st
from phone import Phone

from citizen_cloud.credentials import base45, qr
from citizen_cloud.credentials.compact import FITS_VERSION_13, PREFIX
from citizen_cloud.credentials.verifier import Outcome

PROVE = bool(os.environ.get("PROVE"))
NONCE = bytes(range(16))
PLACE = world.some_place()
BOUND = {"nonce": NONCE, "place_id": PLACE}
PHONE = Phone()
SHOWN = PHONE.show(world.credential(PHONE), NOW)
SHOWN_BOUND = PHONE.show(world.credential(PHONE), NOW, **BOUND)
PAPER = world.paper()
THIN = world.thin()


def raw_of(text):
    return base45.decode(text[len(PREFIX) :])


def text_of(raw, like):
    return like[: len(PREFIX)] + base45.encode(raw)


def passes(text, **asked):
    verdict = gate(**asked).check(text, now=NOW)
    assert isinstance(verdict.outcome, Outcome)
    return verdict.outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("text", "asked"), [(SHOWN, {}), (SHOWN_BOUND, BOUND), (PAPER, {}), (THIN, {})]
)
def test_no_changed_bit_passes(text, asked):
    assert passes(text, **asked)
    raw = raw_of(text)
    for place in range(len(raw)):
        for bit in range(8) if PROVE else (place % 8,):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            assert not passes(text_of(bytes(changed), text), **asked), (place, bit)


def test_no_changed_character_passes():
    rng = random.Random(1)
    for place in range(len(SHOWN)):
        others = [one for one in base45.ALPHABET if one != SHOWN[place]]
        for other in others if PROVE else rng.sample(others, 1):
            assert not passes(SHOWN[:place] + other + SHOWN[place + 1 :]), (place, other)


@given(st.data())
@settings(max_examples=20_000 if PROVE else 150, deadline=None)
def test_no_piece_of_a_code_passes_for_another(data):
    """Cut, doubled, moved, or put together from two genuine ones."""
    left, right = (
        data.draw(st.permutations([SHOWN, SHOWN_BOUND, PAPER, THIN])),
        data.draw(st.permutations([SHOWN, SHOWN_BOUND, PAPER, THIN])),
    )
    first, second = raw_of(left[0]), raw_of(right[0])
    cut = data.draw(st.integers(0, len(first)))
    other = data.draw(st.integers(0, len(second)))
    text = text_of(first[:cut] + second[other:], data.draw(st.sampled_from([SHOWN, PAPER])))
    if text not in (SHOWN, PAPER, THIN):
        assert not passes(text)


@given(st.one_of(st.text(), st.text(base45.ALPHABET), st.binary().map(base45.encode)))
@settings(max_examples=20_000 if PROVE else 200, deadline=None)
def test_no_text_makes_a_verifier_raise(text):
    for prefix in ("", "CC1:", "CC2:"):
        assert not passes(prefix + text)


@given(
    st.one_of(
        st.binary(max_size=120),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["jti", "iat", "exp", "c", "k", "n", "nbf", "x"]), inner
                )
            ),
        ),
    )
)
@settings(max_examples=5_000 if PROVE else 150, deadline=None)
def test_no_signed_payload_of_another_form_passes_or_raises(payload):
    for kind in ("hc", "ht", "hp"):
        jws = world.sign(payload, world.CREDENTIAL_KEY, typ=f"{kind}+jwt", kid="c.k1")
        if len(jws) < 700:
            assert not passes(world.packed(jws))


@pytest.mark.parametrize(
    "changes",
    [
        {"c": "blue"},
        {"c": None},
        {"c": ["green"]},
        {"k": "AA"},
        {"k": 7},
        {"k": "A" * 45},
        {"jti": "A" * 21},
        {"jti": "A" * 21 + "B"},
        {"iat": True},
        {"exp": 2**33},
        {"exp": 1.5},
        {"exp": int((NOW + timedelta(days=500)).timestamp())},
    ],
)
def test_a_health_code_of_another_form_is_none(changes):
    jws = world.code("hc", k=PHONE.fresh_key()["show_key"], said=changes)
    shown = world.shown_anyhow(PHONE, jws, NOW)
    assert gate().check(shown, now=NOW).outcome is Outcome.MALFORMED


def test_a_show_key_off_the_curve_signs_nothing():
    jws = world.code("hc", k=world.proofs.to_text(b"\x05" * 33))
    shown = world.shown_anyhow(PHONE, jws, NOW)
    assert gate().check(shown, now=NOW).outcome is Outcome.WRONG_DEVICE


def common(left, right):
    """Return the longest byte string two codes share."""
    match = SequenceMatcher(None, left, right, autojunk=False).find_longest_match()
    return left[match.a : match.a + match.size]


def fixed_header(raw):
    """Return everything before the id: the same in every code of its type and key."""
    return raw[: raw.index(b'{"jti":"') + len(b'{"jti":"')]


def shows_of(phone, count):
    """Return showings of fresh credentials, hours apart, at one gate in one step."""
    shows = []
    for number in range(count):
        jws = world.credential(phone, iat=NOW - timedelta(hours=3 * number, seconds=number))
        shows.append(raw_of(phone.show(jws, NOW, **BOUND)))
    return shows


def test_two_credentials_of_one_person_share_nothing_that_links_them():
    mine, theirs = shows_of(Phone(), 4), shows_of(Phone(), 4)
    header = fixed_header(mine[0])
    for number, left in enumerate(mine):
        for other in range(number + 1, len(mine)):
            shared = common(left, mine[other])
            # One random id in 64 begins like the last one: that is chance, four letters are not.
            assert len(shared) < len(header) + 4
            # What they share, a stranger's of the same hour shares too.
            assert len(shared) <= len(common(left, theirs[other])) + 4


def test_every_code_is_read_back_by_a_reader_written_elsewhere(record_property):
    versions = {}
    for name, text in {
        "device": SHOWN,
        "device, nonce and place": SHOWN_BOUND,
        "thin": THIN,
        "paper": PAPER,
        "voucher": world.voucher(),
    }.items():
        assert qr_reader.drawn(text) == text
        versions[name] = (len(text), qr.version(text))
    record_property("facts", str(versions))
    assert {name: version for name, (_, version) in versions.items()} == {
        "device": 13,
        "device, nonce and place": 13,
        "thin": 10,
        "paper": 10,
        "voucher": 10,
    }
    assert max(length for length, _ in versions.values()) <= FITS_VERSION_13
