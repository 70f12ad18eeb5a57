"""A key of codes was revoked: the app learns it from the status, people from their inbox."""

from dataclasses import replace
from datetime import datetime

import family_world
import people
import pytest
from family_world import rows
from health_world import coloured
from phone import said_by
from showing_world import ask, child_of, credential, ready, send

from citizen_cloud import crypto, db
from citizen_cloud.credentials.services.reissuing import reissue_batch
from citizen_cloud.credentials.services.revoking import revoke_key
from citizen_cloud.crypto import KeyRing

ELDER = "19400101"
RENEWED = "health_code.renewed"


@pytest.fixture
def second_key(client):
    """Hold a second key of codes beside the one that signs."""
    held = crypto.current()
    ring = KeyRing({**held.credentials.keys, "k2": b"2" * 32})
    crypto._current[:] = [replace(held, credentials=ring)]
    yield
    crypto._current[:] = [held]


def renew():
    with db.transaction() as session:
        revoke_key(session, kid="c.k1", reason="compromised", by="test")
    with db.transaction() as session:
        reissue_batch(session, kids=["c.k1"], size=100)
    family_world.deliver()


def told(someone):
    return sorted(
        row[0]
        for row in rows(
            "SELECT title ->> 'en' FROM messages.message WHERE account_id = :a AND kind = :k",
            a=someone.account_id,
            k=RENEWED,
        )
    )


def test_people_are_told_once_of_each_kind_of_code_that_was_issued_anew(client, second_key):
    me, phone = ready(client, birth=ELDER)
    for _ in range(2):
        credential(client, me, phone)
    assert send(client, "POST", "/paper", me).status_code == 201
    bystander = coloured(people.citizen(), "green")
    renew()
    assert told(me) == ["Print your paper code again", "Refresh your health code"]
    assert told(bystander) == []


def test_who_has_no_account_is_told_through_those_who_act(client, second_key):
    me, phone = ready(client)
    child = child_of(client, me)
    credential(client, me, phone, child)
    renew()
    assert told(me) == ["Refresh your health code"]


def test_the_status_says_from_when_on_codes_count_and_a_fresh_one_does(client, second_key):
    me, phone = ready(client)
    fresh = phone.fresh_key()
    before = said_by(ask(client, me, phone, fresh=fresh).json["credential"])
    said = send(client, "GET", "/status", me).json["codes_from"]
    # Counted from the second in which the colour turned.
    assert int(datetime.fromisoformat(said).timestamp()) <= before["iat"]
    renew()
    said = send(client, "GET", "/status", me).json["codes_from"]
    assert datetime.fromisoformat(said).timestamp() > before["iat"]
    # The same show key gets the code that was issued anew.
    after = ask(client, me, phone, fresh=fresh)
    assert after.status_code == 200, after.json
    assert said_by(after.json["credential"])["k"] == before["k"]
    assert said_by(after.json["credential"])["jti"] != before["jti"]
