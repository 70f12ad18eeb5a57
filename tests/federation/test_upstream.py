"""An OpenID upstream: discovery, PKCE, and ID tokens nobody else may write."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
import stubs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm
from stubs import upstream_settings

from citizen_cloud import clock
from citizen_cloud.federation.providers.upstream import Upstream, title_of
from citizen_cloud.federation.refusals import FederatedCodeInvalid, ProviderUnavailable
from citizen_cloud.federation.rules import challenge_of
from citizen_cloud.federation.services import attempts
from citizen_cloud.text import Text


def sign_in(openid, port, subject="citizen-1", *, swapped=None, **claims):
    """Go through the whole flow; return what the upstream vouches for."""
    state, started = attempts.draw()
    url = port.authorize_url(
        state=state, nonce=started.nonce, challenge=challenge_of(started.verifier)
    )
    code, back = openid.authorize(url, subject, **claims)
    assert back == state
    return port.exchange(code, started=swapped or started, now=clock.now())


def test_code_and_pkce_give_the_subject(openid, openid_port):
    vouched = sign_in(openid, openid_port)
    assert (vouched.subject, vouched.level, vouched.document) == ("citizen-1", 1, None)
    assert not vouched.is_fresh


def test_level_and_document_come_from_the_token(openid, openid_port):
    claims = {"assurance_level": "L2", "document_number": "1101", "name": "王小明"}
    vouched = sign_in(openid, openid_port, **claims, auth_time=int(time.time()) - 5)
    assert vouched.level == 2
    assert (vouched.document.number, vouched.document.name) == ("1101", "王小明")
    assert vouched.document.document_type == "resident_id"
    assert vouched.is_fresh


def test_what_the_token_lacks_comes_from_userinfo_of_the_same_subject(openid, openid_port):
    openid.userinfo = {"acr": "urn:x:L3", "document_number": "1101", "name": "王小明"}
    assert sign_in(openid, openid_port).document.number == "1101"


@pytest.mark.parametrize("sub", ["somebody-else", None, ["citizen-1"]])
def test_userinfo_of_another_subject_is_not_used(openid, openid_port, sub):
    openid.userinfo = {"sub": sub, "acr": "2", "document_number": "1101", "name": "王小明"}
    vouched = sign_in(openid, openid_port)
    assert (vouched.subject, vouched.level, vouched.document) == ("citizen-1", 1, None)


@pytest.mark.parametrize("said", [(500, {}), (401, {}), (200, ["citizen-1"])])
def test_without_userinfo_the_level_is_the_lower_one(openid, openid_port, said):
    openid._userinfo = lambda _: said
    assert sign_in(openid, openid_port).level == 1


@pytest.mark.parametrize("token", [None, "", 5, "令牌", "line\nend", "x" * 9_000])
def test_an_access_token_that_is_none_is_not_used(openid, openid_port, token):
    openid.access_token = token
    assert sign_in(openid, openid_port).subject == "citizen-1"


def test_userinfo_does_not_change_what_the_token_says(openid, openid_port):
    openid.userinfo = {"assurance_level": 3, "document_number": "1101", "name": "王小明"}
    assert sign_in(openid, openid_port, assurance_level=1).document is None


def test_a_client_that_must_post_its_secret_does(openid, openid_port):
    openid.auth_methods = ["client_secret_post"]
    assert sign_in(openid, openid_port).subject == "citizen-1"


def test_configured_addresses_need_no_discovery(openid):
    settings = upstream_settings(
        openid,
        upstream_authorize_url=openid.issuer + "/authorize?tenant=7",
        upstream_token_url=openid.issuer + "/token",
        upstream_jwks_url=openid.issuer + "/jwks",
    )
    port = Upstream(settings)
    url = port.authorize_url(state="s", nonce="n", challenge="c")
    assert "?tenant=7&response_type=code&" in url
    assert sign_in(openid, port).subject == "citizen-1"
    assert not [path for _, path, *_ in openid.asked if "well-known" in path]


def test_discovery_and_keys_are_asked_for_once_an_hour(openid, openid_port, ticking):
    def asked(word):
        return len([path for _, path, *_ in openid.asked if word in path])

    for _ in range(3):
        sign_in(openid, openid_port)
    assert (asked("well-known"), asked("jwks")) == (1, 1)
    ticking.now += 3601
    sign_in(openid, openid_port)
    assert (asked("well-known"), asked("jwks")) == (2, 2)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://elsewhere.test"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "ftp://elsewhere.test/token"},
        {"token_endpoint": "https://elsewhere.test/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": ["http://127.0.0.1/"]},
        {"userinfo_endpoint": "gopher://127.0.0.1/"},
    ],
)
def test_a_document_that_is_not_the_issuers_own_is_not_followed(openid, openid_port, document):
    openid.document = document
    with pytest.raises(ProviderUnavailable):
        openid_port.authorize_url(state="s", nonce="n", challenge="c")


def test_a_code_of_another_start_is_refused_by_pkce(openid, openid_port):
    _, other = attempts.draw()
    with pytest.raises(FederatedCodeInvalid):
        sign_in(openid, openid_port, swapped=other)


def test_a_used_code_is_refused(openid, openid_port):
    _, started = attempts.draw()
    url = openid_port.authorize_url(
        state="s", nonce=started.nonce, challenge=challenge_of(started.verifier)
    )
    code, _ = openid.authorize(url, "citizen-1")
    openid_port.exchange(code, started=started, now=clock.now())
    with pytest.raises(FederatedCodeInvalid):
        openid_port.exchange(code, started=started, now=clock.now())


def test_a_secret_that_is_not_ours_any_more_is_the_operators_trouble(openid):
    port = Upstream(upstream_settings(openid, upstream_client_secret="old"))  # noqa: S106 - a wrong one
    with pytest.raises(ProviderUnavailable):
        sign_in(openid, port)


def test_a_rotated_key_is_found(openid, openid_port, ticking):
    sign_in(openid, openid_port)
    openid.published = ["2026-12", "2026-11"]
    openid.kid = "2026-12"
    ticking.now += 6
    assert sign_in(openid, openid_port).subject == "citizen-1"


def test_a_withdrawn_key_is_refused_within_the_hour(openid, openid_port, ticking):
    sign_in(openid, openid_port)
    openid.published = ["2026-12"]
    ticking.now += 3601
    with pytest.raises(FederatedCodeInvalid):
        sign_in(openid, openid_port)


def test_invented_key_ids_do_not_make_us_ask_each_time(openid, openid_port):
    sign_in(openid, openid_port)
    openid.make = lambda _, body: openid.signed({"kid": "invented"}, body)
    for _ in range(5):
        with pytest.raises(FederatedCodeInvalid):
            sign_in(openid, openid_port)
    assert len([path for _, path, *_ in openid.asked if "jwks" in path]) == 1


@pytest.mark.parametrize("keys", [{}, {"keys": 5}, {"keys": []}, {"keys": [{"kty": "RSA"}]}])
def test_a_key_set_without_keys_is_trouble(openid, openid_port, keys):
    openid._jwks = lambda: (200, keys)
    with pytest.raises(ProviderUnavailable):
        sign_in(openid, openid_port)


def test_an_elliptic_key_serves_as_well(openid, openid_port):
    mine = ec.generate_private_key(ec.SECP256R1())
    jwk = {**ECAlgorithm.to_jwk(mine.public_key(), as_dict=True), "kid": "ec"}
    openid._jwks = lambda: (200, {"keys": [{"kty": "AKP", "kid": "new"}, jwk]})
    openid.make = lambda _, body: jwt.encode(body, mine, "ES256", headers={"kid": "ec"})
    assert sign_in(openid, openid_port).subject == "citizen-1"


# The corpus: every token here is wrong in one way.

NOW = int(time.time())
CLAIMS = {
    "another issuer": {"iss": "https://elsewhere.test"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "an audience that is a number": {"aud": 5},
    "two audiences, no party": {"aud": ["city/app", "somebody-else"]},
    "two audiences, another party": {"aud": ["city/app", "x"], "azp": "x"},
    "one audience, another party": {"azp": "somebody-else"},
    "another nonce": {"nonce": "of-another-start"},
    "no nonce": {"nonce": None},
    "expired": {"exp": NOW - 61},
    "no expiry": {"exp": None},
    "expiry in words": {"exp": "tomorrow"},
    "expiry as a fraction": {"exp": NOW + 300.5},
    "expiry true": {"exp": True},
    "written in the future": {"iat": NOW + 600},
    "written long ago": {"iat": NOW - 86_400},
    "no time of writing": {"iat": None},
    "not yet valid": {"nbf": NOW + 600},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a list": {"sub": ["citizen-1"]},
    "a subject that is a number": {"sub": 1},
    "a very long subject": {"sub": "x" * 256},
    "a subject with a line end": {"sub": "citizen\n1"},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_is_wrong_refuses_the_token(openid, openid_port, name):
    openid.claims = CLAIMS[name]
    if name.startswith(("no subject", "a subject that")):
        # PyJWT would not write it.
        openid.make = lambda header, body: by_hand({"alg": "RS256", **header}, body)
    with pytest.raises(FederatedCodeInvalid):
        sign_in(openid, openid_port)


def test_our_party_among_two_audiences_is_accepted(openid, openid_port):
    openid.claims = {"aud": ["city/app", "x"], "azp": "city/app"}
    assert sign_in(openid, openid_port).subject == "citizen-1"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header, body, sign=None):
    """Write a token that no library would."""
    message = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}"
    algorithm = jwt.get_algorithm_by_name("RS256")
    signer = sign or (lambda text: algorithm.sign(text, stubs.key("2026-11")))
    return f"{message}.{b64(signer(message.encode()))}"


def public_pem():
    public = stubs.key("2026-11").public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hs256(text):
    return hmac.digest(public_pem(), text, hashlib.sha256)


def stranger(text):
    return jwt.get_algorithm_by_name("RS256").sign(text, stubs.key("stranger"))


def stranger_jwk():
    return jwt.algorithms.RSAAlgorithm.to_jwk(stubs.key("stranger").public_key(), as_dict=True)


RS = {"alg": "RS256", "kid": "2026-11"}
FORGED = {
    "alg none": lambda body: by_hand({**RS, "alg": "none"}, body, lambda _: b"x"),
    "alg none, no signature": lambda body: by_hand({**RS, "alg": "none"}, body, lambda _: b""),
    "HS256 with the public key": lambda body: by_hand({**RS, "alg": "HS256"}, body, hs256),
    "HS256 said as RS256": lambda body: by_hand(RS, body, hs256),
    "HS256 without a kid": lambda body: by_hand({"alg": "HS256"}, body, hs256),
    "ES256 said of an RSA key": lambda body: by_hand({**RS, "alg": "ES256"}, body),
    "RS1": lambda body: by_hand({**RS, "alg": "RS1"}, body),
    "alg is a list": lambda body: by_hand({**RS, "alg": ["RS256"]}, body),
    "no alg": lambda body: by_hand({"kid": "2026-11"}, body),
    "another's signature": lambda body: by_hand(RS, body, stranger),
    "no signature": lambda body: by_hand(RS, body, lambda _: b""),
    "jwk in the header": lambda body: by_hand({**RS, "jwk": stranger_jwk()}, body, stranger),
    "jku in the header": lambda body: by_hand({**RS, "jku": "http://127.0.0.1:9/"}, body),
    "x5u in the header": lambda body: by_hand({**RS, "x5u": "http://127.0.0.1:9/"}, body),
    "crit": lambda body: by_hand({**RS, "crit": ["exp"]}, body),
    "b64 false": lambda body: by_hand({**RS, "b64": False, "crit": ["b64"]}, body),
    "kid is a path": lambda body: by_hand({**RS, "kid": "../../etc/passwd"}, body),
    "kid is a number": lambda body: by_hand({**RS, "kid": 5}, body),
    "claims are a list": lambda body: by_hand(RS, [body]),
    "claims are text": lambda _: by_hand(RS, "hello"),
    "not a token": lambda _: "hello",
    "no text": lambda body: body,
    "nothing": lambda _: None,
    "encrypted form": lambda body: by_hand(RS, body) + ".x.y",
    "very long": lambda body: by_hand(RS, {**body, "x": "x" * 20_000}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(openid, openid_port, name):
    openid.make = lambda _, body: FORGED[name](body)
    with pytest.raises(FederatedCodeInvalid):
        sign_in(openid, openid_port)


def test_by_hand_writes_what_would_be_believed(openid, openid_port):
    """Without this the forged tokens above could be refused for being badly written."""
    openid.make = lambda _, body: by_hand(RS, body)
    assert sign_in(openid, openid_port).subject == "citizen-1"


@pytest.mark.parametrize("use", ["enc", "", 5])
def test_a_key_for_something_else_signs_nobody_in(openid, openid_port, use):
    openid._jwks = lambda: (200, {"keys": [{**openid.jwk("2026-11"), "use": use}]})
    with pytest.raises((FederatedCodeInvalid, ProviderUnavailable)):
        sign_in(openid, openid_port)


def test_the_name_is_shown_in_both_languages():
    assert title_of("国家政务服务平台 / National Platform") == Text(
        "国家政务服务平台", "National Platform"
    )
    assert title_of("Platform") == Text("Platform", "Platform")
