"""Every forged or twisted token of the corpus is refused with one and the same answer."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import jwt
import partners
import people
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citizen_cloud import crypto
from citizen_cloud.accounts import tokens
from citizen_cloud.oidc import doors
from citizen_cloud.oidc.issuer import issuer

ATTACKS = json.loads((Path(__file__).parent / "jwt_attacks.json").read_text("utf-8"))
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def our_key():
    return Ed25519PrivateKey.from_private_bytes(crypto.current().tokens.primary[1])


def public_raw():
    return our_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_pem():
    return our_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rsa_signature(message):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.get_algorithm_by_name("RS256").sign(message, key)


def es_signature(message):
    return jwt.get_algorithm_by_name("ES256").sign(message, ec.generate_private_key(ec.SECP256R1()))


def credential_key():
    return Ed25519PrivateKey.from_private_bytes(crypto.current().credentials.primary[1])


def provider_signature(alg):
    def sign(message):
        held = jwt.PyJWK.from_dict(dict(doors.provider_keys().signers[alg].private_jwk))
        return jwt.get_algorithm_by_name(alg).sign(message, held.key)

    return sign


SIGNERS = {
    "ours": lambda message: our_key().sign(message),
    "none": lambda _: b"",
    "empty": lambda _: b"",
    "zeros": lambda _: bytes(64),
    "flip": lambda message: bytes([our_key().sign(message)[0] ^ 1]) + our_key().sign(message)[1:],
    "swapped": lambda _: our_key().sign(b"another"),
    "short": lambda message: our_key().sign(message)[:63],
    "long": lambda message: our_key().sign(message) + b"\0",
    "stranger": STRANGER.sign,
    "credential": lambda message: credential_key().sign(message),
    "hs256_public_raw": lambda message: hmac.digest(public_raw(), message, hashlib.sha256),
    "hs256_public_pem": lambda message: hmac.digest(public_pem(), message, hashlib.sha256),
    "hs256_empty": lambda message: hmac.digest(b"", message, hashlib.sha256),
    "hs512_public_raw": lambda message: hmac.digest(public_raw(), message, hashlib.sha512),
    "rs256": rsa_signature,
    "es256": es_signature,
    "provider_rs256": provider_signature("RS256"),
    "provider_es256": provider_signature("ES256"),
}


def value(given, mine, other, name):
    now = int(time.time())
    if isinstance(given, str) and given.startswith("now"):
        return str(now) if "text" in given else now + int(given[3:] or 0)
    special = {"float": now + 300.5, "null": None, "stranger": stranger_jwk()}
    if given == "other":
        return other[name]
    if name in ("iss", "aud", "kid"):
        special |= mine["oidc_names"]
    return special.get(given, given) if isinstance(given, str) else given


def stranger_jwk():
    return jwt.get_algorithm_by_name("EdDSA").to_jwk(STRANGER.public_key(), as_dict=True)


def parts(attack, mine, other):
    now = int(time.time())
    header = {"alg": "EdDSA", "kid": "k1", "typ": "at+jwt"}
    claims = {
        "iss": "citizen-cloud",
        "aud": "citizen-cloud-api",
        "sub": mine["sub"],
        "sid": mine["sid"],
        "jti": "0" * 32,
        "iat": now,
        "exp": now + 600,
    }
    for target, changes in ((header, attack.get("header", {})), (claims, attack.get("claims", {}))):
        for name, given in changes.items():
            if given is None:
                del target[name]
            else:
                target[name] = value(given, mine, other, name)
    return json.dumps(header), json.dumps(claims)


def forge(attack, mine, other):
    header, claims = parts(attack, mine, other)
    form = attack.get("form", "")
    header, claims = {
        "header_text": ("alg", claims),
        "payload_text": (header, "hello"),
        "payload_list": (header, f"[{claims}]"),
        "duplicate_alg": ('{"alg": "none", ' + header[1:], claims),
        "duplicate_kid": ('{"kid": "k9", ' + header[1:], claims),
        "duplicate_typ": ('{"typ": "JWT", ' + header[1:], claims),
        "huge": (header, claims[:-1] + ', "x": "' + "x" * 100_000 + '"}'),
        "deep": (header, "[" * 10_000 + "]" * 10_000),
    }.get(form, (header, claims))
    message = f"{b64(header.encode())}.{b64(claims.encode())}"
    sign = attack.get("sign", "ours")
    signature = b64(SIGNERS["ours" if sign == "noncanonical" else sign](message.encode()))
    if sign == "noncanonical":
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        signature = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    whole = f"{message}.{signature}"
    first, second, third = whole.split(".")
    return {
        "two_parts": f"{first}.{second}",
        "four_parts": f"{whole}.{third}",
        "five_parts": f"{whole}.{third}.{third}",
        "blank": f"{first}. {second}.{third}",
        "newline": whole + "\n",
        "padding": f"{first}==.{second}.{third}==",
        "standard_base64": f"{first}.{second}.{third[:-2]}+/",
        "json": json.dumps({"protected": first, "payload": second, "signature": third}),
        "blank_before": f" {whole}",
        "tab": f"{first}.\t{second}.{third}",
        "double_signature": whole + third,
        "wide_dots": whole.replace(".", "\N{FULLWIDTH FULL STOP}"),
        "nested": f"{first}.{b64(whole.encode())}.{third}",
        "one_time_code": "271828",
        "qr_code": qr_code(),
        "refresh": mine["refresh_token"],
        "device_secret": mine["secret"],
        "empty": "",
        **mine["oidc"],
    }.get(form, whole)


def qr_code():
    """Return a good code of the credentials room: signed by this city, for another purpose."""
    key = credential_key()
    body = b64(json.dumps({"typ": "voucher", "exp": int(time.time()) + 600}).encode())
    head = b64(json.dumps({"alg": "EdDSA", "kid": "c.k1", "typ": "voucher+jws"}).encode())
    return f"{head}.{body}.{b64(key.sign(f'{head}.{body}'.encode()))}"


def owner(answer):
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    return {
        "sub": claims["sub"],
        "sid": claims["sid"],
        "refresh_token": answer["refresh_token"],
        "secret": answer["device"]["secret"],
    }


@pytest.fixture
def two(world, app):
    mine, other = world.sign_in(), world.sign_in()
    with app.test_request_context():
        oidc = {"oidc": partners.drawn(world.client, mine["access_token"]), "oidc_names": names()}
    return {**owner(mine), **oidc}, owner(other)


def names():
    """Return what the provider calls itself, its keys and a client."""
    signers = doors.provider_keys().signers
    kids = {f"provider {alg}": signer.kid for alg, signer in signers.items()}
    return {
        "provider": issuer().url,
        "client": str(partners.register(people.pharmacy()).id),
        **kids,
    }


def test_the_corpus_is_large_and_its_plain_token_is_good(world, two):
    assert len(ATTACKS) >= 40
    assert world.get("/me", forge({}, *two)).status_code == 200


def test_no_token_of_the_corpus_is_accepted(world, two):
    seen = set()
    for attack in ATTACKS:
        token = forge(attack, *two)
        if "\n" in token or not token.isascii():
            # No HTTP client can send it; the function itself must refuse it.
            with pytest.raises(tokens.Unauthenticated):
                tokens.read(token)
            continue
        answer = world.get("/me", token)
        assert answer.status_code == 401, attack["name"]
        body = {**answer.json}
        body.pop("trace_id")
        seen.add(json.dumps(body, sort_keys=True))
    assert len(seen) == 1


def test_a_systems_own_token_is_known_and_opens_no_citizens_door(world):
    told = partners.Flow(world.client).system(partners.system(people.pharmacy())).json
    assert world.get("/me", told["access_token"]).status_code == 403
    assert world.get("/masks/staff/bookings", told["access_token"]).status_code == 200


def test_a_token_in_the_query_counts_for_nothing(world, two):
    token = forge({}, *two)
    assert world.client.get(f"/api/v1/me?access_token={token}").status_code in (400, 401, 422)


def test_two_tokens_at_once_are_refused(world, two):
    value = f"Bearer {forge({}, *two)}"
    answer = world.client.get("/api/v1/me", headers=[("Authorization", value)] * 2)
    assert answer.status_code == 401
