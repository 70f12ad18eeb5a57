import people
import pytest
from sqlalchemy import text

STATE = "/api/v1/admin/modules/masks/state"
SETTINGS = "/api/v1/admin/modules/masks/settings"


def test_an_admin_switches_a_module_and_the_reason_is_audited(client, session):
    admin = people.admin()
    answer = client.put(STATE, json={"state": "draining", "reason": "盘点"}, headers=admin.headers)
    assert answer.status_code == 200, answer.json
    assert answer.json["state"] == "draining"
    entry = session.execute(
        text("SELECT actor_id, payload FROM audit.entry WHERE action = 'module.draining'")
    ).one()
    assert entry.actor_id == admin.account_id
    assert entry.payload["reason"] == "盘点"


def test_an_auditor_sees_all_and_changes_nothing(client):
    auditor = people.auditor()
    assert client.get("/api/v1/admin/modules", headers=auditor.headers).status_code == 200
    assert client.get("/api/v1/admin/audit/entries", headers=auditor.headers).status_code == 200
    change = {"state": "off", "reason": "试试"}
    assert client.put(STATE, json=change, headers=auditor.headers).status_code == 403


def test_citizens_and_clerks_stay_outside(client):
    clerk = people.staff(people.pharmacy())
    for someone in (people.citizen(), clerk):
        assert client.get("/api/v1/admin/modules", headers=someone.headers).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{"state": "on", "reason": "好的"}, {"state": "off"}, {"state": "off", "reason": ""}, {}],
)
def test_a_switch_needs_a_known_state_and_a_reason(client, body):
    assert client.put(STATE, json=body, headers=people.admin().headers).status_code == 422


def test_an_unknown_module_is_not_found(client):
    path = "/api/v1/admin/modules/nonsense/state"
    body = {"state": "off", "reason": "试试"}
    assert client.put(path, json=body, headers=people.admin().headers).status_code == 404


def test_settings_are_read_with_their_bounds_and_set_within_them(client):
    admin = people.admin()
    found = client.get(SETTINGS, headers=admin.headers).json
    number = next(item for item in found["items"] if item["kind"] == "integer")
    good = {"settings": {number["name"]: number["maximum"]}}
    answer = client.put(SETTINGS, json=good, headers=admin.headers)
    assert answer.status_code == 200, answer.json
    bad = {"settings": {number["name"]: number["maximum"] + 1}}
    refused = client.put(SETTINGS, json=bad, headers=admin.headers)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["code"] == "out_of_bounds"
    stale = client.put(SETTINGS, json=good, headers={**admin.headers, "If-Match": '"v99"'})
    assert stale.status_code == 412
    assert stale.json["code"] == "stale_version"


def test_the_audit_trail_is_paged(client):
    admin = people.admin()
    for state in ("off", "draining", "active"):
        client.put(STATE, json={"state": state, "reason": "翻页"}, headers=admin.headers)
    first = client.get("/api/v1/admin/audit/entries?limit=2", headers=admin.headers)
    assert [e["action"] for e in first.json["items"]] == ["module.active", "module.draining"]
    cursor = first.json["next_cursor"]
    rest = client.get(
        f"/api/v1/admin/audit/entries?limit=2&cursor={cursor}&action=module.off",
        headers=admin.headers,
    )
    assert [e["action"] for e in rest.json["items"]] == ["module.off"]
