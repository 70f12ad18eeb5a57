"""The status door: why somebody is yellow, and when green again."""

import people
from health_world import agree, coloured

PATH = "/api/v1/health-code/status"


def test_who_declared_nothing_has_no_colour(client):
    me = agree(people.citizen())
    answer = client.get(PATH, headers=me.headers)
    assert answer.status_code == 200, answer.json
    assert answer.json["colour"] == "none"
    assert answer.json["reasons"] == []


def test_without_consent_nothing_is_read(client):
    me = people.citizen()
    assert client.get(PATH, headers=me.headers).json["code"] == "consent_required"
    agree(me)
    assert client.get(PATH, headers=me.headers).status_code == 200
    agree(me, granted=False)
    assert client.get(PATH, headers=me.headers).json["code"] == "consent_required"


def test_a_phone_alone_is_not_enough(client):
    assert client.get(PATH, headers=people.citizen(1).headers).json["code"] == "step_up_required"


def test_a_colour_says_why_and_until_when(client):
    for colour in ("green", "yellow", "red"):
        found = client.get(PATH, headers=coloured(people.citizen(), colour).headers).json
        assert found["colour"] == colour
        assert bool(found["reasons"]) == (colour != "green")
        assert all(one["text"]["zh"] and one["text"]["en"] for one in found["reasons"])
        assert all(one["until"].endswith("T00:00:00.000+08:00") for one in found["reasons"])
