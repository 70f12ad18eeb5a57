"""Tokens of other issuers open no door here, however right they are where they come from."""

import secrets
import time

import jwt
import people
import pytest
import stubs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from citizen_cloud import crypto
from citizen_cloud.accounts import tokens

STRANGER = Ed25519PrivateKey.from_private_bytes(b"u" * 32)
TEMPLATE = {"iss": tokens.ISSUER, "aud": tokens.AUDIENCE}


def claims_of(someone):
    """Return what one of our own tokens says, its signature aside."""
    return jwt.decode(someone.token, options={"verify_signature": False})


def ours():
    return Ed25519PrivateKey.from_private_bytes(crypto.current().tokens.primary[1])


def id_token(openid, claims, **header):
    """Return a right ID token of the upstream with these claims."""
    return jwt.encode(claims, stubs.key("2026-11"), "RS256", headers={"kid": "2026-11", **header})


def forms(openid, someone):
    mine, now = claims_of(someone), int(time.time())
    upstream = {
        "iss": openid.issuer,
        "sub": "citizen-1",
        "aud": openid.client_id,
        "nonce": "n",
        "iat": now,
        "exp": now + 300,
    }
    stranger = {"kid": "k1", "typ": "at+jwt"}
    credential = Ed25519PrivateKey.from_private_bytes(crypto.current().credentials.primary[1])
    return {
        "the upstream's ID token": id_token(openid, upstream),
        "for our audience": id_token(openid, {**upstream, "aud": tokens.AUDIENCE}),
        "with our account as subject": id_token(openid, {**upstream, "sub": mine["sub"]}),
        "with all our claims": id_token(openid, mine),
        "with our type": id_token(openid, mine, typ="at+jwt"),
        "with our type and key id": id_token(openid, mine, typ="at+jwt", kid="k1"),
        "an access token of the upstream": id_token(
            openid, {**upstream, "scope": "openid"}, typ="at+jwt"
        ),
        "an opaque access token": "at-1",
        "our form, another's key": jwt.encode(mine, STRANGER, "EdDSA", headers=stranger),
        "our key, the upstream's issuer": jwt.encode(
            {**mine, "iss": openid.issuer}, ours(), "EdDSA", headers=stranger
        ),
        "our key, the upstream's audience": jwt.encode(
            {**mine, "aud": openid.client_id}, ours(), "EdDSA", headers=stranger
        ),
        "our key, as an ID token": jwt.encode(mine, ours(), "EdDSA", headers={"kid": "k1"}),
        "our key, claims of an ID token": jwt.encode(
            {**upstream, **TEMPLATE}, ours(), "EdDSA", headers=stranger
        ),
        "our key, a nonce beside our claims": jwt.encode(
            {**mine, "nonce": "n"}, ours(), "EdDSA", headers=stranger
        ),
        "our key, an authorized party": jwt.encode(
            {**mine, "azp": openid.client_id}, ours(), "EdDSA", headers=stranger
        ),
        "the key of credentials": jwt.encode(mine, credential, "EdDSA", headers=stranger),
        "a link ticket": secrets.token_urlsafe(32),
    }


def test_a_token_from_elsewhere_is_nobodys_here(world):
    someone = people.citizen()
    found = forms(world.stubs.openid, someone)
    answers = {name: world.me(token) for name, token in found.items()}
    assert len(answers) > 15
    assert {name: (one.status_code, one.json["code"]) for name, one in answers.items()} == (
        dict.fromkeys(found, (401, "unauthenticated"))
    )


def test_the_claims_above_are_right_but_for_their_signer(world):
    """Without this they could be refused for being badly written."""
    someone = people.citizen()
    token = jwt.encode(claims_of(someone), ours(), "EdDSA", headers={"kid": "k1", "typ": "at+jwt"})
    assert world.me(token).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_our_own_tokens_are_no_codes_at_a_provider(world, kind):
    someone = people.citizen()
    code = someone.token if kind == "access" else someone.refresh_token
    body = {"provider": "wechat", "code": code}
    assert world.ask("POST", "/auth/federated/token", body).status_code == 401
