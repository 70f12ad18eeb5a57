"""What phones sign, and how a showing travels: every byte of it counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from phone import Phone, compressed

from citizen_cloud.credentials import claims, compact, proofs, qr
from citizen_cloud.crypto import LONGEST_CODE_KID

ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLACE = UUID("01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11")
NONCE = bytes(range(16))


def credential(phone, *, colour="yellow"):
    said = {
        "jti": claims.jti_text(PLACE),
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(hours=24)).timestamp()),
        "c": colour,
        "k": phone.fresh_key()["show_key"],
    }
    return jwt.PyJWS().encode(
        claims.payload("hc", said), ISSUER, "EdDSA", headers={"typ": "hc+jwt", "kid": "c.k1"}
    )


def test_a_device_proves_that_it_holds_its_key():
    phone = Phone()
    challenge = bytes(32)
    proof = proofs.from_text(phone.registering(proofs.to_text(challenge)))
    key = proofs.from_text(phone.public_key)
    assert proofs.is_signed(key, proof, proofs.device_message(challenge, key))
    assert not proofs.is_signed(key, proof, proofs.device_message(bytes([1]) + challenge[1:], key))
    other = proofs.from_text(Phone().public_key)
    assert not proofs.is_signed(other, proof, proofs.device_message(challenge, other))


def test_a_device_signs_for_a_fresh_show_key_and_for_nothing_else_by_it():
    phone = Phone()
    asked = phone.fresh_key()
    shown, proof = (proofs.from_text(asked[name]) for name in ("show_key", "proof"))
    device = proofs.from_text(phone.public_key)
    assert proofs.is_signed(device, proof, proofs.key_message(shown))
    assert not proofs.is_signed(device, proof, proofs.device_message(bytes(32), shown))
    assert phone.fresh_key()["show_key"] != asked["show_key"]


@pytest.mark.parametrize("key", [b"", b"\x05" * 33, b"\x04" + bytes(64), b"\x02" + b"\xff" * 32])
def test_what_is_no_key_signs_nothing(key):
    assert not proofs.is_key(key)
    assert not proofs.is_signed(key, bytes(64), b"message")


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), b"\xff" * 64, bytes(65)])
def test_what_is_no_signature_proves_nothing(signature):
    phone = Phone()
    assert not proofs.is_signed(compressed(phone.device_key), signature, b"message")


def test_no_two_showings_share_a_message():
    jws = credential(Phone())
    messages = {
        proofs.show_message(kind, text, step, nonce=nonce, place_id=place)
        for kind in ("hc", "ht")
        for text in (jws, jws[:-1])
        for step in (1, 2)
        for nonce in (None, NONCE, PLACE.bytes, NONCE + PLACE.bytes)
        for place in (None, PLACE)
    }
    assert len(messages) == 2 * 2 * 2 * 4 * 2


@pytest.mark.parametrize("nonce", [None, NONCE])
@pytest.mark.parametrize("place", [None, PLACE])
def test_a_showing_comes_back_bit_for_bit(nonce, place):
    phone = Phone()
    jws = credential(phone)
    scanned = compact.scan(phone.show(jws, NOW, nonce=nonce, place_id=place))
    assert scanned.jws == jws
    assert scanned.proof.step == proofs.step_at(NOW)
    assert scanned.proof.nonce_hint == (proofs.hint(nonce) if nonce else None)
    assert scanned.proof.place_hint == (proofs.hint(place.bytes) if place else None)
    message = proofs.show_message("hc", jws, scanned.proof.step, nonce=nonce, place_id=place)
    said = claims.read("hc", "c.k1", proofs.from_text(jws.split(".")[1]))
    assert proofs.is_signed(said.show_key, scanned.proof.signature, message)


def test_the_longest_showing_fits_a_qr_code_of_version_13():
    phone = Phone()
    text = phone.show(credential(phone), NOW, nonce=NONCE, place_id=PLACE)
    assert len(text) == 471
    assert qr.version(text) == 13
    # With the longest name a key may have: the header is longer by as much.
    longer = (LONGEST_CODE_KID - len("k1")) * 3 / 2
    assert len(text) + longer <= compact.FITS_VERSION_13 < len(text) + longer + 1.5
    assert qr.version("C" * compact.FITS_VERSION_13) == 13
    assert qr.version("C" * (compact.FITS_VERSION_13 + 1)) == 14


def test_a_showing_is_no_code_without_proof_and_the_other_way_round():
    phone = Phone()
    jws = credential(phone)
    with pytest.raises(compact.NotACode):
        compact.unpack(phone.show(jws, NOW))
    assert compact.scan(compact.pack(jws)).proof is None


@pytest.mark.parametrize("text", ["CC2:", "CC2:00", "CC3:000", "cc2:000", "CC2:" + "0" * 1200])
def test_what_is_no_code_is_said_to_be_none(text):
    with pytest.raises(compact.NotACode):
        compact.scan(text)


def test_a_step_counts_from_five_seconds_before_it_begins_until_the_next_is_over():
    begins = datetime.fromtimestamp(30 * 59_000_000, UTC)
    step = proofs.step_at(begins)
    late = [(-6, False), (-5, True), (0, True), (59.9, True), (60, False), (61, False)]
    for seconds, is_current in late:
        assert proofs.is_current(step, begins + timedelta(seconds=seconds)) is is_current
