"""Thin codes: an id that is whose they are, to us alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher

import gate_world
import pytest
import qr_reader
from phone import said_by

from citizen_cloud import crypto
from citizen_cloud.credentials import compact, keys, qr
from citizen_cloud.credentials.services.thin import Bearer, bearer_of, thin_code
from citizen_cloud.credentials.verifier import reading
from citizen_cloud.crypto import KeyRing

NOW = datetime(2026, 3, 2, 9, 0, 0, 500_000, tzinfo=UTC)
SECOND = NOW.replace(microsecond=0)
ME = Bearer(handle=2**40 - 1, basis=b"")


@pytest.fixture
def rings(app):
    """Put the process's keys back after a test that changes them."""
    held = crypto.current()
    yield held
    crypto._current[:] = [held]


def with_fields(rings, *names):
    seeds = {name: name.encode().ljust(32, b".") for name in names}
    crypto._current[:] = [replace(rings, fields=KeyRing(seeds))]


def issue(bearer=ME, *, colour="green", at=NOW, until=None):
    return thin_code(bearer, colour=colour, kid=keys.names()[0], at=at, until=until)


def claims_of(text):
    return reading.unfold(text, types=("ht",), keys=keys.public_keys()).claims


def test_a_thin_code_says_its_colour_for_a_minute_and_nothing_of_the_person(rings):
    made = issue()
    said = said_by(compact.unpack(made.text))
    assert list(said) == ["jti", "iat", "exp", "c"]
    assert said["exp"] - said["iat"] == 60
    assert made.expires_at == SECOND + timedelta(minutes=1)


@pytest.mark.parametrize(("left", "lives"), [(20, 20), (90, 60), (0.2, 0), (-3, 0)])
def test_no_thin_code_outlives_the_colour_it_says(rings, left, lives):
    made = issue(until=SECOND + timedelta(seconds=left))
    assert made.expires_at == SECOND + timedelta(seconds=lives)
    assert bearer_of(claims_of(made.text)) == ME


@pytest.mark.parametrize("colour", ["green", "yellow", "red"])
@pytest.mark.parametrize(
    "bearer", [Bearer(handle=1, basis=b"\x01\x02\x03"), Bearer(handle=1, basis=bytes(3)), ME]
)
def test_we_alone_know_whose_it_is(rings, colour, bearer):
    code = issue(bearer, colour=colour).text
    assert bearer_of(claims_of(code)) == bearer
    with_fields(rings, "other")
    assert bearer_of(claims_of(code)) is None


def test_codes_of_the_key_before_are_known_while_it_is_held_and_new_ones_use_the_first(rings):
    with_fields(rings, "k1")
    before = issue().text
    with_fields(rings, "k2", "k1")
    after = issue().text
    assert bearer_of(claims_of(before)) == bearer_of(claims_of(after)) == ME
    with_fields(rings, "k2")
    assert bearer_of(claims_of(before)) is None
    assert bearer_of(claims_of(after)) == ME


def test_whoever_holds_a_signing_key_makes_no_code_and_changes_none(rings):
    kid = keys.names()[0]
    said = said_by(compact.unpack(issue().text))
    changes = (
        {"exp": said["exp"] + 1},
        {"exp": said["exp"] + 3600},
        {"iat": said["iat"] + 30, "exp": said["exp"] + 30},
        {"c": "red"},
        {"jti": "A" * 22},
    )
    for change in changes:
        forged = gate_world.code("ht", kid=kid, key=keys.private_key(kid), said=said | change)
        assert bearer_of(claims_of(compact.pack(forged))) is None
    same = gate_world.code("ht", kid=kid, key=keys.private_key(kid), said=said)
    assert bearer_of(claims_of(compact.pack(same))) == ME


def common(left, right):
    match = SequenceMatcher(None, left, right, autojunk=False).find_longest_match()
    return left[match.a : match.a + match.size]


def test_two_thin_codes_of_one_person_share_nothing_that_links_them(rings):
    """Not even two of one second, which differ in the id's last two bytes before it is sealed."""
    times = [NOW, NOW, NOW + timedelta(seconds=1), NOW + timedelta(hours=3)]

    def raw(bearer, at):
        jws = compact.unpack(issue(bearer, at=at).text)
        return b"|".join(compact._raw(part) for part in jws.split("."))

    mine = [raw(ME, at) for at in times]
    theirs = [raw(Bearer(handle=7, basis=b""), at) for at in times]
    fixed = len(mine[0][: mine[0].index(b'{"jti":"') + 8])
    for number, left in enumerate(mine):
        for other in range(number + 1, len(mine)):
            assert len(common(left[: fixed + 22], mine[other][: fixed + 22])) <= fixed + 3
            # What they share, a stranger's of the same instants shares too.
            assert len(common(left, mine[other])) <= len(common(left, theirs[other])) + 4


def test_a_thin_code_is_read_back_by_a_reader_written_elsewhere(rings):
    text = issue().text
    assert qr_reader.drawn(text) == text
    assert qr.version(text) <= 10
