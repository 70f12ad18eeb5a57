"""The back office's doors: who may pass, what they answer."""

from uuid import uuid4

import callers
import pytest
from sqlalchemy import event, text

from citizen_cloud.db import new_id

ROOT = "/api/v1/admin/organisations"
NEW = {
    "kind": "pharmacy",
    "code": "2101010013",
    "name": {"zh": "松山健康服务中心", "en": "Songshan Health Centre"},
    "address": "臺北市松山區八德路４段６９４號",
}


@pytest.fixture
def admin(app):
    return callers.staff("admin", kind="admin")


def add(client, admin, **changes):
    answer = client.post(ROOT, json={**NEW, **changes}, headers=admin.headers)
    assert answer.status_code == 201, answer.json
    return answer.json


@pytest.fixture
def place(client, admin):
    return add(client, admin)


def test_an_organisation_is_added_with_its_area_read_off_the_address(client, admin):
    answer = client.post(ROOT, json=NEW, headers=admin.headers)
    assert answer.status_code == 201
    assert (answer.json["county"], answer.json["town"]) == ("台北市", "松山區")
    assert answer.json["status"] == "active"
    assert answer.json["position"] is None
    shown = client.get(answer.headers["Location"], headers=admin.headers)
    assert shown.json == answer.json
    assert shown.headers["ETag"] == '"v1"'


def test_a_position_comes_out_in_wgs84_whatever_it_came_in(client, admin):
    sent = {"latitude": 39.913358, "longitude": 116.384045, "datum": "gcj02"}
    position = add(client, admin, position=sent)["position"]
    assert position["latitude"] == pytest.approx(39.911954, abs=2e-5)
    assert position["longitude"] == pytest.approx(116.377817, abs=2e-5)


def test_the_same_request_twice_adds_one(client, admin):
    headers = {**admin.headers, "Idempotency-Key": "k1"}
    first, again = (client.post(ROOT, json=NEW, headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = client.post(ROOT, json=NEW, headers=admin.headers)
    assert (other.status_code, other.json["code"]) == (409, "code_taken")


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"address": "人民路1号"}, "/county", "required"),
        ({"area_code": "110103"}, "/area_code", "not_one_of"),
        ({"area_code": "２１０２０２"}, "/area_code", "pattern"),
        ({"kind": "bank"}, "/kind", "not_one_of"),
        ({"code": "a b"}, "/code", "pattern"),
        ({"name": {"zh": "只有中文"}}, "/name/en", "null"),
        ({"name": {"zh": "a\u0000", "en": "b"}}, "/name/zh", "control_character"),
        ({"position": {"latitude": 91, "longitude": 0}}, "/position/latitude", "out_of_range"),
        ({"position": {"latitude": 1}}, "/position/longitude", "required"),
        ({"status": "closed"}, "/status", "unknown_field"),
        ({"id": str(uuid4())}, "/id", "unknown_field"),
        ({"address": "省" * 201}, "/address", "length"),
    ],
)
def test_what_breaks_a_rule_is_named(client, admin, changes, pointer, code):
    answer = client.post(ROOT, json={**NEW, **changes}, headers=admin.headers)
    assert answer.status_code == 422, answer.json
    assert [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]] == [
        (pointer, code)
    ]


def test_an_address_nobody_can_read_is_accepted_with_a_county(client, admin):
    found = add(client, admin, address="人民路1号", county="臺北市")
    assert (found["county"], found["town"]) == ("台北市", "")


def test_a_change_moves_the_version_and_a_stale_one_is_refused(client, admin, place):
    path, headers = f"{ROOT}/{place['id']}", {**admin.headers, "If-Match": '"v1"'}
    changed = client.patch(path, json={"status": "paused", "town": "大安區"}, headers=headers)
    assert changed.status_code == 200, changed.json
    assert (changed.json["status"], changed.json["town"]) == ("paused", "大安區")
    assert changed.headers["ETag"] == '"v2"'
    stale = client.patch(path, json={"status": "closed"}, headers=headers)
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    free = client.patch(path, json={"status": "active"}, headers=admin.headers)
    assert free.json["version"] == 3


def test_a_change_names_only_what_may_change(client, admin, place):
    path = f"{ROOT}/{place['id']}"
    for body in ({"kind": "venue"}, {"code": "x"}, {"version": 9}, {"status": "gone"}):
        assert client.patch(path, json=body, headers=admin.headers).status_code == 422
    assert client.patch(path, json={}, headers=admin.headers).json["version"] == 1
    garbled = client.patch(path, json={}, headers={**admin.headers, "If-Match": "v1"})
    assert garbled.status_code == 400


def test_a_new_address_brings_its_own_area_and_a_position_can_be_taken_away(client, admin, place):
    path = f"{ROOT}/{place['id']}"
    where = {"latitude": 38.9, "longitude": 121.6}
    sent = {"address": "大连市中山区人民路1号", "position": where, "area_code": "210202"}
    moved = client.patch(path, json=sent, headers=admin.headers).json
    assert (moved["county"], moved["town"], moved["position"]) == ("大连市", "中山区", where)
    bare = client.patch(path, json={"position": None, "phone": None}, headers=admin.headers).json
    assert bare["position"] is None


def test_organisations_are_listed_by_pages_and_words(client, admin):
    ids = [add(client, admin, code=f"c{number}")["id"] for number in range(5)]
    add(client, admin, code="v", kind="venue", name={"zh": "市民館", "en": "Hall"})
    seen, path = [], f"{ROOT}?limit=2&kind=pharmacy"
    while path:
        answer = client.get(path, headers=admin.headers)
        seen += [item["id"] for item in answer.json["items"]]
        link = answer.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert seen == ids
    found = client.get(f"{ROOT}?q=市民", headers=admin.headers).json["items"]
    assert [item["code"] for item in found] == ["v"]


@pytest.mark.parametrize("q", ["%25", "_", "%5C", "%27%20OR%201=1", "%E2%98%83"])
def test_signs_in_a_search_find_nothing(client, admin, place, q):
    answer = client.get(f"{ROOT}?q={q}", headers=admin.headers)
    assert (answer.status_code, answer.json["items"]) == (200, [])


def test_a_search_is_bounded(client, admin):
    assert client.get(f"{ROOT}?q=", headers=admin.headers).status_code == 422
    assert client.get(f"{ROOT}?q={'a%25' * 500}", headers=admin.headers).status_code == 422
    assert client.get(f"{ROOT}?cursor=abc", headers=admin.headers).status_code == 400


def test_a_list_costs_one_statement_beside_the_gates(client, admin, place, database):
    seen = []
    event.listen(
        database.connection,
        "before_cursor_execute",
        lambda *a: seen.append(a[2]) if "SAVEPOINT" not in a[2] else None,
    )
    client.get(ROOT, headers=admin.headers)
    # Who asks, what he may, the list itself.
    assert len(seen) == 3


def test_staff_are_seen_and_gone_at_once(client, admin, place):
    path = f"{ROOT}/{place['id']}/staff"
    member = callers.staff(("staff", place["id"]))
    [row] = client.get(path, headers=admin.headers).json["items"]
    assert (row["account_id"], row["role"]) == (str(member.account_id), "staff")
    gone = f"/api/v1/admin/memberships/{row['membership_id']}"
    assert client.delete(gone, headers=admin.headers).status_code == 204
    assert client.delete(gone, headers=admin.headers).status_code == 404
    assert client.get(path, headers=admin.headers).json["items"] == []


def test_staff_are_listed_by_pages(client, admin, place):
    path = f"{ROOT}/{place['id']}/staff"
    for _ in range(3):
        callers.staff(("staff", place["id"]))
    first = client.get(f"{path}?limit=2", headers=admin.headers).json
    rest = client.get(f"{path}?limit=2&cursor={first['next_cursor']}", headers=admin.headers).json
    ids = [row["membership_id"] for row in first["items"] + rest["items"]]
    assert len(ids) == len(set(ids)) == 3
    assert rest["next_cursor"] is None


def test_a_role_that_ended_is_over_with_the_next_request(client, admin, place):
    manager = callers.staff(("manager", place["id"]))
    path = f"{ROOT}/{place['id']}/staff"
    [row] = client.get(path, headers=manager.headers).json["items"]
    ended = client.delete(
        f"/api/v1/admin/memberships/{row['membership_id']}", headers=admin.headers
    )
    assert ended.status_code == 204
    assert client.get(path, headers=manager.headers).status_code == 403


def test_a_manager_sees_and_staffs_the_own_place_only(client, admin, place):
    other = add(client, admin, code="other")
    manager = callers.staff(("manager", place["id"]))
    listed = client.get(ROOT, headers=manager.headers).json["items"]
    assert [item["id"] for item in listed] == [place["id"]]
    own, theirs = f"{ROOT}/{place['id']}", f"{ROOT}/{other['id']}"
    sent = {"role": "staff"}
    assert client.post(f"{own}/invitations", json=sent, headers=manager.headers).status_code == 201
    above = client.post(f"{own}/invitations", json={"role": "manager"}, headers=manager.headers)
    assert (above.status_code, above.json["code"]) == (403, "role_above_own")
    assert client.patch(own, json={"status": "closed"}, headers=manager.headers).status_code == 403
    for answer in (
        client.get(theirs, headers=manager.headers),
        client.get(f"{theirs}/staff", headers=manager.headers),
        client.get(f"{theirs}/invitations", headers=manager.headers),
        client.post(f"{theirs}/invitations", json=sent, headers=manager.headers),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


DOORS = [
    ("GET", ROOT, None),
    ("POST", ROOT, NEW),
    ("GET", f"{ROOT}/ID", None),
    ("PATCH", f"{ROOT}/ID", {}),
    ("GET", f"{ROOT}/ID/staff", None),
    ("POST", f"{ROOT}/ID/invitations", {"role": "staff"}),
    ("DELETE", "/api/v1/admin/memberships/01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11", None),
]


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_the_doors_are_shut_to_everybody_else(client, place, method, path, body):
    path = path.replace("ID", place["id"])
    assert client.open(path, method=method, json=body).status_code == 401
    clerk = callers.staff(("staff", place["id"]))
    for outsider in (callers.citizen(), callers.staff(), clerk):
        answer = client.open(path, method=method, json=body, headers=outsider.headers)
        assert answer.status_code == 403, (path, answer.json)


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_an_auditor_reads_and_changes_nothing(client, place, method, path, body):
    auditor = callers.staff("auditor")
    answer = client.open(
        path.replace("ID", place["id"]), method=method, json=body, headers=auditor.headers
    )
    assert answer.status_code == (200 if method == "GET" else 403)


def test_the_last_administrator_stays(client, admin, session):
    own = session.scalar(
        text("SELECT id FROM organisations.membership WHERE account_id = :a"),
        {"a": admin.account_id},
    )
    answer = client.delete(f"/api/v1/admin/memberships/{own}", headers=admin.headers)
    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")


def test_an_absent_organisation_is_not_found(client, admin):
    for path in (f"{ROOT}/{new_id()}", f"{ROOT}/{new_id()}/staff"):
        assert client.get(path, headers=admin.headers).status_code == 404
