"""Codes for a minute from the server, and shares: for clients that keep no key."""

import threading

import people
import pytest
from family_world import Statements, rows, run
from health_world import agree, coloured
from phone import said_by
from showing_world import ROOT, other_device, ready, refusal, send

from citizen_cloud import clock, db
from citizen_cloud.credentials import compact, keys
from citizen_cloud.credentials.verifier import Outcome, verify
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.rules import share_tokens
from citizen_cloud.modules.health_code.services.codes import shares


@pytest.fixture
def me(client):
    return coloured(people.citizen(), "green")


def test_a_thin_code_says_its_colour_for_a_minute(client, me):
    answer = send(client, "GET", "/code", me)
    assert answer.status_code == 200, answer.json
    assert answer.json["colour"] == "green"
    code = answer.json["code"]
    said = said_by(compact.unpack(code))
    assert list(said) == ["jti", "iat", "exp", "c"]
    assert said["exp"] - said["iat"] == 60
    reading = verify(code, type="ht", keys=keys.public_keys(), now=clock.now())
    assert reading.outcome is Outcome.VALID
    # Its type marks it, whatever else it says: no door takes it for the code of a phone.
    reading = verify(code, type="voucher", keys=keys.public_keys(), now=clock.now())
    assert reading.outcome is Outcome.WRONG_TYPE
    assert answer.headers["Cache-Control"] == "no-store"


def test_each_call_is_another_code_and_none_is_written_down(client, me):
    codes = {send(client, "GET", "/code", me).json["code"] for _ in range(3)}
    assert len(codes) == 3
    assert rows("SELECT count(*) FROM credentials.credential") == [(0,)]


def test_a_thin_code_costs_one_read_beside_the_one_that_authenticates(client, database, me):
    send(client, "GET", "/code", me)
    with Statements(database.connection) as seen:
        assert send(client, "GET", "/code", me).status_code == 200
    assert len(seen) == 2, seen
    assert seen[-1].lstrip().startswith("SELECT")
    assert "FOR " not in seen[-1].replace("FROM 15 FOR", "")


def test_a_thin_code_says_the_colour_that_a_turn_just_made(client, me):
    run("UPDATE health_code.standing SET colour = 'yellow', holds_until = statement_timestamp()")
    assert send(client, "GET", "/code", me).json["colour"] == "green"
    assert rows("SELECT colour FROM health_code.standing") == [("green",)]


def test_a_picture_is_a_fallback_and_anything_else_is_not_served(client, me):
    svg = send(client, "GET", "/code", me, accept="image/svg+xml")
    assert svg.mimetype == "image/svg+xml"
    assert svg.data.startswith(b"<svg")
    png = send(client, "GET", "/code", me, accept="image/png")
    assert png.data.startswith(b"\x89PNG")
    refused = send(client, "GET", "/code", me, accept="text/html")
    assert refusal(refused) == (406, "not_acceptable")


def test_a_thin_code_is_limited_by_account(client, me):
    seen = [send(client, "GET", "/code", me).status_code for _ in range(21)]
    assert (seen.count(200), seen[-1]) == (20, 429)
    neighbour = coloured(people.citizen(), "green")
    assert send(client, "GET", "/code", neighbour).status_code == 200


def test_whoever_has_a_phone_gets_no_thin_code_on_any_device(client):
    me, _ = ready(client)
    for who in (me, other_device(me)):
        assert refusal(send(client, "GET", "/code", who)) == (409, "use_device")
    # Given up by the person, with the document: the thin client serves again.
    assert send(client, "DELETE", f"/devices/{me.device_id}", me).status_code == 204
    assert send(client, "GET", "/code", me).status_code == 200


def test_nothing_to_show_is_a_refusal(client):
    me = agree(people.citizen())
    assert refusal(send(client, "GET", "/code", me)) == (409, "no_status")
    assert refusal(send(client, "POST", "/share", me)) == (409, "no_status")


def share(client, who):
    answer = send(client, "POST", "/share", who)
    assert answer.status_code == 201, answer.json
    assert answer.headers["Location"] == f"{ROOT}/share/{answer.json['id']}"
    return answer.json


def state(client, who, share_id):
    return send(client, "GET", f"/share/{share_id}", who).json["status"]


def test_a_share_stands_for_the_person_once(client, session, me):
    made = share(client, me)
    assert share_tokens.is_token(made["token"])
    assert state(client, me, made["id"]) == "open"
    inspector = people.staff(people.hall())
    used = shares.consume(session, made["token"], used_by=inspector.account_id)
    assert used == me.person_id
    assert shares.consume(session, made["token"]) is None
    assert state(client, me, made["id"]) == "used"


def test_only_the_hash_of_a_share_is_kept(client, me):
    token = share(client, me)["token"]
    ((row,),) = rows("SELECT to_jsonb(s)::text FROM health_code.share s")
    assert token not in row
    assert token.removeprefix("CS1:") not in row


def test_a_share_is_over_after_three_minutes(client, session, me):
    made = share(client, me)
    run(
        "UPDATE health_code.share SET expires_at = expires_at - interval '3 min' WHERE id = :id",
        id=made["id"],
    )
    assert shares.consume(session, made["token"]) is None
    assert state(client, me, made["id"]) == "expired"


def test_a_share_lives_three_minutes(client, me):
    share(client, me)
    assert rows("SELECT expires_at - created_at = '3 min' FROM health_code.share") == [(True,)]


def test_a_share_taken_back_counts_for_nobody(client, session, me):
    made = share(client, me)
    for _ in range(2):
        assert send(client, "DELETE", f"/share/{made['id']}", me).status_code == 204
    assert shares.consume(session, made["token"]) is None
    assert state(client, me, made["id"]) == "revoked"


def test_nobody_sees_or_takes_back_the_share_of_another(client, session, me):
    made = share(client, me)
    other = people.citizen()
    for method in ("GET", "DELETE"):
        answer = send(client, method, f"/share/{made['id']}", other)
        assert refusal(answer) == (404, "not_found")
    with pytest.raises(NotFound):
        shares.revoke(session, share_id=made["id"], account_id=other.account_id)
    assert shares.consume(session, made["token"]) == me.person_id


@pytest.mark.parametrize("token", ["", "CS1:", "CS1:" + "A" * 26, "CC1:ABC", "CS1:" + "a" * 26])
def test_what_is_no_share_stands_for_nobody(session, token):
    assert shares.consume(session, token) is None


def test_shares_are_forgotten_a_day_later(client, session, me):
    share(client, me)
    assert shares.forget(session) == 0
    run("UPDATE health_code.share SET expires_at = expires_at - interval '1 day 4 min'")
    assert shares.forget(session) == 1


def test_of_many_gates_that_send_one_share_at_once_one_gets_it(fresh_database):
    me = people.citizen()
    with db.transaction() as session:
        made = shares.share(session, person_id=me.person_id, account_id=me.account_id)
    found, start = [], threading.Barrier(8)

    def gate():
        start.wait()
        with db.transaction() as session:
            found.append(shares.consume(session, made.token))

    gates = [threading.Thread(target=gate) for _ in range(8)]
    for one in gates:
        one.start()
    for one in gates:
        one.join()
    assert sorted(found, key=str) == [me.person_id] + [None] * 7 or found.count(me.person_id) == 1
    assert found.count(None) == 7
