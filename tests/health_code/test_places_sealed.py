"""Who was where: his own to read, nobody else's, and gone after three weeks."""

from dataclasses import replace
from datetime import timedelta

import family_world
import people
import places_world
import pytest
from conftest import ring
from places_world import entered
from scan import dump, forms
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.cli import keys
from citizen_cloud.cli.keys.rewriting import rewrite
from citizen_cloud.crypto import Undecryptable
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code import cards
from citizen_cloud.modules.health_code.jobs import places as jobs
from citizen_cloud.modules.health_code.jobs.places import delete_old_visits
from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.services.holdings import visits as held_visits
from citizen_cloud.modules.health_code.services.places import sealed_visits, visiting
from citizen_cloud.modules.health_code.services.places.sealed_visits import own_visits

PATH = "/api/v1/me/health-code/visits"


def rows():
    with db.transaction() as session:
        return session.execute(text("SELECT * FROM health_code.visit ORDER BY id")).mappings().all()


def own(client, someone, query="", *, status=200):
    answer = client.get(PATH + query, headers=someone.headers)
    assert answer.status_code == status, answer.json
    return answer.json


@pytest.fixture
def somewhere(database):
    return [places_world.place(people.pharmacy(), name=name) for name in ("地铁站", "药店")]


def test_a_citizen_finds_the_own_visits_and_nobody_elses(client, somewhere):
    someone, other = places_world.green(), places_world.green()
    for place_id in somewhere:
        entered(client, someone, place_id)
    entered(client, other, somewhere[0])
    found = own(client, someone)["items"]
    assert [one["place_id"] for one in found] == [str(somewhere[1]), str(somewhere[0])]
    assert found[0]["place_name"]["zh"] == "药店"
    assert len(own(client, other)["items"]) == 1
    assert own(client, people.citizen())["items"] == []


def test_own_visits_come_page_by_page(client, somewhere):
    someone = places_world.green()
    for place_id in somewhere:
        entered(client, someone, place_id)
    first = own(client, someone, "?limit=1")
    rest = own(client, someone, f"?limit=1&cursor={first['next_cursor']}")
    assert first["items"] != rest["items"]
    assert rest["next_cursor"] is None


def test_a_guardian_sees_the_childs_visits_and_a_carer_no_adults(client, somewhere):
    parent, elder = places_world.green(), places_world.green(birth=family_world.ELDER)
    child = family_world.child_of(client, parent, scopes=("health_code",))
    family_world.agreed(client, parent, elder, scopes=("health_code",))
    assert own(client, parent, f"?on_behalf_of={child}")["items"] == []
    refused = own(client, parent, f"?on_behalf_of={elder.person_id}", status=403)
    assert refused["code"] == "proxy_not_permitted"


def test_two_visits_of_a_person_have_no_value_in_common(client, somewhere):
    someone = places_world.green()
    for place_id in somewhere:
        entered(client, someone, place_id)
    one, other = rows()
    shared = {name for name, value in one.items() if other[name] == value}
    assert shared <= {"hour_at"}
    pieces = {bytes(one["visitor_sealed"])[i : i + 8] for i in range(3, 200)}
    # The name of the key aside.
    assert not any(piece in bytes(other["visitor_sealed"]) for piece in pieces if len(piece) == 8)


def test_a_row_tells_the_hour_and_not_the_minute(client, somewhere):
    entered(client, places_world.green(), somewhere[0])
    (row,) = rows()
    assert rules.is_full_hour(row["hour_at"])
    # Dated ids tell the millisecond.
    assert row["id"].version == 4


def test_what_is_sealed_opens_in_its_own_row_at_its_own_place_only(client, somewhere):
    someone = places_world.green()
    entered(client, someone, somewhere[0])
    (row,) = rows()
    facts = {"visit_id": row["id"], "place_id": row["place_id"]}
    assert sealed_visits.opened(row["visitor_sealed"], **facts).person_id == someone.person_id
    with pytest.raises(Undecryptable):
        sealed_visits.opened(row["visitor_sealed"], **{**facts, "place_id": somewhere[1]})


def test_no_dump_tells_who_was_where_and_none_tells_anything_after_the_purge(fresh_database):
    someone, place_id = places_world.green(), places_world.place(people.pharmacy())
    with db.transaction() as session:
        visiting.enter(
            session,
            place_id=place_id,
            place_code=places_world.code(place_id),
            person_ids=[someone.person_id],
        )
    (row,) = rows()
    lines = dump(fresh_database.settings.database_owner_url).splitlines()
    assert [line for line in lines if str(row["id"]).encode() in line]
    whose = [str(someone.person_id), str(someone.account_id), someone.person_key.hex()]
    sought = {form for value in whose for form in forms(value).values()}
    theirs = [line for line in lines if any(form in line for form in sought)]
    assert len(theirs) > 5
    tell_the_place = [str(place_id).encode(), str(row["id"]).encode()]
    assert not [line for line in theirs for place in tell_the_place if place in line]
    places_world.move_visits(rules.KEPT)
    assert delete_old_visits(clock.now()) == 1
    after = dump(fresh_database.settings.database_owner_url)
    assert str(row["id"]).encode() not in after


def test_visits_are_deleted_after_twenty_one_days_in_batches(client, somewhere, monkeypatch):
    monkeypatch.setattr(jobs, "MOST", 2)
    for _ in range(3):
        entered(client, places_world.green(), somewhere[0])
    places_world.move_visits(rules.KEPT - timedelta(hours=2))
    assert delete_old_visits(clock.now()) == 0
    entered(client, places_world.green(), somewhere[0])
    places_world.move_visits(timedelta(hours=2))
    assert delete_old_visits(clock.now()) == 3
    assert len(rows()) == 1


def test_an_old_visit_is_not_shown_even_if_the_job_is_late(client, somewhere):
    someone = places_world.green()
    entered(client, someone, somewhere[0])
    places_world.move_visits(rules.KEPT)
    assert own(client, someone)["items"] == []


def test_the_bundle_holds_the_own_visits_and_an_erasure_deletes_them_alone(client, somewhere):
    someone, other = places_world.green(), places_world.green()
    for place_id in somewhere:
        entered(client, someone, place_id)
    kept = entered(client, other, somewhere[0])
    subject = Subject(account_id=someone.account_id, person_id=someone.person_id)
    with db.transaction() as session:
        held = cards.export(session, subject)["visits"]["visits"]
        assert {one["id"] for one in held} < {str(row["id"]) for row in rows()}
        assert len(held) == 2
        assert held_visits.erase(session, subject, clock.now()) == 2
        assert held_visits.erase(session, subject, clock.now()) == 0
        assert held_visits.export(session, subject) == {"visits": []}
        assert held_visits.export(session, Subject(account_id=other.account_id)) == {"visits": []}
    assert [str(row["id"]) for row in rows()] == [kept["visit_id"]]


def test_an_idempotency_key_stores_no_answer_that_names_the_place(client, somewhere):
    someone, place_id = places_world.green(), somewhere[0]
    body = {"place_code": places_world.code(place_id)}
    path = f"{places_world.API}/{place_id}/visits"
    client.post(path, json=body, headers=someone.key())
    with db.transaction() as session:
        stored = session.scalars(
            text("SELECT convert_from(body, 'UTF8') FROM web.idempotent_answer")
        )
        assert not [one for one in stored if str(place_id) in one]


def test_new_keys_find_and_open_every_visit(fresh_database):
    someone, place_id = places_world.green(), places_world.place(people.pharmacy())
    shown = places_world.code(place_id)

    def enter():
        with db.transaction() as session:
            return visiting.enter(
                session, place_id=place_id, place_code=shown, person_ids=[someone.person_id]
            )

    def seen():
        with db.transaction() as session:
            return [one.id for one in own_visits(session, person_id=someone.person_id)]

    first = enter().entries[0].visit_id
    old = fresh_database.settings
    both = replace(
        old,
        field_keys=f"{ring('field2').replace('k1', 'k2')},{old.field_keys}",
        lookup_keys=f"{ring('lookup2').replace('k1', 'k2')},{old.lookup_keys}",
    )
    crypto.configure(both)
    assert seen() == [first]
    assert enter().entries[0].visit_id == first
    assert rewrite(keys.declared(), batch=10, tell=lambda _: None).missed == 0
    new = {name: getattr(both, name).split(",")[0] for name in ("field_keys", "lookup_keys")}
    crypto.configure(replace(old, **new))
    assert seen() == [first]
    assert enter().entries[0].visit_id == first
