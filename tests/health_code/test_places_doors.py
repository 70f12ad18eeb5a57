"""Places by their staff: add, list, change, show the code, count."""

import io
from datetime import timedelta

import people
import places_world
import zxingcpp
from PIL import Image
from places_world import API
from sqlalchemy import text

from citizen_cloud import db

NAME = {"zh": "海天大药房正门", "en": "Front door"}


def test_staff_add_a_place_of_their_own_organisation_only(client):
    outlet, elsewhere = people.pharmacy(), people.pharmacy()
    clerk = people.staff(outlet)
    body = {"organisation_id": str(outlet), "name": NAME, "area_code": "210202"}
    made = client.post(API, json=body, headers=clerk.headers)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{API}/{made.json['id']}"
    assert made.json["max_status_age_s"] == 21_600
    body["organisation_id"] = str(elsewhere)
    assert client.post(API, json=body, headers=clerk.headers).status_code == 404


def test_somebody_elses_place_looks_like_none(client):
    outlet = people.pharmacy()
    place_id = places_world.place(outlet)
    stranger = people.staff(people.pharmacy())
    for path in ("", "/code", "/visit-counts"):
        answer = client.get(f"{API}/{place_id}{path}", headers=stranger.headers)
        assert answer.status_code == 404, path
    assert client.get(API, headers=stranger.headers).json["items"] == []
    changed = client.patch(f"{API}/{place_id}", json={"status": "closed"}, headers=stranger.headers)
    assert changed.status_code == 404


def test_a_change_is_refused_where_somebody_was_faster(client):
    clerk = people.staff(outlet := people.pharmacy())
    path = f"{API}/{places_world.place(outlet)}"
    first = client.get(path, headers=clerk.headers).headers["ETag"]
    headers = {**clerk.headers, "If-Match": first}
    changed = client.patch(path, json={"needs_nonce": True, "name": NAME}, headers=headers)
    assert (changed.json["needs_nonce"], changed.json["name"]) == (True, NAME)
    assert client.patch(path, json={"status": "closed"}, headers=headers).status_code == 412


def test_places_are_listed_page_by_page(client):
    clerk = people.staff(outlet := people.pharmacy())
    ids = [str(places_world.place(outlet)) for _ in range(3)]
    first = client.get(f"{API}?limit=2", headers=clerk.headers).json
    rest = client.get(f"{API}?cursor={first['next_cursor']}", headers=clerk.headers).json
    assert [one["id"] for one in (*first["items"], *rest["items"])] == ids
    assert rest["next_cursor"] is None


def test_a_closed_place_has_no_code_and_takes_no_visit(client):
    clerk = people.staff(outlet := people.pharmacy())
    place_id = places_world.place(outlet)
    shown = places_world.code(place_id)
    client.patch(f"{API}/{place_id}", json={"status": "closed"}, headers=clerk.headers)
    code = client.get(f"{API}/{place_id}/code", headers=clerk.headers)
    assert code.json["code"] == "place_closed"
    refused = places_world.scan(client, places_world.green(), place_id, shown=shown)
    assert refused.json["code"] == "place_closed"


def test_the_screen_gets_the_code_and_when_to_ask_again(client):
    clerk = people.staff(outlet := people.pharmacy())
    place_id = places_world.place(outlet)
    found = client.get(f"{API}/{place_id}/code", headers=clerk.headers).json
    assert found["code"] == places_world.code(place_id)
    assert found["begins_at"] <= found["server_time"] < found["next_at"] < found["accepted_until"]


def test_a_drawn_code_is_read_back_by_another_decoder(client):
    clerk = people.staff(outlet := people.pharmacy())
    place_id = places_world.place(outlet)
    path = f"{API}/{place_id}/code"
    png = client.get(path, headers={**clerk.headers, "Accept": "image/png"})
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.data)).convert("L"))
    assert found.text == places_world.code(place_id)
    svg = client.get(path, headers={**clerk.headers, "Accept": "image/svg+xml"})
    assert (svg.mimetype, svg.text[:4]) == ("image/svg+xml", "<svg")


def test_the_secret_of_a_place_lies_sealed(client):
    place_id = places_world.place(people.pharmacy())
    with db.transaction() as session:
        row = session.execute(
            text("SELECT * FROM health_code.place WHERE id = :id"), {"id": place_id}
        ).one()
    assert bytes(row.secret_sealed).startswith(b"k1.")


def test_a_place_counts_full_hours_in_bands_and_sees_nobody(client):
    clerk = people.staff(outlet := people.pharmacy())
    place_id = places_world.place(outlet)
    path = f"{API}/{place_id}/visit-counts"
    someone = places_world.green()
    assert places_world.entered(client, someone, place_id)["outcome"] == "admitted"
    running = client.get(path, headers=clerk.headers).json["hours"]
    assert {hour["band"] for hour in running} <= {"0"}
    places_world.move_visits(timedelta(days=1))
    yesterday = people.today() - timedelta(days=1)
    answer = client.get(f"{path}?on={yesterday}", headers=clerk.headers)
    assert sorted(hour["band"] for hour in answer.json["hours"]) == [*["0"] * 23, "1-9"]
    assert str(someone.person_id) not in answer.text
