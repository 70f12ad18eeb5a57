"""The published keys: enough to verify offline, apart from the keys of logins."""

from datetime import timedelta

from citizen_cloud import clock
from citizen_cloud.credentials import services, verifier
from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.db import new_id

PATH = "/.well-known/credential-keys.json"


def test_what_is_published_verifies_what_is_issued(client, session):
    now = clock.now()
    times = {"not_before": now - timedelta(hours=1), "expires_at": now + timedelta(hours=1)}
    code = services.issue(session, type="voucher", subject_id=new_id(), **times)
    keys = verifier.keys_of(client.get(PATH).json)
    reading = verifier.verify(code.text, type="voucher", keys=keys, now=clock.now())
    assert reading.outcome is Outcome.VALID
    assert reading.claims.jti == code.jti


def test_the_key_set_is_public_cacheable_and_holds_no_secret(client):
    answer = client.get(PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    for key in answer.json["keys"]:
        assert key.keys() == {"kty", "crv", "x", "kid", "alg", "use"}


def test_codes_and_logins_share_neither_key_nor_name(client):
    codes, logins = (client.get(path).json["keys"] for path in (PATH, "/.well-known/jwks.json"))
    assert not {key["kid"] for key in codes} & {key["kid"] for key in logins}
    assert not {key["x"] for key in codes} & {key["x"] for key in logins}


def test_the_door_stands_at_the_hosts_root_only(client):
    assert client.get("/api/v1" + PATH).status_code == 404
    assert client.post(PATH).status_code == 405
