"""Phones: registered with proof, given a code a day, ended with everything they show."""

from datetime import datetime

import family_world
import people
import pytest
from family_world import Statements, rows, run
from health_world import ILL, agree, coloured, declared, reported, say
from phone import Phone, said_by
from showing_world import (
    ask,
    challenged,
    credential,
    is_void,
    jti_of,
    long_after_the_document,
    other_device,
    ready,
    refusal,
    register,
    send,
)

from citizen_cloud import clock
from citizen_cloud.credentials import keys, proofs
from citizen_cloud.credentials.verifier import Outcome, verify


def devices(client, who):
    return [one["device_id"] for one in send(client, "GET", "/devices", who).json["items"]]


def test_a_registered_phone_gets_a_code_that_says_the_colour_and_nothing_of_the_person(client):
    me, phone = ready(client, "yellow")
    answer = ask(client, me, phone)
    assert answer.status_code == 200, answer.json
    said = said_by(answer.json["credential"])
    assert list(said) == ["jti", "iat", "exp", "c", "k"]
    assert said["c"] == answer.json["colour"] == "yellow"
    assert said["exp"] - said["iat"] <= 86_400
    assert datetime.fromisoformat(answer.json["expires_at"]).timestamp() == said["exp"]
    assert abs(datetime.fromisoformat(answer.json["server_time"]) - clock.now()).seconds < 60
    for secret in (me.person_id, me.account_id, me.device_id):
        assert str(secret) not in str(said)


def test_the_same_show_key_gets_the_same_code_and_a_fresh_one_another(client):
    me, phone = ready(client)
    fresh = phone.fresh_key()
    first, again = (ask(client, me, phone, fresh=fresh).json["credential"] for _ in range(2))
    assert first == again
    other = credential(client, me, phone)
    assert said_by(other)["jti"] != said_by(first)["jti"]
    assert said_by(other)["k"] != said_by(first)["k"]


def test_a_code_costs_two_statements_beside_the_one_that_authenticates(client, database):
    me, phone = ready(client)
    fresh = phone.fresh_key()
    with Statements(database.connection) as seen:
        assert ask(client, me, phone, fresh=fresh).status_code == 200
    assert len(seen) == 3, seen
    assert "INSERT INTO credentials.credential" in seen[2]
    # Nor does asking again cost more.
    with Statements(database.connection) as seen:
        assert ask(client, me, phone, fresh=fresh).status_code == 200
    assert len(seen) == 3, seen


def test_a_stolen_sign_in_without_the_key_of_the_phone_gets_nothing(client):
    me, _ = ready(client)
    thief = Phone()
    assert refusal(ask(client, me, thief)) == (403, "proof_invalid")
    # Nor does it register a key of its own: another one for this phone asks for the document.
    long_after_the_document(me)
    body = challenged(client, me, thief)
    refused = send(client, "POST", "/devices", me, json=body)
    assert refusal(refused) == (401, "step_up_required")
    for method, path in (
        ("DELETE", f"/devices/{me.device_id}"),
        ("POST", f"/devices/{me.device_id}/lost"),
    ):
        assert refusal(send(client, method, path, me)) == (401, "step_up_required")
    assert refusal(send(client, "GET", "/code", me)) == (409, "use_device")
    # A share is a code as well.
    assert refusal(send(client, "POST", "/share", me)) == (401, "step_up_required")


def test_a_sign_in_stolen_from_another_device_registers_no_phone_either(client):
    me, _ = ready(client)
    tablet = other_device(me)
    body = challenged(client, tablet, Phone())
    long_after_the_document(tablet)
    refused = send(client, "POST", "/devices", tablet, json=body)
    assert refusal(refused) == (401, "step_up_required")
    # A first phone needs none: whoever has none is served by a sign-in alone.
    new = coloured(people.citizen(), "green")
    long_after_the_document(new)
    register(client, new)


def test_a_phone_that_was_never_registered_gets_nothing(client):
    me = coloured(people.citizen(), "green")
    assert refusal(ask(client, me, Phone())) == (403, "device_key_unknown")
    _, phone = ready(client)
    # Somebody else's phone signs rightly, and is not this account's.
    assert refusal(ask(client, me, phone)) == (403, "device_key_unknown")


def test_a_key_of_another_account_is_refused(client):
    _, phone = ready(client)
    other, _ = ready(client)
    assert refusal(ask(client, other, phone)) == (403, "proof_invalid")
    thief = coloured(people.citizen(), "green")
    body = challenged(client, thief, phone)
    assert refusal(send(client, "POST", "/devices", thief, json=body)) == (409, "device_key_taken")


def test_a_show_key_that_serves_one_person_serves_nobody_else(client):
    me, phone = ready(client)
    fresh = phone.fresh_key()
    assert ask(client, me, phone, fresh=fresh).status_code == 200
    other, others_phone = ready(client)
    others_phone._show_keys.update(phone._show_keys)
    point = proofs.from_text(fresh["show_key"])
    from phone import signed

    proof = signed(others_phone.device_key, proofs.key_message(point))
    stolen = {"show_key": fresh["show_key"], "proof": proofs.to_text(proof)}
    assert refusal(ask(client, other, others_phone, fresh=stolen)) == (409, "show_key_used")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: {**body, "proof": body["proof"][:-1] + "B"}, "proof_invalid"),
        (lambda body: {**body, "proof": "A" * 86}, "proof_invalid"),
        (lambda body: {**body, "show_key": "A" * 44}, "show_key_invalid"),
        (lambda body: {**body, "show_key": body["show_key"][:-1]}, "invalid"),
    ],
)
def test_what_was_not_signed_so_is_refused(client, change, code):
    me, phone = ready(client)
    answer = ask(client, me, phone, fresh=change(phone.fresh_key()))
    assert answer.json["code"] == code


def test_without_a_status_the_app_is_told_to_declare_first(client):
    me = agree(people.citizen())
    phone = register(client, me)
    assert refusal(ask(client, me, phone)) == (409, "no_status")
    say(declared(me.person_id))
    assert ask(client, me, phone).status_code == 200


def test_without_consent_no_door_opens(client):
    me, phone = ready(client)
    agree(me, granted=False)
    for answer in (
        ask(client, me, phone),
        send(client, "GET", "/code", me),
        send(client, "POST", "/share", me),
        send(client, "POST", "/paper", me),
        send(client, "POST", "/devices/challenge", me),
    ):
        assert refusal(answer) == (403, "consent_required")
        assert answer.json["purpose"] == "health_code"


def test_a_phone_number_alone_is_not_enough(client):
    me = people.citizen(1)
    for method, path in (
        ("POST", "/devices/challenge"),
        ("GET", "/devices"),
        ("GET", "/code"),
        ("POST", "/share"),
        ("POST", "/paper"),
    ):
        assert refusal(send(client, method, path, me)) == (401, "step_up_required")


def test_a_change_of_colour_ends_every_code_that_says_the_old_one(client):
    me, phone = ready(client)
    codes = [credential(client, me, phone) for _ in range(2)]
    say(reported(me.person_id))
    assert all(is_void(jti_of(code)) for code in codes)
    fresh = credential(client, me, phone)
    assert said_by(fresh)["c"] == "red"
    assert not is_void(jti_of(fresh))


def test_a_show_key_whose_code_ended_gets_no_other_code(client):
    me, phone = ready(client)
    fresh = phone.fresh_key()
    assert ask(client, me, phone, fresh=fresh).status_code == 200
    say(declared(me.person_id, said=ILL))
    assert refusal(ask(client, me, phone, fresh=fresh)) == (409, "show_key_used")


def test_a_turn_that_is_due_and_not_written_yet_gives_the_colour_that_counts(client):
    me, phone = ready(client)
    before = credential(client, me, phone)
    # Green lasts three days by its declaration; the job has not come by since.
    run(
        "UPDATE health_code.standing SET holds_until = statement_timestamp() - interval '1 s', "
        "colour = 'yellow' WHERE person_id = :p",
        p=me.person_id,
    )
    after = ask(client, me, phone)
    assert after.json["colour"] == "green"
    assert is_void(jti_of(before))
    assert rows("SELECT colour FROM health_code.standing WHERE person_id = :p", p=me.person_id) == [
        ("green",)
    ]


def test_a_code_ends_when_the_colour_turns_by_itself(client):
    me, phone = ready(client)
    run(
        "UPDATE health_code.standing SET next_change_at = statement_timestamp() "
        "+ interval '2 hours' WHERE person_id = :p",
        p=me.person_id,
    )
    said = said_by(credential(client, me, phone))
    assert said["exp"] - said["iat"] <= 2 * 3600


def test_removing_a_phone_ends_its_key_and_its_codes(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    assert devices(client, me) == [str(me.device_id)]
    assert send(client, "DELETE", f"/devices/{me.device_id}", me).status_code == 204
    assert devices(client, me) == []
    assert is_void(jti_of(code))
    assert refusal(ask(client, me, phone)) == (403, "device_key_unknown")
    again = send(client, "DELETE", f"/devices/{me.device_id}", me)
    assert refusal(again) == (404, "not_found")
    acts = "SELECT action FROM audit.entry WHERE object_type = 'device_key' ORDER BY id"
    assert rows(acts) == [("credentials.device_registered",), ("credentials.device_removed",)]


def test_nobody_removes_or_reports_the_phone_of_somebody_else(client):
    me, phone = ready(client)
    other, _ = ready(client)
    for method, path in (
        ("DELETE", f"/devices/{me.device_id}"),
        ("POST", f"/devices/{me.device_id}/lost"),
    ):
        assert refusal(send(client, method, path, other)) == (404, "not_found")
    assert ask(client, me, phone).status_code == 200


def test_a_lost_phone_is_signed_out_its_codes_end_and_a_thin_code_serves_meanwhile(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    elsewhere = other_device(me)
    assert refusal(send(client, "GET", "/code", elsewhere)) == (409, "use_device")
    lost = send(client, "POST", f"/devices/{me.device_id}/lost", elsewhere)
    assert lost.status_code == 204
    assert is_void(jti_of(code))
    assert ask(client, me, phone).status_code == 401
    assert send(client, "GET", "/code", elsewhere).status_code == 200
    # The key that was lost does not come back, on whatever device.
    body = challenged(client, elsewhere, phone)
    refused = send(client, "POST", "/devices", elsewhere, json=body)
    assert refusal(refused) == (409, "device_key_taken")
    register(client, elsewhere)
    assert refusal(send(client, "GET", "/code", elsewhere)) == (409, "use_device")


def test_two_phones_of_one_person_show_codes_that_share_nothing(client):
    me, phone = ready(client)
    elsewhere = other_device(me)
    second = register(client, elsewhere)
    first, other = credential(client, me, phone), credential(client, elsewhere, second)
    assert set(devices(client, me)) == {str(me.device_id), str(elsewhere.device_id)}
    assert not {said_by(first)[key] for key in "jk" if key in said_by(first)} & {
        said_by(other)[key] for key in "jk" if key in said_by(other)
    }
    # And one phone's end leaves the other's codes.
    send(client, "DELETE", f"/devices/{elsewhere.device_id}", me)
    assert (is_void(jti_of(first)), is_void(jti_of(other))) == (False, True)


def test_another_key_for_the_same_phone_ends_the_one_before(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    second = register(client, me)
    assert is_void(jti_of(code))
    assert refusal(ask(client, me, phone)) == (403, "proof_invalid")
    assert ask(client, me, second).status_code == 200


def test_a_challenge_is_good_for_one_try(client):
    me = agree(people.citizen())
    phone, other = Phone(), Phone()
    body = challenged(client, me, phone)
    wrong = {**body, "public_key": other.public_key}
    assert refusal(send(client, "POST", "/devices", me, json=wrong)) == (403, "proof_invalid")
    assert refusal(send(client, "POST", "/devices", me, json=body)) == (409, "challenge_unknown")


def test_a_code_of_a_phone_counts_at_no_other_door_and_as_no_other_type(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    shown = phone.show(code, clock.now())
    for kind in ("voucher", "ht", "hp"):
        reading = verify(shown, type=kind, keys=keys.public_keys(), now=clock.now())
        assert reading.outcome in (Outcome.WRONG_TYPE, Outcome.MALFORMED)


def test_the_other_devices_are_told_of_a_registration(client):
    me, _ = ready(client)
    family_world.deliver()
    assert "credentials.device_registered" in family_world.inbox(me)
