"""Codes of dependants: both guardians may, a proxy in scope may, an ended link gives no more."""

import family_world
import people
from family_world import agreed, deliver, looks, rows, run
from health_world import agree, coloured
from phone import said_by
from showing_world import (
    SCOPES,
    ask,
    child_of,
    credential,
    is_void,
    jti_of,
    refusal,
    register,
    send,
)

from citizen_cloud.modules.health_code.services.codes import shares

PURPOSE = "families.proxy.health_code"


def link_of(acting):
    ((found,),) = rows(
        "SELECT id FROM families.link WHERE acting_id = :a AND status = 'active'",
        a=acting.person_id,
    )
    return found


def parents(client):
    """Return two guardians with phones, and the child of both."""
    mother, father = people.citizen(), people.citizen()
    child = child_of(client, mother, father)
    return (mother, register(client, mother)), (father, register(client, father)), child


def test_both_guardians_show_the_code_of_their_child(client):
    (mother, hers), (father, his), child = parents(client)
    codes = [credential(client, mother, hers, child), credential(client, father, his, child)]
    assert [said_by(code)["c"] for code in codes] == ["green", "green"]
    assert said_by(codes[0])["jti"] != said_by(codes[1])["jti"]
    holders = "SELECT DISTINCT holder_id FROM credentials.credential WHERE type = 'hc'"
    assert [str(one) for (one,) in rows(holders)] == [child]
    # What is handed out is written down where the child's guardians read it.
    assert looks(child) == [(PURPOSE, "read", "link")] * 2


def test_a_code_for_somebody_else_costs_the_link_and_the_note(client, database):
    (mother, hers), _, child = parents(client)
    fresh = hers.fresh_key()
    with family_world.Statements(database.connection) as seen:
        assert ask(client, mother, hers, child, fresh=fresh).status_code == 200
    # Who asks, for whom, what is known, the code, the note.
    assert len(seen) == 5, seen


def test_a_stranger_gets_nothing_and_the_person_sees_the_attempt(client):
    person = coloured(people.citizen(), "green")
    worker = agree(people.citizen())
    phone = register(client, worker)
    for answer in (
        ask(client, worker, phone, person.person_id),
        send(client, "GET", "/code", worker, person.person_id),
        send(client, "POST", "/share", worker, person.person_id),
        send(client, "POST", "/paper", worker, person.person_id),
    ):
        assert refusal(answer) == (403, "proxy_not_permitted")
    assert looks(person.person_id) == [(PURPOSE, "refused", "none")]


def test_a_worker_with_another_scope_gets_nothing(client):
    person, worker = coloured(people.citizen(), "green"), agree(people.citizen())
    agreed(client, worker, person, scopes=("masks",))
    phone = register(client, worker)
    assert refusal(ask(client, worker, phone, person.person_id))[1] == "proxy_not_permitted"


def test_a_worker_in_scope_shows_the_code_and_the_person_sees_it(client):
    person, worker = coloured(people.citizen(birth="19400101"), "green"), people.citizen()
    agreed(client, worker, person, scopes=SCOPES, relation="elder")
    phone = register(client, agree(worker))
    code = credential(client, worker, phone, person.person_id)
    assert said_by(code)["c"] == "green"
    made = send(client, "POST", "/paper", worker, person.person_id)
    assert (made.status_code, made.json["reason"]) == (201, "elder")
    assert send(client, "POST", "/share", worker, person.person_id).status_code == 201
    assert looks(person.person_id) == [
        (PURPOSE, "read", "link"),
        (PURPOSE, "changed", "link"),
        (PURPOSE, "changed", "link"),
    ]


def test_the_person_agrees_where_there_is_an_account_and_the_guardian_where_there_is_none(client):
    person, worker = coloured(people.citizen(), "green"), people.citizen()
    agreed(client, worker, person, scopes=SCOPES)
    phone = register(client, agree(worker))
    agree(person, granted=False)
    assert refusal(ask(client, worker, phone, person.person_id)) == (403, "consent_required")
    (mother, hers), _, child = parents(client)
    agree(mother, granted=False)
    assert refusal(ask(client, mother, hers, child)) == (403, "consent_required")


def test_when_a_link_ends_the_phone_shows_the_person_no_more(client):
    (mother, hers), (father, his), child = parents(client)
    hers_of_child, his_of_child = (
        credential(client, mother, hers, child),
        credential(client, father, his, child),
    )
    mother_own = credential(client, coloured(mother, "green"), hers)
    shared = send(client, "POST", "/share", mother, child).json["token"]
    path = f"/api/v1/me/dependants/{link_of(mother)}"
    assert client.delete(path, headers=mother.headers).status_code == 204
    # At once for a new code; by the event for those on the phone.
    assert refusal(ask(client, mother, hers, child)) == (403, "proxy_not_permitted")
    deliver()
    assert is_void(jti_of(hers_of_child))
    assert not is_void(jti_of(his_of_child))
    assert not is_void(jti_of(mother_own))
    with family_world.db.transaction() as session:
        assert shares.consume(session, shared) is None


def test_a_person_who_takes_the_right_back_takes_the_code_back(client):
    person, worker = coloured(people.citizen(), "green"), people.citizen()
    link_id = agreed(client, worker, person, scopes=("health_code", "masks"))
    phone = register(client, agree(worker))
    code = credential(client, worker, phone, person.person_id)
    assert client.delete(f"/api/v1/me/proxies/{link_id}", headers=person.headers).status_code == 204
    deliver()
    assert is_void(jti_of(code))


def test_a_link_that_covers_the_service_no_more_ends_the_codes_and_any_other_change_does_not(
    client,
):
    person, worker = coloured(people.citizen(), "green"), people.citizen()
    link_id = agreed(client, worker, person, scopes=("health_code", "masks", "messages"))
    phone = register(client, agree(worker))
    code = credential(client, worker, phone, person.person_id)
    path = f"/api/v1/me/dependants/{link_id}"
    for scopes, void in ((["health_code", "masks"], False), (["masks"], True)):
        assert (
            client.patch(path, json={"scopes": scopes}, headers=worker.headers).status_code == 200
        )
        deliver()
        assert is_void(jti_of(code)) is void


def test_a_link_whose_time_is_over_ends_the_codes_at_the_next_tidying(client):
    from citizen_cloud import clock
    from citizen_cloud.families.jobs import tidy

    person, worker = coloured(people.citizen(), "green"), people.citizen()
    agreed(client, worker, person, scopes=SCOPES)
    phone = register(client, agree(worker))
    code = credential(client, worker, phone, person.person_id)
    run("UPDATE families.link SET expires_at = statement_timestamp() - interval '1 min'")
    assert refusal(ask(client, worker, phone, person.person_id))[1] == "proxy_not_permitted"
    assert tidy(clock.now()) == 1
    deliver()
    assert is_void(jti_of(code))


def test_a_link_that_came_again_keeps_its_codes(client):
    person, worker = coloured(people.citizen(), "green"), people.citizen()
    link_id = agreed(client, worker, person, scopes=SCOPES)
    phone = register(client, agree(worker))
    assert client.delete(f"/api/v1/me/proxies/{link_id}", headers=person.headers).status_code == 204
    agreed(client, worker, person, scopes=SCOPES)
    code = credential(client, worker, phone, person.person_id)
    deliver()
    assert not is_void(jti_of(code))


def test_a_dependant_with_a_phone_of_his_own_gets_no_thin_code_through_anybody(client):
    person, worker = coloured(people.citizen(), "green"), people.citizen()
    agreed(client, worker, person, scopes=SCOPES)
    assert send(client, "GET", "/code", worker, person.person_id).status_code == 200
    register(client, person)
    refused = send(client, "GET", "/code", worker, person.person_id)
    assert refusal(refused) == (409, "use_device")
