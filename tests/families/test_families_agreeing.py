"""Who agrees: adults for themselves, guardians for children, counters for whoever comes."""

from datetime import timedelta

import family_world as world
import people
import pytest
from family_world import ask, refusal

from citizen_cloud import clock, db
from citizen_cloud.families.rules import comes_of_age_at


@pytest.fixture
def father(app):
    return people.citizen()


@pytest.fixture
def mother(app):
    return people.citizen()


def test_an_adult_agrees_from_the_own_account_to_some_of_the_services(client, father):
    person = people.citizen()
    asked = ask(client, father, person.document_number, scopes=["masks", "messages"])
    world.deliver()
    assert world.inbox(person) == ["families.asked"]
    waiting = world.requests_of(client, person)
    assert [one["id"] for one in waiting] == [asked.json["id"]]
    assert waiting[0]["name"] == "王*明"
    assert waiting[0]["child_id"] is None
    answer = world.decide(client, person, asked.json["id"], scopes=["masks"])
    assert answer.json == {"id": asked.json["id"], "status": "active"}
    mine = world.dependants_of(client, father)[0]
    assert (mine["status"], mine["scopes"], mine["agreed_by"]) == (
        "active",
        ["masks"],
        "own_account",
    )
    assert mine["person_id"] == str(person.person_id)
    proxies = world.get(client, "/me/proxies", person).json["items"]
    assert [(one["name"], one["scopes"]) for one in proxies] == [("王*明", ["masks"])]
    assert world.inbox(father) == ["families.active"]
    assert world.requests_of(client, person) == []


def test_an_adult_child_refuses_and_only_then_the_asker_knows(client, father):
    grown_up = people.citizen(birth="19990101")
    asked = ask(client, father, grown_up.document_number)
    world.deliver()
    assert world.dependants_of(client, father)[0]["status"] == "pending"
    answer = world.decide(client, grown_up, asked.json["id"], agreed=False)
    assert answer.json["status"] == "refused"
    assert world.dependants_of(client, father)[0]["status"] == "refused"
    assert world.dependants_of(client, father)[0]["person_id"] is None
    refused = world.get(client, "/me/bookings", father, grown_up.person_id)
    assert refusal(refused) == (403, "proxy_not_permitted")
    assert refusal(world.decide(client, grown_up, asked.json["id"])) == (409, "link_decided")


def test_a_parent_cannot_call_a_grown_up_a_child_to_do_without_asking(client, father):
    grown_up = people.citizen(birth="19990101")
    answer = ask(client, father, grown_up.document_number, relation="child")
    assert refusal(answer) == (422, "relation_mismatch")
    attested = world.attest(
        client, world.clerk(), grown_up.document_number, acting=father.document_number
    )
    assert refusal(attested) == (422, "relation_mismatch")


def test_the_first_guardian_agrees_to_the_second(client, father, mother):
    number = people.document(world.CHILD)
    child = world.child_of(client, father, number=number, scopes=["masks", "messages"])
    asked = ask(client, mother, number, relation="child", scopes=["masks", "messages"])
    world.deliver()
    assert "families.asked" in world.inbox(father)
    waiting = world.requests_of(client, father)
    assert [(one["id"], one["child_id"]) for one in waiting] == [(asked.json["id"], child)]
    assert world.decide(client, father, asked.json["id"]).status_code == 200
    assert world.dependants_of(client, mother)[0]["agreed_by"] == "guardian"
    assert world.get(client, "/me/bookings", mother, child).status_code == 200
    guardians = world.get(client, "/me/proxies", father, child).json["items"]
    assert len(guardians) == 2


def test_a_guardian_gives_no_more_than_the_own_link_has(client, father, mother):
    number = people.document(world.CHILD)
    world.child_of(client, father, number=number, scopes=["masks"])
    asked = ask(client, mother, number, relation="child", scopes=["masks", "messages"])
    answer = world.decide(client, father, asked.json["id"], scopes=["masks", "messages"])
    assert refusal(answer) == (422, "scopes_not_narrower")
    assert world.decide(client, father, asked.json["id"]).status_code == 200
    assert world.dependants_of(client, mother)[0]["scopes"] == ["masks"]


def test_a_child_does_not_agree_for_itself(client, father):
    teen = people.citizen(birth=world.TEEN)
    asked = ask(client, father, teen.document_number, relation="child")
    world.deliver()
    assert world.requests_of(client, teen) == []
    assert refusal(world.decide(client, teen, asked.json["id"])) == (404, "not_found")


def test_who_is_no_guardian_any_more_agrees_to_nobody(client, father, mother):
    number = people.document(world.CHILD)
    world.child_of(client, father, number=number)
    asked = ask(client, mother, number, relation="child")
    link_id = world.dependants_of(client, father)[0]["id"]
    client.delete(f"/api/v1/me/dependants/{link_id}", headers=father.headers)
    assert world.requests_of(client, father) == []
    assert refusal(world.decide(client, father, asked.json["id"])) == (404, "not_found")


def test_a_child_has_at_most_two_guardians(client, father, mother):
    number = people.document(world.CHILD)
    world.child_of(client, father, mother, number=number)
    third = people.citizen()
    asked = ask(client, third, number, relation="child")
    assert asked.status_code == 202
    assert refusal(world.decide(client, mother, asked.json["id"])) == (409, "guardians_full")
    attested = world.attest(client, world.clerk(), number, acting=third.document_number)
    assert refusal(attested) == (409, "already_linked")
    fourth = people.citizen()
    attested = world.attest(client, world.clerk(), number, acting=fourth.document_number)
    assert refusal(attested) == (409, "guardians_full")


def test_an_elder_without_a_phone_consents_at_a_counter(client, father):
    number, clerk = people.document(world.ELDER), world.clerk()
    asked = ask(client, father, number, relation="elder")
    made = world.attest(client, clerk, number, relation="elder", request_id=asked.json["id"])
    assert made.status_code == 200, made.json
    mine = world.dependants_of(client, father)[0]
    assert (mine["status"], mine["agreed_by"]) == ("active", "counter")
    elder = mine["person_id"]
    level, verified_by = world.rows(
        "SELECT level, verified_by FROM accounts.person WHERE id = :p", p=elder
    )[0]
    assert (level, verified_by) == (3, "counter")
    assert world.inbox(father) == ["families.attested"]
    booked = world.book(client, father, people.offer(), elder)
    assert booked.status_code == 201, booked.json
    noted = world.rows(
        "SELECT reader_id, purpose, outcome FROM accounts.data_access "
        "WHERE person_id = :p AND reader_kind = 'staff'",
        p=elder,
    )
    colleague = world.rows("SELECT decided_by FROM families.link")[0][0]
    assert colleague != clerk.account_id
    # The first clerk met nobody who was known here yet.
    assert noted == [(colleague, "families.attest", "changed")]
    audited = world.rows(
        "SELECT action, actor_id FROM audit.entry WHERE action LIKE 'families.attest%' ORDER BY id"
    )
    assert audited == [
        ("families.attestation_begun", clerk.account_id),
        ("families.attested", colleague),
    ]
    enrolled = world.rows(
        "SELECT actor_id, payload ->> 'link_id' FROM audit.entry "
        "WHERE action = 'accounts.enrolled_in_person'"
    )
    assert enrolled == [(colleague, asked.json["id"])]


def test_one_clerk_alone_makes_nobody_a_proxy(client, father):
    """A clerk who knows two documents by heart gets nowhere, whatever else he holds."""
    elder, clerk = people.citizen(birth=world.ELDER), world.clerk()
    facts = {"relation": "elder", "scopes": ["masks", "messages"]}
    facts["acting"] = father.document_number
    first = world.vouch(client, clerk, elder.document_number, **facts)
    assert (first.status_code, first.json["status"]) == (200, "pending")
    again = world.vouch(client, clerk, elder.document_number, **facts)
    assert refusal(again) == (403, "second_person_required")
    facts["acting"] = None
    by_request = world.vouch(
        client, clerk, elder.document_number, request_id=first.json["id"], **facts
    )
    assert refusal(by_request) == (403, "second_person_required")
    read = world.get(client, "/me/messages", father, elder.person_id)
    assert refusal(read) == (403, "proxy_not_permitted")
    # The elder is asked meanwhile, and says no; the second clerk comes too late.
    world.deliver()
    assert world.inbox(elder) == ["families.asked"]
    assert world.decide(client, elder, first.json["id"], agreed=False).status_code == 200
    late = world.vouch(
        client,
        world.colleague_of(clerk),
        elder.document_number,
        request_id=first.json["id"],
        **facts,
    )
    assert refusal(late) == (409, "link_decided")


def test_the_table_itself_refuses_one_clerk_alone(client, father):
    world.child_of(client, father)
    with pytest.raises(Exception, match="ck_link_second_clerk"):
        world.run("UPDATE families.link SET decided_by = attested_by")


def test_a_manager_and_the_account_he_appointed_are_not_two(client, father):
    hall, number = people.hall(), people.document(world.ELDER)
    manager = people.manager(hall)
    path = f"/api/v1/admin/organisations/{hall}/invitations"
    code = client.post(path, json={"role": "staff"}, headers=manager.headers).json["code"]
    sent = {"code": code, "username": "puppet", "password": "四月的风 吹过海边 42"}
    joined = client.post("/api/v1/auth/invitations/accept", json=sent).json["account_id"]
    with db.transaction() as session:
        puppet = people._sign_in(session, joined, "staff", "pwd otp")
    facts = {"relation": "elder", "acting": father.document_number}
    assert world.vouch(client, puppet, number, **facts).json["status"] == "pending"
    alone = world.vouch(client, manager, number, **facts)
    assert refusal(alone) == (403, "second_person_required")
    assert world.vouch(client, people.staff(hall), number, **facts).json["status"] == "active"


def test_the_word_of_a_clerk_who_is_gone_does_not_count(client, father):
    hall, number = people.hall(), people.document(world.ELDER)
    gone, second, third = (people.staff(hall) for _ in range(3))
    facts = {"relation": "elder", "acting": father.document_number}
    assert world.vouch(client, gone, number, **facts).json["status"] == "pending"
    world.run("UPDATE accounts.account SET status = 'suspended' WHERE id = :a", a=gone.account_id)
    assert world.vouch(client, second, number, **facts).json["status"] == "pending"
    assert world.vouch(client, third, number, **facts).json["status"] == "active"


def test_another_counters_word_is_not_the_first_one_here(client, father):
    number, facts = people.document(world.ELDER), {"relation": "elder"}
    facts["acting"] = father.document_number
    for _ in range(2):
        made = world.vouch(client, world.clerk(), number, **facts)
        assert (made.status_code, made.json["status"]) == (200, "pending")


def test_the_second_clerk_widens_nothing(client, father):
    clerk, number = world.clerk(), people.document(world.ELDER)
    facts = {"relation": "elder", "acting": father.document_number}
    world.vouch(client, clerk, number, scopes=("masks",), expires_on="2027-01-31", **facts)
    colleague = world.colleague_of(clerk)
    wider = world.vouch(client, colleague, number, scopes=("masks", "messages"), **facts)
    assert refusal(wider) == (422, "scopes_not_narrower")
    other = world.vouch(client, colleague, number, **{**facts, "relation": "disabled"})
    assert refusal(other) == (422, "relation_mismatch")
    assert world.vouch(client, colleague, number, **facts).json["status"] == "active"
    assert world.dependants_of(client, father)[0]["expires_at"].startswith("2027-02-01T00:00")


def test_the_other_guardian_learns_of_a_new_one_before_and_after(client, father, mother):
    number, clerk = people.document(world.CHILD), world.clerk()
    world.child_of(client, father, number=number)
    facts = {"acting": mother.document_number}
    begun = world.vouch(client, clerk, number, **facts)
    world.deliver()
    assert "families.asked" in world.inbox(father)
    assert [one["id"] for one in world.requests_of(client, father)] == [begun.json["id"]]
    world.vouch(client, world.colleague_of(clerk), number, **facts)
    assert world.inbox(father).count("families.attested") == 2


def test_a_first_word_waits_a_day(client, father):
    clerk, number = world.clerk(), people.document(world.ELDER)
    facts = {"relation": "elder", "acting": father.document_number}
    first = world.vouch(client, clerk, number, **facts)
    world.run("UPDATE families.link SET answer_by = answer_by - interval '24 hours'")
    late = world.vouch(client, world.colleague_of(clerk), number, **facts)
    assert late.json["status"] == "pending"
    assert late.json["id"] != first.json["id"]


def test_who_comes_to_the_counter_for_somebody_else_links_nobody(client, father):
    asked = ask(client, father, people.document(world.ELDER), relation="elder")
    another = people.document(world.ELDER)
    made = world.attest(
        client, world.clerk(), another, relation="elder", request_id=asked.json["id"]
    )
    assert refusal(made) == (404, "not_found")
    assert world.dependants_of(client, father)[0]["status"] == "pending"


def test_a_counter_compares_the_name_with_the_person_known_here(client, father):
    known = people.citizen(name="李四光")
    made = world.attest(
        client,
        world.clerk(),
        known.document_number,
        relation="adult",
        acting=father.document_number,
    )
    assert refusal(made) == (422, "real_name_mismatch")


def test_a_clerk_attests_only_where_the_clerk_works(client, father):
    elsewhere = people.hall()
    made = world.attest(
        client,
        world.clerk(),
        people.document(world.ELDER),
        relation="elder",
        acting=father.document_number,
        organisation_id=str(elsewhere),
    )
    assert refusal(made) == (403, "not_a_counter")


def test_a_pharmacy_decides_nobodys_family(client, father):
    made = world.attest(
        client,
        people.staff(people.pharmacy()),
        people.document(world.ELDER),
        relation="elder",
        acting=father.document_number,
    )
    assert refusal(made) == (403, "not_a_counter")


@pytest.mark.parametrize("both", [True, False])
def test_the_counter_names_the_acting_person_or_the_request(client, father, both):
    more = {"request_id": str(father.person_id)} if both else {}
    made = world.attest(
        client,
        world.clerk(),
        people.document(world.ELDER),
        relation="elder",
        acting=father.document_number if both else None,
        **more,
    )
    assert refusal(made) == (422, "invalid")


def test_evidence_is_kept_sealed_and_given_to_the_person(client, father):
    world.child_of(client, father)
    (row,) = world.rows("SELECT to_jsonb(l)::text FROM families.link l")
    assert "2026-0317" not in row[0]


def test_a_childs_link_ends_at_the_eighteenth_birthday(client, father):
    child = world.child_of(client, father)
    born = clock.local_day(clock.now()).replace(year=2020, month=1, day=1)
    (ends,) = world.rows("SELECT expires_at FROM families.link")
    assert ends[0] == comes_of_age_at(born)
    world.run("UPDATE families.link SET expires_at = statement_timestamp()")
    answer = world.get(client, "/me/bookings", father, child)
    assert refusal(answer) == (403, "proxy_not_permitted")
    assert world.rows("SELECT status FROM families.link") == [("active",)]
    assert world.dependants_of(client, father)[0]["status"] == "expired"


def test_a_link_ends_after_its_last_day(client, father):
    person = people.citizen()
    day = clock.local_day(clock.now()) + timedelta(days=3)
    world.agreed(client, father, person, expires_on=str(day))
    (ends,) = world.rows("SELECT expires_at FROM families.link")
    assert clock.local(ends[0]).date() == day + timedelta(days=1)


def test_the_answer_asks_for_fresh_factors(client, father):
    person = people.citizen()
    asked = ask(client, father, person.document_number)
    world.run(
        "UPDATE accounts.sign_in SET proved_at = proved_at - interval '6 minutes' "
        "WHERE account_id = :a",
        a=person.account_id,
    )
    assert refusal(world.decide(client, person, asked.json["id"])) == (401, "step_up_required")


def test_somebody_elses_request_and_an_absent_one_look_the_same(client, father, mother):
    person = people.citizen()
    asked = ask(client, father, person.document_number)
    theirs = world.decide(client, mother, asked.json["id"])
    absent = world.decide(client, mother, "00000000-0000-7000-8000-000000000000")
    assert refusal(theirs) == refusal(absent) == (404, "not_found")


def test_services_are_taken_away_and_never_added(client, father):
    person = people.citizen()
    link_id = world.agreed(client, father, person, scopes=["masks", "messages"])
    path = f"/api/v1/me/dependants/{link_id}"
    more = client.patch(path, json={"scopes": ["masks"]}, headers=father.headers)
    assert more.json["scopes"] == ["masks"]
    wider = client.patch(path, json={"scopes": ["masks", "messages"]}, headers=father.headers)
    assert refusal(wider) == (422, "scopes_not_narrower")
    answer = world.get(client, "/me/messages", father, person.person_id)
    assert refusal(answer) == (403, "proxy_not_permitted")


def test_the_counter_ends_a_guardians_link_and_both_are_told(client, father, mother):
    number, clerk = people.document(world.CHILD), world.clerk()
    child = world.child_of(client, father, mother, number=number)
    body = {
        "acting": world.shown(father.document_number),
        "represented": world.shown(number),
        "evidence_reference": "court-17",
    }
    ended = client.post("/api/v1/counter/links/end", json=body, headers=clerk.headers)
    assert (ended.status_code, ended.json["status"]) == (200, "revoked")
    refused = world.get(client, "/me/bookings", father, child)
    assert refusal(refused) == (403, "proxy_not_permitted")
    assert world.get(client, "/me/bookings", mother, child).status_code == 200
    assert world.inbox(father)[-1] == "families.ended"
    again = client.post("/api/v1/counter/links/end", json=body, headers=clerk.headers)
    assert refusal(again) == (404, "not_found")


def test_whoever_takes_a_phone_for_an_elder_does_not_inherit_the_counters_level(client, father):
    """Name and number are enough for level 2, as ever; level 3 was somebody's face."""
    number = people.document(world.ELDER)
    world.attest(client, world.clerk(), number, relation="elder", acting=father.document_number)
    elder = people.citizen(number=number)
    assert client.get("/api/v1/me", headers=elder.headers).json["level"] == 2


def test_a_link_whose_time_is_over_shows_nobody_before_any_job_tidies(client, father):
    person = people.citizen()
    world.agreed(client, father, person)
    assert world.dependants_of(client, father)[0]["person_id"] == str(person.person_id)
    world.run("UPDATE families.link SET expires_at = statement_timestamp()")
    over = world.dependants_of(client, father)[0]
    assert (over["status"], over["person_id"]) == ("expired", None)
