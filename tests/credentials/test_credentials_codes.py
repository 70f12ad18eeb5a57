"""The form of a code, and the verifier that works with every server stopped."""

import base64
import io
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from citizen_cloud.credentials import base45, qr
from citizen_cloud.credentials.compact import LONGEST, NotACode, pack, unpack
from citizen_cloud.credentials.verifier import Outcome, keys_of, read, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS = {"c.k1": KEY.public_key()}
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
JTI = UUID("01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11")


def seconds(instant):
    return int(instant.timestamp())


def claims(**changes):
    facts = {
        "jti": base64.urlsafe_b64encode(JTI.bytes).rstrip(b"=").decode(),
        "iat": seconds(NOW - timedelta(hours=1)),
        "nbf": seconds(NOW - timedelta(minutes=5)),
        "exp": seconds(NOW + timedelta(hours=4)),
    }
    return {key: value for key, value in (facts | changes).items() if value is not ...}


def jws(payload=None, *, key=KEY, **header):
    raw = (
        payload
        if isinstance(payload, bytes)
        else json.dumps(payload or claims(), separators=(",", ":")).encode()
    )
    headers = {"typ": "voucher+jwt", "kid": "c.k1"} | header
    return jwt.PyJWS().encode(raw, key, algorithm="EdDSA", headers=headers)


def code(payload=None, **facts):
    return pack(jws(payload, **facts))


def outcome(text, now=NOW, **facts):
    return verify(text, type="voucher", keys=KEYS, now=now, **facts).outcome


@pytest.mark.parametrize(
    ("raw", "written"),
    # RFC 9285, sections 4.3 and 4.4
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"", ""),
    ],
)
def test_base45_writes_and_reads_the_rfcs_examples(raw, written):
    assert base45.encode(raw) == written
    assert base45.decode(written) == raw


@pytest.mark.parametrize(
    "text", ["GGW", ":::", "::", "A", "ABCD", "ab8", "B\u00df8", "B\n8", "６９"]
)
def test_base45_reads_nothing_it_would_not_write(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise
        base45.decode(text)


@given(st.binary(max_size=300))
@example(b"\xff\xff")
def test_base45_comes_back_and_can_be_trimmed(raw):
    text = base45.encode(raw)
    assert base45.decode(text) == raw
    assert text.rstrip() == text


@given(st.text(base45.ALPHABET, max_size=12))
def test_base45_has_one_text_for_each_bytes(text):
    try:
        raw = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(raw) == text


def test_the_jws_comes_back_bit_for_bit():
    signed = jws()
    assert unpack(pack(signed)) == signed


def test_any_jose_library_accepts_the_rebuilt_jws():
    rebuilt = unpack(code())
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    assert jwt.decode(rebuilt, KEY.public_key(), ["EdDSA"], options=options) == claims()
    signing_input, _, signature = rebuilt.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    # Raises unless the signature is right; knows nothing of JWT.
    KEY.public_key().verify(raw, signing_input.encode())


def test_a_voucher_fits_a_qr_code_of_version_10():
    text = code()
    assert len(text) == 298
    assert qr.version(text) == 10
    assert qr.version(jws()) == 12


def test_a_good_code_says_what_it_was_issued_for():
    reading = verify(code(), type="voucher", keys=KEYS, now=NOW)
    assert reading.outcome is Outcome.VALID
    assert reading.claims.jti == JTI
    assert reading.claims.expires_at == NOW + timedelta(hours=4)


def test_a_code_is_over_at_its_end_to_the_second():
    end = NOW + timedelta(hours=4)
    text = code()
    assert outcome(text, end - timedelta(seconds=1)) is Outcome.VALID
    assert outcome(text, end) is Outcome.EXPIRED
    assert outcome(text, end + timedelta(seconds=1)) is Outcome.EXPIRED


def test_a_code_counts_from_its_beginning_give_or_take_five_seconds():
    begins = NOW + timedelta(minutes=10)
    text = code(claims(nbf=seconds(begins)))
    assert outcome(text, begins - timedelta(seconds=6)) is Outcome.NOT_YET_VALID
    assert outcome(text, begins - timedelta(seconds=5)) is Outcome.VALID


def test_a_code_from_the_future_is_not_valid_yet():
    text = code(claims(iat=seconds(NOW + timedelta(seconds=6)), nbf=0))
    assert outcome(text) is Outcome.NOT_YET_VALID


def test_a_code_for_something_else_is_told_apart():
    assert outcome(code(typ="pass+jwt")) is Outcome.WRONG_TYPE
    assert outcome(code(typ="JWT")) is Outcome.WRONG_TYPE


def test_a_code_of_another_citys_key_is_refused():
    assert outcome(code(key=OTHER)) is Outcome.INVALID_SIGNATURE
    assert outcome(code(key=OTHER, kid="c.k2")) is Outcome.UNKNOWN_ISSUER
    for kid in ("../../dev/null", "c.k1' OR 1=1", "http://x/jwks"):
        assert outcome(code(kid=kid)) is Outcome.UNKNOWN_ISSUER


def test_every_single_character_that_differs_is_refused():
    text = code()
    for place, was in enumerate(text):
        for shift in (1, 7, 22, 44):
            other = base45.ALPHABET[(base45.ALPHABET.index(was) + shift) % 45]
            changed = text[:place] + other + text[place + 1 :]
            assert outcome(changed) is not Outcome.VALID, place


def test_every_single_bit_that_differs_is_refused():
    text = code()
    raw = base45.decode(text[4:])
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert outcome("CC1:" + base45.encode(bytes(changed))) is not Outcome.VALID, bit


def test_every_shorter_or_longer_text_is_refused():
    text = code()
    for end in range(len(text)):
        assert outcome(text[:end]) is not Outcome.VALID, end
    for extra in ("0", "00", "000", " ", "\n", "A" * 700):
        assert outcome(text + extra) is not Outcome.VALID, extra
    assert outcome(text + text) is not Outcome.VALID


def _b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _with_header(header, signature=bytes(64)):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return pack(".".join((_b64(raw), _b64(json.dumps(claims()).encode()), _b64(signature))))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "c.k1", "typ": "voucher+jwt"},
        {"alg": "HS256", "kid": "c.k1", "typ": "voucher+jwt"},
        {"alg": "EdDSA", "kid": ["c.k1"], "typ": "voucher+jwt"},
        {"alg": "EdDSA", "kid": {}, "typ": "voucher+jwt"},
        {"alg": "EdDSA", "kid": None, "typ": "voucher+jwt"},
        {"alg": "EdDSA", "typ": "voucher+jwt"},
        {"alg": "EdDSA", "kid": "c.k1"},
        {"alg": "EdDSA", "kid": "c.k1", "typ": "voucher+jwt", "crit": ["b64"], "b64": False},
        {"alg": "EdDSA", "kid": "c.k1", "typ": "voucher+jwt", "jku": "http://x"},
        {"alg": "EdDSA", "kid": "c.k1", "typ": "voucher+jwt", "jwk": {}},
        [],
        "x",
        1,
        None,
        b"\xff\xfe{",
        b"{" * 250,
        b"[" * 250,
        b'{"alg":"EdDSA"',
        b"\x00",
    ],
    ids=str,
)
def test_a_header_of_any_other_form_is_malformed(header):
    assert outcome(_with_header(header)) is Outcome.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        claims(exp=...),
        claims(iat=...),
        claims(nbf=...),
        claims(jti=...),
        claims(sub="x"),
        claims(exp="1772442000"),
        claims(exp=1772442000.5),
        claims(exp=True),
        claims(exp=10**30),
        claims(exp=-1),
        claims(exp=2**33 - 1),
        claims(exp=None),
        claims(iat=[]),
        claims(jti="x"),
        claims(jti="x" * 22 + "x"),
        claims(jti="é" * 22),
        claims(jti="****" * 5 + "**"),
        claims(jti=1),
        claims(jti=None),
        [],
        "text",
        b"\xff",
        b"{}",
        b"",
        b'{"exp":NaN}',
        b'{"jti":"' + b"[" * 300,
    ],
    ids=str,
)
def test_claims_of_any_other_form_are_malformed_even_when_signed(payload):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    try:
        text = pack(jws(raw))
        unpack(text)
    except NotACode:
        assert raw == b""
        return
    assert outcome(text) is Outcome.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CC1",
        "CC1:",
        "cc1:ABC",
        "CC2:ABC",
        "CC1:0",
        "CC1:00",
        "CC1:000",
        "CC1:" + "0" * 200,
        "CC1:" + ":" * 300,
        "CC1:" + "Z" * LONGEST,
        "HC1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5+O30K3",
        "https://example.org/?c=CC1:ABC",
        "eyJhbGciOiJub25lIn0.e30.",
        "\x00",
        "\ud800",
        "💥" * 50,
        "口罩",
        "CC1:口罩口罩",
        "A" * 100_000,
        "CC1:" + "A" * 100_000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_garbage_is_malformed(text):
    assert outcome(text) is Outcome.MALFORMED


@given(st.one_of(st.text(max_size=200), st.text(base45.ALPHABET, max_size=400).map("CC1:".__add__)))
def test_no_text_makes_the_verifier_raise(text):
    assert outcome(text) is Outcome.MALFORMED


@given(st.binary(max_size=400))
def test_no_bytes_make_the_verifier_raise_or_accept(raw):
    assert outcome("CC1:" + base45.encode(raw)) is not Outcome.VALID


def test_a_huge_text_costs_nothing():
    began = time.perf_counter()
    outcome("CC1:" + "0" * 5_000_000)
    assert time.perf_counter() - began < 0.1


def test_type_and_signature_alone_can_be_asked_for():
    assert read(code(claims(exp=1)), type="voucher", keys=KEYS).outcome is Outcome.VALID


def test_a_verifier_works_from_the_published_keys_with_no_server_and_no_framework():
    document = {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": "c.k1",
                "x": _b64(KEY.public_key().public_bytes_raw()),
            },
            {"kty": "EC", "crv": "P-256", "kid": "other", "x": "AA"},
        ]
    }
    assert keys_of(document).keys() == {"c.k1"}
    program = (
        "import json,sys;from datetime import datetime;"
        "from citizen_cloud.credentials.verifier import verify,keys_of;"
        "d,t,n=json.load(sys.stdin);"
        "print(verify(t,type='voucher',keys=keys_of(d),now=datetime.fromisoformat(n)).outcome);"
        "print(sorted({'flask','sqlalchemy','marshmallow','redis','psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([document, code(), NOW.isoformat()]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["valid", "[]"]


def scanned(picture):
    [found] = zxingcpp.read_barcodes(picture)
    return found.text


def test_a_scanner_reads_the_png_back():
    text = code()
    assert scanned(Image.open(io.BytesIO(qr.png(text))).convert("L")) == text


def test_a_scanner_reads_the_svg_back():
    text = code()
    drawn = qr.svg(text)
    side = int(re.search(r'viewBox="0 0 (\d+)', drawn)[1])
    assert side == 57 + 2 * 4
    picture = Image.new("L", (side * 4, side * 4), 255)
    pen = ImageDraw.Draw(picture)
    for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn):
        left, top, length = (int(number) * 4 for number in run)
        pen.rectangle((left, top, left + length - 1, top + 3), fill=0)
    assert scanned(picture) == text


def test_a_picture_is_drawn_once():
    qr.png.cache_clear()
    text = code()
    assert qr.png(text) is qr.png(text)
    assert qr.png.cache_info().hits == 1


def test_drawing_under_gevent_holds_nobody_up():
    program = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from citizen_cloud.credentials import qr
ticks, longest = 0, 0.0
def tick():
    global ticks, longest
    last = time.perf_counter()
    while True:
        gevent.sleep(0.001); now = time.perf_counter()
        longest = max(longest, now - last); last = now; ticks += 1
ticker = gevent.spawn(tick)
jobs = [gevent.spawn(qr.png, f"CC1:{n:9<300}") for n in range(6)]
gevent.joinall(jobs, raise_error=True)
print(ticks, longest)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    ticks, longest = done.stdout.split()
    assert int(ticks) > 10
    assert float(longest) < 0.15
