"""The service came to its end, or began again: what was issued before counts no more, online too.

The switch is in a transaction of the test's own, so that the doors stay open, as they do for the
seconds in which a process does not know yet.
"""

from datetime import datetime, timedelta

import people
import pytest
from family_world import rows
from health_world import coloured
from inspector_world import check, offline, outcome, post, upload
from phone import said_by
from purge_world import switch
from showing_world import ask, credential, ready, send

from citizen_cloud import clock
from citizen_cloud.portal.state import HOST

ELDER = "19400101"


@pytest.fixture
def module(app):
    return app.extensions[HOST].modules["health_code"]


def paper(client, me):
    made = send(client, "POST", "/paper", me)
    assert made.status_code == 201, made.json
    return send(client, "GET", f"/paper/{made.json['id']}", me).json["code"]


def test_an_inspector_hears_that_paper_of_before_is_void(client, module):
    me, gate = coloured(people.citizen(birth=ELDER), "green"), post().someone
    code = paper(client, me)
    switch(module, "sunset")
    assert outcome(client, gate, code) == "revoked"
    switch(module, "active")
    assert outcome(client, gate, code) == "revoked"
    said = check(client, gate, paper(client, me))
    assert (said["outcome"], said["colour"]) == ("valid", "green")


def test_the_copy_of_before_is_not_printed_again(client, module):
    me = coloured(people.citizen(birth=ELDER), "green")
    made = send(client, "POST", "/paper", me).json
    for state in ("sunset", "active"):
        switch(module, state)
        assert send(client, "GET", f"/paper/{made['id']}", me).status_code == 404


def test_a_phone_learns_when_its_code_is_too_old_and_takes_no_old_show_key(client, module):
    (me, phone), gate = ready(client), post().someone
    fresh = phone.fresh_key()
    jws = ask(client, me, phone, fresh=fresh).json["credential"]
    for state in ("sunset", "active"):
        switch(module, state)
    assert outcome(client, gate, phone.show(jws, clock.now())) == "revoked"
    codes_from = send(client, "GET", "/status", me).json["codes_from"]
    assert codes_from is not None
    assert datetime.fromisoformat(codes_from).timestamp() > said_by(jws)["iat"]
    assert ask(client, me, phone, fresh=fresh).status_code == 409
    again = credential(client, me, phone)
    assert outcome(client, gate, phone.show(again, clock.now())) == "valid"


def test_a_scan_from_before_the_end_stays_good_and_one_from_behind_it_does_not(client, module):
    me, gate = coloured(people.citizen(birth=ELDER), "green"), post().someone
    code = paper(client, me)
    before = offline(code, at=clock.now())
    for state in ("sunset", "active"):
        switch(module, state)
    ((ended_at,),) = rows("SELECT ended_at FROM registry.ended_type WHERE type = 'hp'")
    behind = offline(code, at=ended_at + timedelta(seconds=0.1))
    found = upload(client, gate, before, behind)["items"]
    assert [one["outcome"] for one in found] == ["valid", "revoked"]


def test_a_code_for_a_minute_ends_with_the_service_too(client, module):
    me, gate = coloured(people.citizen(), "green"), post().someone
    code = send(client, "GET", "/code", me).json["code"]
    scan = offline(code, at=clock.now())
    for state in ("sunset", "active"):
        switch(module, state)
        assert outcome(client, gate, code) == "revoked"
    assert upload(client, gate, scan)["items"][0]["outcome"] == "valid"
    said = check(client, gate, send(client, "GET", "/code", me).json["code"])
    assert said["outcome"] == "valid"
