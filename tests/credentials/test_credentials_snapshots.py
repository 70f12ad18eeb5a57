"""The one file a gate goes by: genuine, whole, and never an older one."""

from datetime import timedelta

import gate_world as world
import pytest
from gate_world import NOW, ROOTS, snapshot_text

from citizen_cloud.credentials.verifier import Snapshot, SnapshotInvalid, reading


def test_a_genuine_snapshot_says_keys_revocations_and_void_codes():
    void = [world.jti_of(world.paper_jws()) for _ in range(50)]
    text = snapshot_text(number=9, void=void, kids=("c.k1", "c.k2"), revoked_keys=("c.k0",))
    snapshot = Snapshot.read(text, ROOTS)
    assert (snapshot.number, snapshot.issued_at) == (9, NOW)
    assert snapshot.fresh_until == NOW + timedelta(minutes=10)
    assert set(snapshot.keys) == {"c.k1", "c.k2"}
    assert snapshot.revoked_keys["c.k0"].reason == "leaked"
    assert all(snapshot.is_void(jti) for jti in void)
    assert not any(snapshot.is_void(world.jti_of(world.paper_jws())) for _ in range(50))


def test_an_empty_list_makes_nothing_void():
    assert not world.snapshot().is_void(world.jti_of(world.paper_jws()))


def test_a_snapshot_of_another_root_is_refused():
    with pytest.raises(SnapshotInvalid, match="signature"):
        Snapshot.read(snapshot_text(root=world.SECOND_KEY), ROOTS)
    with pytest.raises(SnapshotInvalid, match="roots"):
        Snapshot.read(snapshot_text(), {"t.k2": ROOTS["t.k1"]})


def test_a_key_of_codes_signs_no_snapshot():
    text = world.sign({}, world.CREDENTIAL_KEY, typ="snapshot+jwt", kid="c.k1")
    with pytest.raises(SnapshotInvalid, match="roots"):
        Snapshot.read(text, ROOTS)


def test_another_statement_of_the_same_root_is_no_snapshot():
    text = world.sign({}, world.TRUST_KEY, typ="destruction+jwt", kid="t.k1")
    with pytest.raises(SnapshotInvalid, match="not a snapshot"):
        Snapshot.read(text, ROOTS)


def test_an_older_snapshot_is_refused_where_a_newer_one_was_held():
    text = snapshot_text(number=7)
    assert Snapshot.read(text, ROOTS, at_least=7).number == 7
    with pytest.raises(SnapshotInvalid, match="older"):
        Snapshot.read(text, ROOTS, at_least=8)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another city"},
        {"number": -1},
        {"number": True},
        {"number": "7"},
        {"number": ...},
        {"iat": "now"},
        {"iat": 10**30},
        {"exp": None},
        {"keys": None},
        {"keys": [{"kid": "c.k1"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "c.k1"}]},
        {"keys": [7]},
        {"revoked_keys": [{"kid": "c.k1"}]},
        {"revoked_keys": {"c.k1": 7}},
        {"void": "AA"},
        {"void": "AAAAAAAAAAEAAAAAAAAAAA"},
        {"void": "!"},
        {"void": 7},
        {"more": 1},
        {"ended_types": ["hp"]},
        {"ended_types": {"hp": "now"}},
        {"ended_types": {"hp": True}},
    ],
)
def test_a_signed_file_of_another_form_is_refused(changes):
    with pytest.raises(SnapshotInvalid):
        Snapshot.read(snapshot_text(said=changes), ROOTS)


def test_a_file_from_before_there_were_ends_is_as_good_as_it_was():
    held = Snapshot.read(snapshot_text(said={"ended_types": ...}), ROOTS)
    assert held.ended_types == {}


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\ud800", "é", "{}", "e30.e30.e30"])
def test_what_is_no_snapshot_is_refused_in_words(text):
    with pytest.raises(SnapshotInvalid):
        Snapshot.read(text, ROOTS)


def test_a_changed_character_anywhere_is_noticed():
    text = snapshot_text(void=[world.jti_of(world.paper_jws())])
    for place in range(0, len(text), 3):
        other = "A" if text[place] != "A" else "B"
        changed = text[:place] + other + text[place + 1 :]
        # The last character of base64url has bits that mean nothing.
        if place != len(text) - 1:
            with pytest.raises(SnapshotInvalid):
                Snapshot.read(changed, ROOTS)


def test_a_header_as_long_as_a_file_is_none_and_is_not_remembered():
    kept = reading._header.cache_info().currsize
    text = world.sign(b"{}", world.TRUST_KEY, typ="snapshot+jwt", kid="t." + "x" * 100_000)
    assert reading.header_of(text) is None
    assert reading._header.cache_info().currsize == kept
