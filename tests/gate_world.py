"""An issuer of one's own: codes, snapshots and gates without a server or a database."""

import base64
import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from phone import Phone, said_by

from citizen_cloud.credentials import claims, proofs
from citizen_cloud.credentials.compact import pack, pack_shown, scan
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Snapshot, keys_of

NOW = datetime(2026, 3, 2, 9, 0, 3, tzinfo=UTC)
CREDENTIAL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECOND_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TRUST_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
KEPT = {"c.k1": CREDENTIAL_KEY, "c.k2": SECOND_KEY}


def jwk(kid, key):
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"}


ROOTS_DOCUMENT = {"keys": [jwk("t.k1", TRUST_KEY)]}
ROOTS = keys_of(ROOTS_DOCUMENT)


def sign(payload, key, *, typ, kid):
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jwt.PyJWS().encode(raw, key, algorithm="EdDSA", headers={"typ": typ, "kid": kid})


def code(kind, *, kid="c.k1", key=None, jti=None, iat=None, life=None, said=None, **members):
    """Return the compact JWS of a code, issued five minutes ago for a day."""
    begins = iat or NOW - timedelta(minutes=5)
    all_members = {
        "jti": claims.jti_text(jti or UUID(bytes=secrets.token_bytes(16))),
        "iat": int(begins.timestamp()),
        "nbf": int(begins.timestamp()),
        "exp": int((begins + (life or timedelta(hours=24))).timestamp()),
        "c": "green",
        "n": "王*",
        **members,
    } | (said or {})
    payload = claims.payload(kind, all_members)
    return sign(payload, key or KEPT[kid], typ=f"{kind}+jwt", kid=kid)


def credential(phone: Phone, **facts):
    return code("hc", k=phone.fresh_key()["show_key"], **facts)


def thin(**facts):
    return pack(code("ht", life=timedelta(seconds=60), **({"iat": NOW} | facts)))


def paper(**facts):
    return pack(code("hp", life=timedelta(days=180), **facts))


def voucher(**facts):
    return pack(code("voucher", **facts))


def void_of(jtis):
    return base64.urlsafe_b64encode(b"".join(sorted(one.bytes[:8] for one in jtis))).rstrip(b"=")


def snapshot_text(
    *, at=NOW, number=7, void=(), revoked_keys=(), kids=("c.k1",), root=TRUST_KEY, said=None
):
    members = {
        "iss": "citizen-cloud",
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(minutes=10)).timestamp()),
        "number": number,
        "keys": [jwk(kid, KEPT[kid]) for kid in kids],
        "revoked_keys": [
            {"kid": kid, "at": int(at.timestamp()), "reason": "leaked"} for kid in revoked_keys
        ],
        "ended_types": {},
        "void": void_of(void).decode(),
    } | (said or {})
    members = {name: value for name, value in members.items() if value is not ...}
    return sign(members, root, typ="snapshot+jwt", kid="t.k1")


def snapshot(**facts):
    return Snapshot.read(snapshot_text(**facts), ROOTS)


def gate(*, snap=None, **asked):
    return OfflineVerifier(snap or snapshot(), Gate(**asked))


def jti_of(jws):
    part = jws.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return UUID(bytes=base64.urlsafe_b64decode(said["jti"] + "=="))


def some_place():
    return uuid4()


def header(kid, typ="ht+jwt"):
    said = {"alg": "EdDSA", "kid": kid, "typ": typ}
    raw = json.dumps(said, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def paper_jws():
    return code("hp")


def shown_again(jws, proof, *, signature=None, **bound):
    """Return a text with the proof of another showing, as somebody without its key makes it."""
    return pack_shown(jws, step=proof.step, signature=signature or proof.signature, **bound)


def signature_checks(jws, text):
    """Check the two signatures of a showing, and nothing else."""
    scanned = scan(text)
    signed, _, last = jws.rpartition(".")
    CREDENTIAL_KEY.public_key().verify(base64.urlsafe_b64decode(last + "=="), signed.encode())
    key = base64.urlsafe_b64decode(said_by(jws)["k"])
    message = proofs.show_message("hc", jws, scanned.proof.step)
    assert proofs.is_signed(key, scanned.proof.signature, message)


def took(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def packed(jws):
    return pack(jws)


def shown_anyhow(phone, jws, at):
    """Show a credential of any form, with a key that is not its own."""
    return phone.show(jws, at, key=phone.device_key)
