"""Codes on paper: for whom, one living copy, suspended with the colour, dead when lost."""

import threading
from datetime import date
from uuid import UUID

import people
import pytest
from family_world import clerk, rows, run, shown
from health_world import ILL, agree, coloured, declared, say
from phone import said_by
from showing_world import ROOT, long_after_the_document, refusal, send

from citizen_cloud import clock, db
from citizen_cloud.credentials import compact
from citizen_cloud.modules.health_code.rules import papers as rules
from citizen_cloud.modules.health_code.services.codes import papers
from citizen_cloud.modules.health_code.services.codes.papers import Giver

ELDER, ADULT = "19400101", "19900101"


@pytest.fixture
def elder(client):
    return coloured(people.citizen(birth=ELDER, name="欧阳小明"), "green")


def make(client, who, status=201):
    answer = send(client, "POST", "/paper", who)
    assert answer.status_code == status, answer.json
    return answer.json


def text_of(client, who, paper_id):
    answer = send(client, "GET", f"/paper/{paper_id}", who)
    assert answer.status_code == 200, answer.json
    return answer.json["code"]


def void(code):
    said = said_by(compact.unpack(code))
    ((found,),) = rows(
        "SELECT revoked_at IS NOT NULL OR suspended_at IS NOT NULL "
        "FROM credentials.credential WHERE encode(uuid_send(jti), 'base64') = :jti",
        jti=_base64(said["jti"]),
    )
    return found


def _base64(jti):
    return jti.replace("-", "+").replace("_", "/") + "=="


@pytest.mark.parametrize(
    ("birth", "today", "disabled", "reason"),
    [
        (date(2008, 3, 2), date(2026, 3, 1), False, "minor"),
        (date(2008, 3, 2), date(2026, 3, 2), False, None),
        (date(2008, 2, 29), date(2026, 2, 28), False, "minor"),
        (date(2008, 2, 29), date(2026, 3, 1), False, None),
        (date(1966, 3, 2), date(2026, 3, 1), False, None),
        (date(1966, 3, 2), date(2026, 3, 2), False, "elder"),
        (date(1990, 1, 1), date(2026, 3, 2), False, None),
        (date(1990, 1, 1), date(2026, 3, 2), True, "disabled"),
        (date(1940, 1, 1), date(2026, 3, 2), True, "elder"),
        (None, date(2026, 3, 2), False, None),
        (None, date(2026, 3, 2), True, "disabled"),
    ],
)
def test_paper_is_for_the_young_the_old_and_disabled_people(birth, today, disabled, reason):
    assert rules.reason_for(birth, today, is_disabled=disabled) == reason


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("王小明", "王*"),
        ("王明", "王*"),
        ("欧阳锋", "欧阳*"),
        ("司马", "司*"),
        ("阿依古丽·买买提", "阿*"),
        ("Li Ming", "L*"),
    ],
)
def test_paper_says_the_family_name_and_no_more(name, said):
    assert rules.family_name(name) == said


def test_an_elder_gets_a_paper_code_for_half_a_year(client, elder):
    made = make(client, elder)
    assert (made["reason"], made["colour"], made["is_suspended"]) == ("elder", "green", False)
    said = said_by(compact.unpack(text_of(client, elder, made["id"])))
    assert list(said) == ["jti", "iat", "exp", "c", "n"]
    assert said["n"] == "欧阳*"
    assert said["exp"] - said["iat"] == 180 * 86_400
    assert send(client, "GET", "/paper", elder).json["id"] == made["id"]


def test_its_text_is_the_same_however_often_it_is_printed(client, elder):
    made = make(client, elder)
    first = text_of(client, elder, made["id"])
    assert {text_of(client, elder, made["id"]) for _ in range(3)} == {first}
    svg = send(client, "GET", f"/paper/{made['id']}", elder, accept="image/svg+xml")
    png = send(client, "GET", f"/paper/{made['id']}", elder, accept="image/png")
    assert svg.data.startswith(b"<svg")
    assert png.data.startswith(b"\x89PNG")


def test_paper_asks_for_the_document_again(client, elder):
    made = make(client, elder)
    long_after_the_document(elder)
    for method, path in (("POST", "/paper"), ("GET", f"/paper/{made['id']}")):
        assert refusal(send(client, method, path, elder)) == (401, "step_up_required")
    # To say that it is lost needs no more than the sign-in.
    assert send(client, "DELETE", f"/paper/{made['id']}", elder).status_code == 204


def test_an_adult_gets_none(client):
    me = coloured(people.citizen(birth=ADULT), "green")
    assert make(client, me, 403)["code"] == "paper_not_eligible"
    assert refusal(send(client, "GET", "/paper", me)) == (404, "not_found")


def test_without_a_status_there_is_none(client):
    assert make(client, agree(people.citizen(birth=ELDER)), 409)["code"] == "no_status"


def test_a_new_paper_ends_the_one_before(client, elder):
    first = make(client, elder)
    text = text_of(client, elder, first["id"])
    second = make(client, elder)
    assert refusal(send(client, "GET", f"/paper/{first['id']}", elder)) == (404, "not_found")
    assert void(text)
    assert not void(text_of(client, elder, second["id"]))
    assert rows("SELECT ended_because FROM health_code.paper ORDER BY id") == [
        ("replaced",),
        (None,),
    ]


def test_the_same_request_twice_makes_one(client, elder):
    seen = [
        client.post(f"{ROOT}/paper", headers=elder.key("same"), json=None).json["id"]
        for _ in range(2)
    ]
    assert seen[0] == seen[1]
    assert rows("SELECT count(*) FROM health_code.paper") == [(1,)]


def test_a_lost_paper_is_dead(client, elder):
    made = make(client, elder)
    text = text_of(client, elder, made["id"])
    assert send(client, "DELETE", f"/paper/{made['id']}", elder).status_code == 204
    assert void(text)
    for method in ("GET", "DELETE"):
        answer = send(client, method, f"/paper/{made['id']}", elder)
        assert refusal(answer) == (404, "not_found")


def test_nobody_else_reads_or_ends_it(client, elder):
    made = make(client, elder)
    other = coloured(people.citizen(birth=ELDER), "green")
    for method in ("GET", "DELETE"):
        answer = send(client, method, f"/paper/{made['id']}", other)
        assert refusal(answer) == (404, "not_found")


def test_it_is_suspended_while_the_colour_is_another_one_and_good_again_after(client, elder):
    made = make(client, elder)
    text = text_of(client, elder, made["id"])
    say(declared(elder.person_id, said=ILL))
    assert void(text)
    assert send(client, "GET", "/paper", elder).json["is_suspended"] is True
    # Two weeks later, by the rules alone.
    from citizen_cloud.credentials.services import lift_held

    with db.transaction() as session:
        lift_held(session, holders=[elder.person_id], types=["hp"], colour="green")
    assert not void(text)
    assert send(client, "GET", "/paper", elder).json["is_suspended"] is False


def test_two_requests_at_once_leave_one_living_copy(fresh_database):
    me = coloured(people.citizen(birth=ELDER), "green")
    giver = Giver(kind="citizen", account_id=me.account_id)
    start, failed = threading.Barrier(6), []

    def ask():
        start.wait()
        try:
            with db.transaction() as session:
                papers.give(session, person_id=me.person_id, giver=giver)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            failed.append(error)

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert failed == []
    assert rows(
        "SELECT count(*) FILTER (WHERE ended_at IS NULL), count(*) FROM health_code.paper"
    ) == [(1, 6)]
    assert rows(
        "SELECT count(*) FILTER (WHERE revoked_at IS NULL) FROM credentials.credential "
        "WHERE holder_id = :p AND type = 'hp'",
        p=me.person_id,
    ) == [(1,)]


def at_counter(client, who, path="", *, number, name="王小明", **more):
    return client.post(
        f"{ROOT}/staff/papers{path}", json={**shown(number, name), **more}, headers=who.key()
    )


def looks(person_id):
    return rows(
        "SELECT purpose, outcome, basis_type FROM accounts.data_access "
        "WHERE person_id = :p AND reader_kind = 'staff' ORDER BY id",
        p=person_id,
    )


def test_a_counter_makes_and_prints_one_and_the_person_sees_it(client):
    elder, official = coloured(people.citizen(birth=ELDER), "green"), clerk()
    made = at_counter(client, official, number=elder.document_number)
    assert made.status_code == 201, made.json
    path = made.headers["Location"]
    printed = client.get(path, headers={**official.headers, "Accept": "image/png"})
    assert printed.data.startswith(b"\x89PNG")
    assert looks(elder.person_id) == [
        ("health_code.paper", "changed", "case"),
        ("health_code.paper", "read", "case"),
    ]
    # Another counter prints it not, nor does this one an hour later.
    assert client.get(path, headers=clerk().headers).status_code == 404
    run("UPDATE health_code.paper SET issued_at = issued_at - interval '61 min'")
    assert client.get(path, headers=official.headers).status_code == 404
    assert send(client, "GET", "/paper", elder).json["id"] == made.json["id"]


def test_a_disabled_adult_has_the_certificate_seen_once(client):
    me, official = coloured(people.citizen(birth=ADULT), "green"), clerk()
    refused = at_counter(client, official, number=me.document_number)
    assert refusal(refused) == (403, "paper_not_eligible")
    made = at_counter(
        client, official, number=me.document_number, disability_evidence="canary-2026-77"
    )
    assert made.json["reason"] == "disabled"
    assert rows("SELECT evidence_sealed::text LIKE '%canary%' FROM health_code.disability") == [
        (False,)
    ]
    # From then on also by oneself.
    assert make(client, me)["reason"] == "disabled"
    again = at_counter(client, official, number=me.document_number, disability_evidence="again")
    assert again.status_code == 201
    assert rows("SELECT count(*) FROM health_code.disability") == [(1,)]


def test_a_counter_reports_a_paper_lost(client, elder):
    made = make(client, elder)
    text, official = text_of(client, elder, made["id"]), clerk()
    facts = {"number": elder.document_number, "name": "欧阳小明"}
    assert at_counter(client, official, "/lost", **facts).status_code == 204
    assert void(text)
    assert at_counter(client, official, "/lost", **facts).status_code == 404
    assert looks(elder.person_id) == [("health_code.paper", "changed", "case")]


def test_who_is_unknown_or_named_otherwise_is_not_found(client, elder):
    official = clerk()
    for number, name in ((elder.document_number, "王小明"), (people.document(ELDER), "王小明")):
        answer = at_counter(client, official, number=number, name=name)
        assert refusal(answer) == (404, "not_found")
    assert looks(elder.person_id) == []


def test_only_a_clerk_of_a_counter_may(client, elder):
    for who in (elder, people.auditor(), people.admin()):
        answer = at_counter(client, who, number=elder.document_number, name="欧阳小明")
        assert refusal(answer) == (403, "forbidden")
    answer = at_counter(
        client, people.staff(people.pharmacy()), number=elder.document_number, name="欧阳小明"
    )
    assert answer.json["code"] == "not_a_counter"


def test_what_is_done_with_paper_is_written_down_without_naming_the_object_a_person(client, elder):
    made = make(client, elder)
    send(client, "DELETE", f"/paper/{made['id']}", elder)
    found = rows(
        "SELECT action, object_type, object_id, payload FROM audit.entry "
        "WHERE action LIKE 'health_code.paper%' ORDER BY id"
    )
    assert [one[:3] for one in found] == [
        ("health_code.paper_issued", "paper", UUID(made["id"])),
        ("health_code.paper_lost", "paper", UUID(made["id"])),
    ]
    assert all(one[3] == {"person_id": str(elder.person_id)} for one in found)


def test_papers_are_forgotten_half_a_year_after_their_end(client, session, elder):
    make(client, elder)
    assert papers.forget(session) == 0
    run("UPDATE health_code.paper SET expires_at = :at", at=clock.now() - rules.LIFE * 2)
    assert papers.forget(session) == 1
