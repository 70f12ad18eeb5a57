"""Entering a place: by its present code alone, each in his own colour, once."""

from datetime import timedelta

import family_world
import health_world
import people
import places_world
import pytest
from places_world import entered, scan, together
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.services.places import visiting


@pytest.fixture
def place_id(database):
    return places_world.place(people.pharmacy())


def everything_of_health():
    """Return every event and every standing there is."""
    with db.transaction() as session:
        events = session.execute(text("SELECT * FROM health_code.event ORDER BY id")).all()
        return events, session.execute(text("SELECT * FROM health_code.standing")).all()


@pytest.mark.parametrize(
    ("colour", "outcome"), [("green", "admitted"), ("yellow", "restricted"), ("red", "refused")]
)
def test_a_colour_decides_who_enters_and_only_who_enters_is_noted(
    client, place_id, colour, outcome
):
    someone = health_world.coloured(people.citizen(), colour)
    found = entered(client, someone, place_id)
    assert (found["colour"], found["outcome"]) == (colour, outcome)
    assert (found["visit_id"] is None) == (outcome == "refused")
    assert places_world.visits() == (outcome != "refused")


def test_without_a_declaration_nobody_enters(client, place_id):
    found = entered(client, health_world.agree(people.citizen()), place_id)
    assert (found["colour"], found["outcome"]) == ("none", "refused")


def test_a_place_may_refuse_yellow(client):
    strict = places_world.place(people.pharmacy(), admits_yellow=False)
    someone = health_world.coloured(people.citizen(), "yellow")
    assert entered(client, someone, strict)["outcome"] == "refused"


def test_a_photo_of_an_old_or_of_another_code_notes_nothing_and_changes_no_colour(client, place_id):
    """Zhengzhou, June 2022: a forwarded picture turned people red who were never there."""
    someone = places_world.green()
    elsewhere = places_world.place(people.pharmacy())
    before = everything_of_health()
    for minutes, place, code in (
        (10, place_id, "place_code_stale"),
        (60 * 24 * 30, place_id, "place_code_stale"),
        (0, elsewhere, "place_code_elsewhere"),
    ):
        photo = places_world.code(place, now=clock.now() - timedelta(minutes=minutes))
        answer = scan(client, someone, place_id, shown=photo)
        assert (answer.status_code, answer.json["code"]) == (409, code)
    made_up = scan(client, someone, place_id, shown="CCP1:" + "0" * 45)
    assert made_up.json["code"] in ("place_code_elsewhere", "place_code_invalid")
    assert scan(client, someone, place_id, shown="x").json["code"] == "place_code_invalid"
    assert everything_of_health() == before
    assert places_world.visits() == 0


def test_a_visit_says_nothing_to_the_colour_either(client, place_id):
    someone = places_world.green()
    before = everything_of_health()
    entered(client, someone, place_id)
    assert everything_of_health() == before


def test_the_code_before_the_present_one_still_counts(client, place_id):
    photo = places_world.code(place_id, now=clock.now() - timedelta(minutes=5))
    assert entered(client, places_world.green(), place_id, shown=photo)["outcome"] == "admitted"


def test_scanning_the_same_code_again_is_the_same_visit(client, place_id):
    someone, shown = places_world.green(), places_world.code(place_id)
    first = entered(client, someone, place_id, shown=shown)
    again = entered(client, someone, place_id, shown=shown)
    assert again["visit_id"] == first["visit_id"]
    other = entered(client, places_world.green(), place_id, shown=shown)
    assert other["visit_id"] != first["visit_id"]
    assert places_world.visits() == 2


def test_the_next_code_is_another_visit(client, place_id):
    someone = places_world.green()
    earlier = places_world.code(place_id, now=clock.now() - timedelta(minutes=5))
    first = entered(client, someone, place_id, shown=earlier)
    assert entered(client, someone, place_id)["visit_id"] != first["visit_id"]


def test_companions_are_answered_for_each_in_his_own_colour(client, place_id):
    parent = places_world.green()
    child = family_world.child_of(client, parent, scopes=("health_code",))
    refused = scan(client, parent, place_id, companions=[child]).json
    assert [one["outcome"] for one in refused["entries"]] == ["admitted", "refused"]
    assert refused["admitted"] is False
    health_world.say(health_world.declared(child))
    found = scan(client, parent, place_id, companions=[child, child]).json
    assert [one["outcome"] for one in found["entries"]] == ["admitted", "admitted"]
    assert found["admitted"] is True
    assert places_world.visits() == 2


def test_a_stranger_is_no_companion(client, place_id):
    stranger = places_world.green()
    answer = scan(client, places_world.green(), place_id, companions=[stranger.person_id])
    assert answer.json["code"] == "proxy_not_permitted"
    assert places_world.visits() == 0


def test_a_link_for_other_services_brings_nobody_in(client, place_id):
    parent = places_world.green()
    child = family_world.child_of(client, parent, scopes=("masks",))
    answer = scan(client, parent, place_id, companions=[child])
    assert answer.json["code"] == "proxy_not_permitted"


def test_who_took_the_consent_back_is_not_noted(client, place_id):
    someone = places_world.green()
    health_world.agree(someone, granted=False)
    assert scan(client, someone, place_id).json["code"] == "consent_required"
    assert places_world.visits() == 0


def test_an_adult_companion_must_have_agreed_as_well(client, place_id):
    carer, elder = places_world.green(), people.citizen(birth=family_world.ELDER)
    family_world.agreed(client, carer, elder, scopes=("health_code",))
    answer = scan(client, carer, place_id, companions=[elder.person_id])
    assert answer.json["code"] == "consent_required"
    health_world.coloured(elder, "green")
    assert scan(client, carer, place_id, companions=[elder.person_id]).json["admitted"] is True


def test_eight_companions_and_no_more(client, place_id):
    me = places_world.green()
    answer = scan(client, me, place_id, companions=[me.person_id] * 9)
    assert answer.status_code == 422


def test_nobody_enters_more_places_a_day_than_can_be_numbered(client, place_id, monkeypatch):
    monkeypatch.setattr(rules, "MOST_A_DAY", 2)
    someone = places_world.green()
    for _ in range(2):
        entered(client, someone, places_world.place(people.pharmacy()))
    assert scan(client, someone, place_id).json["code"] == "too_many_visits"


def test_two_phones_scan_at_once_and_there_is_one_visit(fresh_database):
    someone = places_world.green()
    place_id = places_world.place(people.pharmacy())
    shown = places_world.code(place_id)

    def enter(_):
        with db.transaction() as session:
            done = visiting.enter(
                session, place_id=place_id, place_code=shown, person_ids=[someone.person_id]
            )
        return done.entries[0].visit_id

    assert len(set(together(4, enter))) == 1
    assert places_world.visits() == 1


def test_one_person_at_several_doors_at_once_has_as_many_visits(fresh_database):
    someone = places_world.green()
    places = [places_world.place(people.pharmacy()) for _ in range(4)]
    codes = [places_world.code(place) for place in places]

    def enter(number):
        with db.transaction() as session:
            done = visiting.enter(
                session,
                place_id=places[number],
                place_code=codes[number],
                person_ids=[someone.person_id],
            )
        return done.entries[0].visit_id

    assert len(set(together(4, enter))) == 4
    assert places_world.visits() == 4
