"""Consent taken back: what was given out by it ends, wherever it is."""

import family_world
from health_world import agree
from showing_world import ask, child_of, credential, is_void, jti_of, ready, refusal, send

ELDER = "19500301"


def shares():
    return family_world.rows(
        "SELECT used_at IS NULL AND revoked_at IS NULL FROM health_code.share ORDER BY id"
    )


def test_every_code_of_a_person_ends_with_the_consent(client):
    me, phone = ready(client, birth=ELDER)
    code = credential(client, me, phone)
    assert send(client, "POST", "/paper", me).status_code == 201
    assert send(client, "POST", "/share", me).status_code == 201
    agree(me, granted=False)
    family_world.deliver()
    assert is_void(jti_of(code))
    assert (
        family_world.rows(
            "SELECT type FROM credentials.credential WHERE revoked_at IS NULL AND holder_id = :p",
            p=me.person_id,
        )
        == []
    )
    assert family_world.rows("SELECT ended_because FROM health_code.paper") == [("withdrawn",)]
    assert shares() == [(False,)]
    # Agreed again, the same phone goes on with a fresh code.
    agree(me)
    family_world.deliver()
    assert not is_void(jti_of(credential(client, me, phone)))


def test_a_ward_without_an_account_is_spoken_for_by_whoever_holds_the_phone(client):
    me, phone = ready(client)
    other, others_phone = ready(client)
    child = child_of(client, me, other)
    mine, theirs = (
        credential(client, me, phone, child),
        credential(client, other, others_phone, child),
    )
    agree(me, granted=False)
    family_world.deliver()
    assert (is_void(jti_of(mine)), is_void(jti_of(theirs))) == (True, False)
    assert refusal(ask(client, me, phone, child)) == (403, "consent_required")


def test_another_purpose_ends_nothing_and_news_that_came_late_neither(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    agree(me, granted=False)
    agree(me)
    family_world.deliver()
    assert not is_void(jti_of(code))
