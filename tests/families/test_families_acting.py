"""Acting on somebody's behalf: what it opens, what it does not, and what the person sees."""

import family_world as world
import people
import pytest
from family_world import book, get, post, refusal
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.booking import contribution as bookings
from citizen_cloud.booking.sold_out import sold_out
from citizen_cloud.families.services.personal_data import erase_data, export_data
from citizen_cloud.manifest import Subject

NOT_PERMITTED = (403, "proxy_not_permitted")
ABSENT = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def father(app):
    return people.citizen()


@pytest.fixture
def mother(app):
    return people.citizen()


@pytest.fixture
def child(client, father, mother):
    return world.child_of(client, father, mother)


def test_a_guardian_books_masks_for_a_child_with_the_childs_age_and_quota(client, father, child):
    offer = people.offer(campaign_id=people.campaign(product_class="child"))
    assert book(client, father, offer).json["code"] == "not_eligible"
    made = book(client, father, offer, child, quantity=2)
    assert made.status_code == 201, made.json
    person_id, booked_by, key = world.rows(
        "SELECT person_id, booked_by, person_key FROM booking.booking"
    )[0]
    assert (str(person_id), booked_by) == (child, father.account_id)
    childs_key = world.rows("SELECT person_key FROM accounts.person WHERE id = :p", p=child)[0][0]
    assert bytes(key) == bytes(childs_key)
    assert bytes(key) != father.person_key


def test_the_childs_quota_is_the_childs_whoever_books(client, father, mother, child):
    campaign = people.campaign()
    first, second, third = (people.offer(campaign_id=campaign, day=day) for day in range(3))
    assert book(client, father, first, child, quantity=2).status_code == 201
    assert book(client, mother, second, child, quantity=1).json["code"] == "limit_reached"
    assert book(client, mother, first, child).json["code"] == "already_booked"
    assert book(client, father, third, quantity=2).status_code == 201


def test_both_guardians_see_show_and_cancel_what_one_of_them_booked(client, father, mother, child):
    booking = book(client, father, people.offer(), child).json
    path = f"/bookings/{booking['id']}"
    for guardian in (father, mother):
        assert get(client, path, guardian, child).json["id"] == booking["id"]
        assert get(client, f"{path}/code", guardian, child).status_code == 200
        listed = get(client, "/me/bookings", guardian, child).json["items"]
        assert [one["id"] for one in listed] == [booking["id"]]
        agenda = get(client, "/me/agenda", guardian, child).json["items"]
        assert [one["id"] for one in agenda] == [booking["id"]]
        home = get(client, "/home", guardian, child).json
        assert [one["id"] for one in home["next"]] == [booking["id"]]
        assert home["tiles"][0]["badge"] == 1
    cancelled = post(client, f"{path}/cancel", mother, child)
    assert cancelled.json["status"] == "cancelled"


def test_what_is_booked_for_a_child_is_not_among_ones_own(client, father, child):
    booking = book(client, father, people.offer(), child).json
    path = f"/bookings/{booking['id']}"
    assert get(client, "/me/bookings", father).json["items"] == []
    assert get(client, "/me/agenda", father).json["items"] == []
    for answer in (
        get(client, path, father),
        get(client, f"{path}/code", father),
        post(client, f"{path}/cancel", father),
    ):
        assert refusal(answer) == (404, "not_found")


def test_a_guardian_removed_mid_booking_is_outside_at_once_and_the_booking_stays(
    client, father, mother, child
):
    offer = people.offer()
    booking = book(client, father, offer, child, key="mine").json
    path = f"/bookings/{booking['id']}"
    link = world.dependants_of(client, father)[0]["id"]
    assert client.delete(f"/api/v1/me/dependants/{link}", headers=father.headers).status_code == 204
    for on_behalf_of, wanted in ((child, NOT_PERMITTED), (None, (404, "not_found"))):
        for answer in (
            get(client, path, father, on_behalf_of),
            get(client, f"{path}/code", father, on_behalf_of),
            post(client, f"{path}/cancel", father, on_behalf_of),
        ):
            assert refusal(answer) == wanted
    assert refusal(book(client, father, offer, child, key="mine")) == NOT_PERMITTED
    assert get(client, path, mother, child).json["status"] == "booked"
    assert get(client, f"{path}/code", mother, child).status_code == 200
    assert post(client, f"{path}/cancel", mother, child).json["status"] == "cancelled"


def test_an_adult_ends_it_and_keeps_what_was_booked(client, father):
    person = people.citizen()
    link_id = world.agreed(client, father, person)
    booking = book(client, father, people.offer(), person.person_id).json
    path = f"/api/v1/me/proxies/{link_id}"
    assert client.delete(path, headers=person.headers).status_code == 204
    assert refusal(client.delete(path, headers=person.headers)) == (404, "not_found")
    for where in (f"/bookings/{booking['id']}", "/me/bookings", "/home"):
        assert refusal(get(client, where, father, person.person_id)) == NOT_PERMITTED
    mine = get(client, f"/bookings/{booking['id']}", person)
    assert mine.json["status"] == "booked"
    assert get(client, f"/bookings/{booking['id']}/code", person).status_code == 200


def test_without_the_scope_it_is_403_and_the_person_sees_the_attempt(client, father):
    person = people.citizen()
    world.agreed(client, father, person, scopes=["messages"])
    booked = people.booking(person, people.offer())
    attempts = (
        lambda: book(client, father, people.offer(), person.person_id),
        lambda: get(client, f"/bookings/{booked}", father, person.person_id),
        lambda: get(client, f"/bookings/{booked}/code", father, person.person_id),
        lambda: post(client, f"/bookings/{booked}/cancel", father, person.person_id),
    )
    for attempt in attempts:
        assert refusal(attempt()) == NOT_PERMITTED
    refused = [look for look in world.looks(person.person_id) if look[1] == "refused"]
    # Once a day, however often he tries.
    assert refused == [("families.proxy.masks", "refused", "none")]
    status = world.rows("SELECT status FROM booking.booking WHERE id = :b", b=booked)
    assert status == [("booked",)]


def test_lists_show_only_the_services_of_the_link(client, father):
    person = people.citizen()
    world.agreed(client, father, person, scopes=["messages"])
    people.booking(person, people.offer())
    people.message(person)
    assert get(client, "/me/bookings", father, person.person_id).json["items"] == []
    assert get(client, "/me/agenda", father, person.person_id).json["items"] == []
    home = get(client, "/home", father, person.person_id).json
    assert (home["next"], home["tiles"]) == ([], [])
    assert home["unread_messages"] == 1


def test_messages_are_read_by_those_whose_link_covers_them(client, father):
    person, other = people.citizen(), people.citizen()
    world.agreed(client, father, person, scopes=["messages"])
    world.agreed(client, father, other, scopes=["masks"])
    people.message(person, kind="test.note")
    listed = get(client, "/me/messages", father, person.person_id).json
    assert [one["kind"] for one in listed["items"]] == ["test.note"]
    assert refusal(get(client, "/me/messages", father, other.person_id)) == NOT_PERMITTED
    assert get(client, "/home", father, other.person_id).json["unread_messages"] == 0


def test_a_child_without_an_account_has_no_messages(client, father):
    child = world.child_of(client, father, scopes=["messages", "masks"])
    assert get(client, "/me/messages", father, child).json["items"] == []
    assert get(client, "/home", father, child).json["unread_messages"] == 0


def test_a_stranger_an_absent_person_and_an_ended_link_answer_alike(client, father):
    known = people.citizen()
    link_id = world.agreed(client, father, person := people.citizen())
    client.delete(f"/api/v1/me/dependants/{link_id}", headers=father.headers)
    answers = [
        get(client, "/me/bookings", father, person_id)
        for person_id in (known.person_id, ABSENT, person.person_id)
    ]
    shown = [
        {k: v for k, v in answer.json.items() if k not in ("instance", "trace_id")}
        for answer in answers
    ]
    assert [refusal(answer) for answer in answers] == [NOT_PERMITTED] * 3
    assert shown == shown[:1] * 3
    assert world.looks(known.person_id) == [("families.proxy.any", "refused", "none")]


def test_everything_done_for_somebody_is_shown_to_them(client, father):
    person = people.citizen()
    link_id = world.agreed(client, father, person)
    booking = book(client, father, people.offer(), person.person_id).json
    world.deliver()
    world.run("UPDATE jobs.outbox SET done_at = NULL")
    world.deliver()
    get(client, "/me/bookings", father, person.person_id)
    post(client, f"/bookings/{booking['id']}/cancel", father, person.person_id)
    assert sorted(world.looks(person.person_id)) == [
        ("families.proxy.any", "read", "link"),
        ("families.proxy.masks", "changed", "link"),
        ("families.proxy.masks", "changed", "link"),
    ]
    by = world.rows("SELECT DISTINCT basis_id, reader_id FROM accounts.data_access")
    assert [(str(basis), reader) for basis, reader in by] == [(link_id, father.account_id)]


def test_ones_own_business_is_nobodys_look(client, father):
    book(client, father, people.offer())
    world.deliver()
    get(client, "/me/bookings", father, father.person_id)
    get(client, "/home", father)
    assert world.looks(father.person_id) == []


def test_a_repeat_of_a_proxys_request_gets_its_booking_also_when_all_is_gone(client, father, child):
    offer = people.offer(capacity=1)
    made = book(client, father, offer, child, key="once")
    other = people.citizen()
    assert book(client, other, offer).json["code"] == "full"
    assert sold_out.knows(offer)
    again = book(client, father, offer, child, key="once")
    assert (again.status_code, again.json["id"]) == (201, made.json["id"])
    assert again.headers["Idempotent-Replayed"] == "true"


def test_one_key_is_not_used_for_two_people(client, father, child):
    offer = people.offer()
    assert book(client, father, offer, child, key="once").status_code == 201
    assert book(client, father, offer, key="once").json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("on_behalf_of=", (422, "invalid")),
        ("on_behalf_of=x", (422, "invalid")),
        ("on_behalf_of=%7B01936d5e7c1a7b3e9f102f6f0a3c8d11%7D%7D%7D", (422, "invalid")),
        (f"on_behalf_of={ABSENT}&on_behalf_of={ABSENT}", (400, "duplicate_key")),
        (f"on_behalf_of[]={ABSENT}", (422, "invalid")),
    ],
)
def test_garbage_for_a_person_is_refused_as_in_any_query(client, father, query, wanted):
    answer = client.get(f"/api/v1/me/bookings?{query}", headers=father.headers)
    assert refusal(answer) == wanted


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("GET", "/me/devices"), ("GET", "/me/dependants"), ("GET", "/me/consents")],
)
def test_a_door_that_serves_nobody_else_refuses_the_parameter(client, father, child, method, path):
    answer = client.open(
        f"/api/v1{path}",
        method=method,
        headers=father.headers,
        query_string={"on_behalf_of": child},
    )
    assert refusal(answer) == (422, "invalid")
    assert answer.json["errors"][0]["code"] == "unknown_field"


def test_level_one_acts_for_nobody(client, father, child):
    world.run("UPDATE accounts.device SET proven_at = NULL")
    answer = get(client, "/me/bookings", father, child)
    assert refusal(answer) == (401, "step_up_required")


def test_staff_act_for_nobody(client, child):
    assert get(client, "/home", world.clerk(), child).status_code == 403


def test_a_new_phone_keeps_the_family(client, father, child):
    """Links join persons, not accounts: the document brings them along."""
    world.run("UPDATE accounts.account SET status = 'closed' WHERE id = :a", a=father.account_id)
    again = people.citizen(number=father.document_number)
    assert get(client, "/me/bookings", again, child).status_code == 200


def test_acting_for_somebody_costs_one_statement_more(client, database, father, child):
    book(client, father, people.offer(), child)
    for path in ("/home", "/me/bookings", "/me/agenda", "/me/proxies"):
        counts = []
        for person_id in (None, child):
            with world.Statements(database.connection) as seen:
                assert get(client, path, father, person_id).status_code == 200
            counts.append(len(seen))
        assert counts == [2, 3], path


def test_booking_for_somebody_costs_one_statement_more(client, database, father, child):
    campaign = people.campaign()
    offers = [people.offer(campaign_id=campaign, day=day) for day in range(3)]
    book(client, father, offers[0], quantity=1)
    counts = []
    for person_id in (None, child):
        # What an offer is, is read once in each process.
        book(client, people.citizen(), offers[1], quantity=1)
        with world.Statements(database.connection) as seen:
            assert book(client, father, offers[1], person_id).status_code == 201
        counts.append(len(seen))
    assert counts == [2, 3]


def test_the_document_shows_the_parameter_exactly_where_it_is_taken(client):
    paths = client.get("/openapi.json").json["paths"]
    takes = {
        operation["operationId"]
        for item in paths.values()
        for method, operation in item.items()
        if method != "parameters"
        for parameter in operation.get("parameters", ())
        if parameter.get("name") == "on_behalf_of"
    }
    assert takes == {
        "appealHealthColour",
        "bookMasks",
        "cancelBooking",
        "correctHealthRecord",
        "declareHealth",
        "declareHealthTrip",
        "findHealthPaper",
        "getAgenda",
        "getBooking",
        "getBookingCode",
        "getHealthAppeal",
        "getHealthCode",
        "getHealthPaper",
        "getHealthStatus",
        "getHome",
        "issueHealthCredential",
        "listDataAccess",
        "listHealthAppeals",
        "listHealthEvents",
        "listMessages",
        "listMyBookings",
        "listOwnHealthVisits",
        "listProxies",
        "makeHealthPaper",
        "reportHealthPaperLost",
        "shareHealthCode",
    }


def test_news_of_a_booking_reach_the_booker_and_the_person(client, father):
    person = people.citizen()
    world.agreed(client, father, person)
    book(client, father, people.offer(), person.person_id)
    world.deliver()
    world.run("UPDATE jobs.outbox SET done_at = NULL")
    world.deliver()
    assert world.inbox(father).count("masks.booked") == 1
    assert world.inbox(person).count("masks.booked") == 1


def test_a_removed_guardian_hears_no_more_and_the_other_one_does(client, father, mother, child):
    booking = book(client, father, people.offer(), child).json
    world.deliver()
    link = world.dependants_of(client, father)[0]["id"]
    client.delete(f"/api/v1/me/dependants/{link}", headers=father.headers)
    post(client, f"/bookings/{booking['id']}/cancel", mother, child)
    world.deliver()
    assert "masks.booked" in world.inbox(father)
    assert "masks.cancelled" not in world.inbox(father)
    assert "masks.cancelled" in world.inbox(mother)


def test_export_shows_every_link_and_erasure_ends_them(client, father, child):
    world.ask(client, father, people.document())
    with db.transaction() as session:
        mine = export_data(session, Subject(account_id=father.account_id))
        childs = export_data(session, Subject(person_id=child))
    assert [one["status"] for one in mine["acting_for"]] == ["active", "pending"]
    assert [one["name"] for one in mine["acting_for"]] == ["王小明", "王小明"]
    assert len(childs["represented_by"]) == 2
    assert childs["represented_by"][0]["evidence"] == "2026-0317"
    with db.transaction() as session:
        assert erase_data(session, Subject(person_id=child), world.now()) == 2
        assert erase_data(session, Subject(account_id=father.account_id), world.now()) == 1
        assert session.scalar(text("SELECT count(*) FROM families.link")) == 0
    assert refusal(get(client, "/me/bookings", father, child)) == NOT_PERMITTED


def test_whoever_booked_for_a_child_does_not_export_where_it_goes(client, father, mother, child):
    booking = book(client, father, people.offer(), child).json
    with db.transaction() as session:
        fathers = bookings.export(session, Subject(account_id=father.account_id))
        childs = bookings.export(session, Subject(person_id=child))
    assert fathers["bookings"] == []
    assert [str(one["id"]) for one in fathers["booked_for_others"]] == [booking["id"]]
    assert booking["reference"] not in str(fathers)
    assert [one["reference"] for one in childs["bookings"]] == [booking["reference"]]


def test_a_guardian_sees_who_looked_at_a_childs_data_and_who_else_may_act(
    client, father, mother, child
):
    book(client, mother, people.offer(), child)
    world.deliver()
    seen = get(client, "/me/data-access", father, child).json["items"]
    # The clerks, and the mother's booking; one's own look is the latest.
    assert [one["reader"]["kind"] for one in seen[:2]] == ["proxy", "proxy"]
    booked = [one for one in seen if one["outcome"] == "changed" and one["reader"]["name"]]
    assert [one["purpose_text"]["en"] for one in booked] == ["Acting for you: Masks"]
    assert {one["purpose"] for one in seen} >= {"families.attest", "families.proxy.masks"}
    assert len(get(client, "/me/proxies", father, child).json["items"]) == 2
    # The father's own list holds nothing of it.
    own = get(client, "/me/data-access", father).json["items"]
    assert {one["purpose"] for one in own} == {"families.attest"}


@pytest.mark.parametrize("path", ["/me/data-access", "/me/proxies"])
def test_an_adults_proxy_sees_neither_who_looked_nor_who_else_may_act(client, father, path):
    """A link for masks is none to know whom else somebody trusts."""
    person = people.citizen()
    world.agreed(client, father, person, scopes=["masks", "messages"])
    assert refusal(get(client, path, father, person.person_id)) == (403, "proxy_not_permitted")
    assert ("families.proxy.guardian", "refused", "none") in world.looks(person.person_id)


def test_a_guardian_who_was_removed_sees_no_list_any_more(client, father, mother, child):
    link_id = world.dependants_of(client, father)[0]["id"]
    client.delete(f"/api/v1/me/dependants/{link_id}", headers=father.headers)
    for path in ("/me/data-access", "/me/proxies"):
        assert refusal(get(client, path, father, child)) == (403, "proxy_not_permitted")
