"""An inspector with the server behind him: what he is told, and what he never is."""

from datetime import timedelta
from uuid import uuid4

import gate_world
import health_world
import people
import pytest
from family_world import Statements, rows, run
from gate_world import jti_of as jti_of_code
from inspector_world import check, looks, outcome, post, scanned, send
from phone import Phone
from showing_world import credential, ready, refusal
from showing_world import send as ask

from citizen_cloud import clock, db
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.compact import pack
from citizen_cloud.credentials.services import revoking
from citizen_cloud.credentials.verifier.outcomes import WORDS

NONCE = bytes(range(16))


@pytest.fixture
def gate():
    return post()


def acts(action):
    return rows("SELECT count(*) FROM audit.entry WHERE action = :action", action=action)[0][0]


def thin_code(client, someone):
    answer = ask(client, "GET", "/code", someone)
    assert answer.status_code == 200, answer.json
    return answer.json["code"]


def test_a_good_code_says_colour_and_masked_name_and_nothing_else(client, gate):
    me, phone = ready(client, "yellow", name="王小明")
    said = check(client, gate.someone, phone.show(credential(client, me, phone), clock.now()))
    assert (said["outcome"], said["colour"], said["name_masked"]) == ("valid", "yellow", "王*明")
    assert (said["source"], said["replayed"]) == ("device", False)
    assert said["reason"] == {"zh": "有效", "en": "Valid"}
    assert said["status_as_of"] == said["decided_at"]
    assert set(said) == {
        "outcome", "colour", "name_masked", "as_of", "status_as_of", "source", "reason",
        "decided_at", "replayed",
    }  # fmt: skip
    for secret in (me.person_id, me.account_id, me.document_number):
        assert str(secret) not in str(said)


def test_a_check_costs_two_statements_beside_those_of_the_door(client, gate, database):
    me, phone = ready(client)
    code = phone.show(credential(client, me, phone), clock.now())
    with Statements(database.connection) as nobody:
        assert outcome(client, gate.someone, "CC1:NOTHING", place_id=gate.place_id) == "malformed"
    with Statements(database.connection) as seen:
        assert outcome(client, gate.someone, code, place_id=gate.place_id) == "valid"
    assert len(seen) == len(nobody) == 4, seen
    # What is known; then the check and the look at the person together.
    assert [one.split()[0] for one in seen][-2:] == ["SELECT", "WITH"]


def test_the_person_sees_who_checked_once_for_each_scan(client, gate):
    me, phone = ready(client)
    sent = scanned(phone.show(credential(client, me, phone), clock.now()), place_id=gate.place_id)
    for _ in range(3):
        assert (
            client.post(
                "/api/v1/health-code/verifications", headers=gate.someone.headers, json=sent
            ).json["outcome"]
            == "valid"
        )
    assert looks(me.person_id) == [("health_code.verify", "consent", ["name", "health"])]


def test_a_repeated_scan_repeats_its_answer_and_names_one_code(client, gate):
    me, phone = ready(client)
    code = phone.show(credential(client, me, phone), clock.now())
    first = check(client, gate.someone, code, scan_id="s-1")
    again = check(client, gate.someone, code, scan_id="s-1")
    assert again == {**first, "replayed": True}
    assert refusal(send(client, gate.someone, "CC1:OTHER", scan_id="s-1")) == (
        409,
        "scan_id_reused",
    )
    # The id is the inspector's own: a colleague's scan of that name is another one.
    colleague = people.staff(gate.organisation_id)
    assert outcome(client, colleague, code, scan_id="s-1") == "replayed"


def test_a_showing_passes_once_in_the_whole_city(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    code = phone.show(jws, clock.now())
    assert outcome(client, gate.someone, code) == "valid"
    assert outcome(client, post().someone, code) == "replayed"
    step = int(clock.now().timestamp()) // 30
    other = outcome(client, gate.someone, phone.show(jws, clock.now(), step=step - 1))
    if other == "stale_proof":
        # The clock turned to the next step meanwhile.
        other = outcome(client, gate.someone, phone.show(jws, clock.now()))
    assert other == "valid"


def test_a_thin_clients_code_passes_once_in_the_whole_city(client, gate):
    me = health_world.coloured(people.citizen(), "green")
    code = thin_code(client, me)
    said = check(client, gate.someone, code)
    assert (said["outcome"], said["source"]) == ("valid", "thin")
    assert outcome(client, gate.someone, code) == "replayed"
    assert outcome(client, post().someone, code) == "replayed"


def test_each_refusal_has_its_own_reason_and_shows_nothing_of_the_person(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    now = clock.now()
    kid, key = keys.names()[0], keys.private_key(keys.names()[0])
    forged = gate_world.code("hc", kid=kid, key=key, iat=now, k=phone.fresh_key()["show_key"])
    ended = gate_world.code(
        "hc", kid=kid, key=key, iat=now - timedelta(hours=25), k=phone.fresh_key()["show_key"]
    )
    cases = {
        "malformed": "CC2:HELLO",
        "unknown_issuer": gate_world.paper(kid="c.k9", key=gate_world.SECOND_KEY),
        "invalid_signature": gate_world.paper(kid=kid, key=gate_world.SECOND_KEY),
        "wrong_type": gate_world.voucher(kid=kid, key=key),
        "wrong_device": phone.show(jws, now, key=Phone().device_key),
        "stale_proof": phone.show(jws, now - timedelta(seconds=90)),
        "wrong_nonce": phone.show(jws, now, nonce=NONCE),
        "wrong_venue": phone.show(jws, now, place_id=uuid4()),
        "expired": phone.show(ended, now),
        "signed_but_not_issued": phone.show(forged, now),
        "not_found": "CS1:" + "A" * 26,
    }
    for said, code in cases.items():
        answer = check(client, gate.someone, code)
        assert answer["outcome"] == said
        assert (answer["colour"], answer["name_masked"], answer["as_of"]) == (None, None, None)
        assert answer["reason"] == WORDS[said].as_json()
    assert acts("health_code.signed_but_not_issued") == 1
    assert looks(me.person_id) == []


def test_a_prolonged_code_of_a_stolen_key_is_noticed(client, gate):
    """The id is one that was issued; what is signed is not what the record says."""
    me, phone = ready(client)
    jws = credential(client, me, phone)
    kid = keys.names()[0]
    said = {**gate_world.said_by(jws)}
    red_to_green = gate_world.code(
        "hc", kid=kid, key=keys.private_key(kid), said=said | {"exp": said["exp"] + 60}
    )
    assert outcome(client, gate.someone, phone.show(red_to_green, clock.now())) == (
        "signed_but_not_issued"
    )


def test_a_change_of_colour_ends_the_code_before_the_next_scan(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    assert outcome(client, gate.someone, phone.show(jws, clock.now())) == "valid"
    health_world.say(health_world.declared(me.person_id, said=health_world.ILL))
    step = int(clock.now().timestamp()) // 30
    assert outcome(client, gate.someone, phone.show(jws, clock.now(), step=step - 1)) == "revoked"


def test_a_colour_that_nobody_wrote_down_yet_is_not_shown_as_the_old_one(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    # As if the city had gone by other rules for a moment: the row says what the code does not.
    run("UPDATE health_code.standing SET colour = 'yellow' WHERE person_id = :p", p=me.person_id)
    assert outcome(client, gate.someone, phone.show(jws, clock.now())) == "revoked"


def test_a_revoked_key_is_refused_at_once(client, gate):
    me, phone = ready(client)
    jws = credential(client, me, phone)
    with db.transaction() as session:
        revoking.revoke_key(session, kid=keys.names()[0], reason="compromised", by="test")
    assert outcome(client, gate.someone, phone.show(jws, clock.now())) == "revoked"


def test_the_rules_of_the_door_hold(client, gate):
    thin = thin_code(client, health_world.coloured(people.citizen(), "green"))
    strict = gate.place(accepts_thin=False, accepts_paper=False, needs_nonce=True)
    answer = check(client, gate.someone, thin, place_id=strict)
    assert (answer["outcome"], answer["source"]) == ("wrong_type", "thin")
    assert "does not take" in answer["reason"]["en"]
    me, phone = ready(client)
    jws, now = credential(client, me, phone), clock.now()
    who = gate.someone
    assert outcome(client, who, phone.show(jws, now), place_id=strict) == "wrong_nonce"
    assert outcome(client, who, phone.show(jws, now), place_id=strict, nonce=NONCE) == (
        "wrong_nonce"
    )
    bound = phone.show(jws, now, nonce=NONCE, place_id=strict)
    assert outcome(client, who, bound, place_id=gate.place_id, nonce=NONCE) == "wrong_venue"
    assert outcome(client, who, bound, place_id=strict, nonce=NONCE) == "valid"


def test_an_inspector_of_another_organisation_cannot_check_at_this_place(client, gate):
    me, phone = ready(client)
    code = phone.show(credential(client, me, phone), clock.now())
    for place_id in (gate.place_id, uuid4()):
        assert send(client, post().someone, code, place_id=place_id).status_code == 404
    run("UPDATE health_code.place SET status = 'closed' WHERE id = :id", id=gate.place_id)
    assert refusal(send(client, gate.someone, code, place_id=gate.place_id)) == (
        409,
        "place_closed",
    )


def test_a_citizen_an_auditor_and_an_administrator_cannot_check(client):
    for who in (people.citizen(), people.auditor(), people.admin()):
        assert send(client, who, "CC1:ABC").status_code == 403
    assert client.post("/api/v1/health-code/verifications", json={}).status_code == 401


def shared(client, someone):
    answer = ask(client, "POST", "/share", someone)
    assert answer.status_code in (200, 201), answer.json
    return answer.json["token"]


def test_a_share_is_checked_once_and_repeats_to_the_same_scan_only(client, gate):
    me, _ = ready(client, name="李雷")
    token = shared(client, me)
    first = check(client, gate.someone, token, scan_id="one")
    assert (first["outcome"], first["source"]) == ("valid", "share")
    assert (first["colour"], first["name_masked"]) == ("green", "李*")
    assert check(client, gate.someone, token, scan_id="one") == {**first, "replayed": True}
    assert outcome(client, gate.someone, token) == "not_found"


def test_a_share_is_not_used_up_where_it_is_not_taken(client, gate):
    me, _ = ready(client)
    token = shared(client, me)
    strict = gate.place(needs_nonce=True)
    assert outcome(client, gate.someone, token, place_id=strict) == "wrong_nonce"
    assert outcome(client, gate.someone, token, nonce=NONCE) == "wrong_nonce"
    assert send(client, post().someone, token, place_id=gate.place_id).status_code == 404
    assert outcome(client, gate.someone, token) == "valid"


def test_a_dump_of_checks_does_not_lead_to_a_person_or_a_code(client, gate):
    me, phone = ready(client, name="王小明")
    jws = credential(client, me, phone)
    assert outcome(client, gate.someone, phone.show(jws, clock.now())) == "valid"
    ((row,),) = rows("SELECT row_to_json(s)::text FROM health_code.scan s")
    jti = jti_of_code(jws)
    for secret in (me.person_id, me.account_id, jti, jti.hex, "green", "王"):
        assert str(secret) not in row


def test_checks_are_forgotten_after_three_weeks(client, gate):
    from citizen_cloud.modules.health_code.jobs.scans import forget_scans

    assert outcome(client, gate.someone, "CC1:ABC") == "malformed"
    run("UPDATE health_code.scan SET decided_at = decided_at - interval '20 days 23 hours'")
    assert forget_scans(clock.now()) == 0
    run("UPDATE health_code.scan SET decided_at = decided_at - interval '2 hours'")
    assert forget_scans(clock.now()) == 1


def test_a_credential_without_its_phone_counts_nowhere(client, gate):
    me, phone = ready(client)
    assert outcome(client, gate.someone, pack(credential(client, me, phone))) == "wrong_device"
