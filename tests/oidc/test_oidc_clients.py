"""Registering clients, and what systems may do with their tokens."""

from datetime import timedelta

import jwt
import partners
import people
import pytest
from partners import CALLBACK, change
from sqlalchemy import event

from citizen_cloud.app import roles_by_permission
from citizen_cloud.oidc.rules.addresses import is_acceptable, sector_of
from citizen_cloud.oidc.rules.scopes import PLATFORM, delegable, level_of
from citizen_cloud.portal.state import HOST
from citizen_cloud.rooms import CONTRIBUTIONS
from citizen_cloud.web.caller import Ports

BODY = {
    "type": "web",
    "name": {"zh": "海天医院", "en": "Haitian Hospital"},
    "purpose": {"zh": "登录", "en": "To sign in"},
    "redirect_uris": [CALLBACK],
    "scopes": ["openid", "phone"],
}


@pytest.fixture
def office(client, hospital):
    """Return what an administrator does with clients."""

    class Office:
        headers = people.admin_headers()

        def register(self, **changes):
            body = {**BODY, "organisation_id": str(hospital), **changes}
            return client.post("/api/v1/admin/clients", json=body, headers=self.headers)

        def change(self, client_id, **changes):
            return client.patch(
                f"/api/v1/admin/clients/{client_id}", json=changes, headers=self.headers
            )

    return Office()


def test_an_administrator_registers_a_partner_and_sees_its_secret_once(office, client, flow):
    made = office.register()
    assert made.status_code == 201
    assert len(made.json["client_secret"]) == 43
    assert made.json["sector"] == "hospital.example"
    again = client.get(made.headers["Location"], headers=office.headers).json
    assert "client_secret" not in again
    listed = client.get("/api/v1/admin/clients", headers=office.headers)
    assert made.json["client_secret"] not in listed.text
    site = partners.Partner(made.json["client_id"], made.json["client_secret"])
    assert flow.ask(site, scope="openid phone").status_code == 302


def test_public_clients_have_no_secret(office, client):
    made = office.register(type="h5").json
    assert made["client_secret"] is None
    path = f"/api/v1/admin/clients/{made['client_id']}/secret"
    assert client.post(path, headers=office.headers).json["code"] == "client_has_no_secret"


@pytest.mark.parametrize(
    "uri",
    [
        "http://hospital.example/cb",
        "https://hospital.example/cb#part",
        "https://user@hospital.example/cb",
        "https://*.hospital.example/cb",
        "https://hospital/cb",
        "https://hospital.example:99999/cb",
        "https://hospital.example\\@evil.example/cb",
        "https://ｈospital.example/cb",
        "javascript:alert(1)",
        "//hospital.example/cb",
        "http://127.0.0.1/cb",
        "https://hospital.example/c b",
        "ftp://hospital.example/cb",
        "com.example.app:/cb",
    ],
)
def test_addresses_that_could_lead_elsewhere_are_not_registered(office, uri):
    answer = office.register(redirect_uris=[CALLBACK, uri])
    assert (answer.status_code, answer.json["code"]) == (422, "address_not_allowed")
    assert answer.json["errors"][0]["pointer"] == "/redirect_uris/1"


def test_only_native_apps_listen_on_the_loopback():
    assert is_acceptable("http://127.0.0.1/cb", client_type="native")
    assert is_acceptable("http://[::1]:8000/cb", client_type="native")
    assert not is_acceptable("http://localhost/cb", client_type="native")
    assert not is_acceptable("http://10.0.0.1/cb", client_type="native")
    assert not is_acceptable("http://127.0.0.1/cb", client_type="h5")


def test_addresses_on_two_hosts_need_a_sector(office):
    two = [CALLBACK, "https://clinic.example/cb"]
    assert sector_of(two) is None
    assert office.register(redirect_uris=two).json["code"] == "sector_needed"
    assert office.register(redirect_uris=two, sector="health.example").status_code == 201
    assert office.register(sector="not a host").json["code"] == "sector_needed"
    loopback = office.register(type="native", redirect_uris=["http://127.0.0.1/cb"])
    assert loopback.json["code"] == "sector_needed"


def test_changes_are_versioned_and_checked_like_new_clients(office, client):
    made = office.register().json
    changed = office.change(made["client_id"], scopes=["openid"], status="suspended")
    assert (changed.json["version"], changed.json["status"]) == (2, "suspended")
    assert office.change(made["client_id"], scopes=["phone"]).json["code"] == "scope_unknown"
    wrong = office.change(made["client_id"], redirect_uris=["http://x.example/"])
    assert wrong.json["code"] == "address_not_allowed"
    assert office.change(made["client_id"], redirect_uris=[]).status_code == 422
    stale = client.patch(
        f"/api/v1/admin/clients/{made['client_id']}",
        json={"status": "active"},
        headers={**office.headers, "If-Match": '"v1"'},
    )
    assert stale.status_code == 412


def test_a_scope_that_is_taken_away_is_gone_from_tokens_already_given(office, flow, site, citizen):
    token = flow.tokens(site, citizen)["access_token"]
    office.change(site.id, scopes=["openid"])
    assert set(flow.userinfo(token).json) == {"sub"}


def test_a_client_that_is_let_in_again_begins_anew(office, flow, site, system, citizen):
    """Suspended for a leak, and active again: what leaked stays worthless."""
    client = flow.client
    told = flow.tokens(site, citizen)
    code, machine = flow.code(site, citizen), flow.system(system).json["access_token"]
    for one in (site, system):
        office.change(one.id, status="suspended")
        assert office.change(one.id, status="active").json["status"] == "active"
    assert flow.userinfo(told["access_token"]).status_code == 401
    assert flow.refresh(site, told["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.exchange(site, code).json["error"] == "invalid_grant"
    path = "/api/v1/masks/staff/bookings"
    assert client.get(path, headers={"Authorization": f"Bearer {machine}"}).status_code == 401
    assert flow.userinfo(flow.tokens(site, citizen)["access_token"]).status_code == 200
    assert client.get(path, headers=bearer(flow.system(system))).status_code == 200


def test_no_code_goes_to_an_address_that_was_taken_from_the_client(office, flow, site, citizen):
    """A subdomain fell into strange hands; requests that name it are under way."""
    request_id = flow.request_id(site)
    assert flow.shown(citizen, request_id).status_code == 200
    office.change(site.id, redirect_uris=["https://hospital.example/elsewhere"])
    for granted in (True, False):
        answer = flow.decide(citizen, request_id, granted=granted)
        assert (answer.status_code, answer.json["code"]) == (409, "authorization_request_over")
    assert flow.ask(site).status_code == 400


def test_clients_are_not_touched_from_a_desk_that_was_left_alone(office, client, site):
    change("UPDATE accounts.sign_in SET proved_at = proved_at - interval '6 minutes'")
    secret = client.post(f"/api/v1/admin/clients/{site.id}/secret", headers=office.headers)
    moved = office.change(site.id, redirect_uris=["https://hospital.example/elsewhere"])
    for answer in (secret, moved, office.register()):
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    listed = client.get("/api/v1/admin/clients", headers=office.headers)
    assert listed.status_code == 200


def test_two_organisations_on_one_host_cannot_compare_citizens(flow, site, citizen):
    neighbour = partners.register(people.pharmacy())
    told = [flow.tokens(one, citizen) for one in (site, neighbour)]
    seen = [flow.userinfo(one["access_token"]).json["sub"] for one in told]
    assert seen[0] != seen[1]
    inside = [jwt.decode(one["id_token"], options={"verify_signature": False}) for one in told]
    assert [claims["sub"] for claims in inside] == seen


def test_a_subject_is_stable_and_differs_by_sector(flow, hospital, citizen):
    def seen(sector):
        site = partners.register(hospital, sector=sector)
        return flow.userinfo(flow.tokens(site, citizen)["access_token"]).json["sub"]

    first, same, other = seen("a.example"), seen("a.example"), seen("b.example")
    assert first == same != other
    assert str(citizen.account_id) not in first
    neighbour = people.citizen()
    site = partners.register(hospital, sector="a.example")
    theirs = flow.userinfo(flow.tokens(site, neighbour)["access_token"]).json["sub"]
    assert theirs != first


def test_a_person_keeps_the_subject_with_another_telephone(flow, site):
    number = people.document()
    before = people.citizen(number=number)
    first = flow.userinfo(flow.tokens(site, before)["access_token"]).json["sub"]
    change("UPDATE accounts.account SET status = 'closed' WHERE id = :id", id=before.account_id)
    after = people.citizen(number=number)
    assert after.account_id != before.account_id
    assert flow.userinfo(flow.tokens(site, after)["access_token"]).json["sub"] == first


def test_levels_are_read_in_either_spelling():
    assert level_of(["L2"]) == level_of(["urn:citizen-cloud:acr:L2"]) == 2
    assert level_of(["L3", "L2"]) == 2
    assert level_of(["L4", "0"]) == level_of([]) == 1


# Systems


@pytest.mark.parametrize(
    "scope",
    [
        "portal.modules.manage",
        "organisations.manage",
        "organisations.staff.manage",
        "oidc.clients.manage",
        "audit.read",
        "masks.nonsense",
        "openid",
    ],
)
def test_no_system_gets_what_only_the_platforms_people_may(office, scope):
    answer = office.register(type="service", scopes=[scope], redirect_uris=[])
    assert (answer.status_code, answer.json["code"]) == (422, "scope_unknown")


def test_no_room_is_forgotten_among_those_whose_permissions_no_system_gets():
    assert set(CONTRIBUTIONS) <= PLATFORM
    assert delegable({f"{room}.anything": frozenset({"staff"}) for room in CONTRIBUTIONS}) == set()


def test_a_system_has_no_addresses(office):
    answer = office.register(type="service", scopes=["masks.redeem"])
    assert answer.json["code"] == "address_not_allowed"


@pytest.fixture
def system(app, hospital):
    names = ("masks.redeem", "masks.stock.manage")
    return partners.register(hospital, kind="service", scopes=names, permissions=names)


def bearer(answer):
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def test_a_system_acts_at_its_own_organisation_only(flow, client, system, hospital):
    headers = bearer(flow.system(system))
    other = people.pharmacy()
    mine, theirs = (
        people.offer(organisation_id=place, campaign_id=people.campaign())
        for place in (hospital, other)
    )
    body = {"capacity": 11}
    path = "/api/v1/masks/staff/offers/{}"
    changed = client.patch(path.format(mine), json=body, headers=headers)
    refused = client.patch(path.format(theirs), json=body, headers=headers)
    absent = client.patch(
        path.format("00000000-0000-7000-8000-000000000000"), json=body, headers=headers
    )
    assert changed.status_code == 200, changed.text
    assert refused.status_code == absent.status_code == 404
    assert refused.json["code"] == absent.json["code"]


def test_every_permission_holds_at_the_systems_organisation_alone(app, flow, hospital):
    """The matrix: each permission a system may hold, asked for and not, here and elsewhere."""
    ports: Ports = app.extensions["citizen_cloud.ports"]
    names = sorted(delegable(roles_by_permission(app.extensions[HOST].permissions)))
    assert set(names) >= {"masks.redeem", "masks.stock.manage"}
    other = people.pharmacy()
    for name in names:
        system = partners.register(hospital, kind="service", scopes=(name,), permissions=(name,))
        caller = ports.authenticate(flow.system(system).json["access_token"])
        for asked in ports.roles:
            grant = ports.granted(caller, asked)
            assert grant.covers(hospital) is (asked == name), (name, asked)
            assert not grant.covers(other)
            assert not grant.everywhere


def test_a_system_passes_only_doors_that_ask_for_a_permission(stack_of_doors, flow, system):
    headers = bearer(flow.system(system))
    statuses = stack_of_doors(headers)
    assert len(statuses) > 30
    wrong = [
        f"{name}: {status}"
        for name, (access, status) in statuses.items()
        if access["access"] == "signed_in" and status != 403
    ]
    assert wrong == []
    passed = {
        access["permission"]
        for access, status in statuses.values()
        if access["access"] == "permission" and status not in (401, 403)
    }
    assert passed <= {"masks.redeem", "masks.stock.manage"}
    assert passed


@pytest.fixture
def stack_of_doors(app, client):
    """Return a function that knocks at every documented door that is not public."""
    from contract_world import ABSENT, operations

    from citizen_cloud.portal.doors import document

    def knock(headers):
        found = {}
        for operation in operations(document(app)):
            access = operation["x-authz"]
            if access["access"] == "public":
                continue
            names = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            places = {**dict.fromkeys(names, ABSENT), "name": "masks"}
            path = operation["path"].format_map(places)
            answer = client.open(path, method=operation["method"].upper(), headers=headers)
            found[operation["operationId"]] = (access, answer.status_code)
        return found

    return knock


def test_a_system_may_ask_for_less_than_it_has_and_for_nothing_else(flow, client, system, hospital):
    site_offer = people.offer(organisation_id=hospital, campaign_id=people.campaign())
    less = flow.system(system, scope="masks.redeem")
    assert less.json["scope"] == "masks.redeem"
    path = f"/api/v1/masks/staff/offers/{site_offer}"
    refused = client.patch(path, json={"capacity": 3}, headers=bearer(less))
    assert refused.status_code == 403
    more = flow.system(system, scope="masks.redeem audit.read")
    assert more.json["error"] == "invalid_scope"


def test_systems_and_partners_keep_to_their_grants(flow, system, site, citizen):
    assert flow.system(site).json["error"] == "unauthorized_client"
    assert flow.ask(system, redirect_uri=CALLBACK).status_code == 400
    refresh = flow.refresh(system, "x")
    assert refresh.json["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE oidc.client SET status = 'suspended' WHERE type = 'service'",
        "UPDATE organisations.organisation SET status = 'paused'",
        "UPDATE organisations.organisation SET status = 'closed'",
        "UPDATE accounts.account SET status = 'suspended' WHERE kind = 'service'",
        "UPDATE oidc.token SET expires_at = statement_timestamp()",
        "DELETE FROM oidc.token",
    ],
)
def test_a_suspended_system_is_refused_at_once(flow, client, system, sql):
    headers = bearer(flow.system(system))
    path = "/api/v1/masks/staff/bookings"
    assert client.get(path, headers=headers).status_code == 200
    change(sql)
    assert client.get(path, headers=headers).status_code == 401
    if "token" not in sql:
        assert flow.system(system).json["error"] == "invalid_client"


def test_a_scope_that_is_taken_away_closes_the_door(office, flow, client, system):
    headers = bearer(flow.system(system))
    change("UPDATE oidc.client SET scopes = '{masks.stock.manage}' WHERE id = :id", id=system.id)
    assert client.get("/api/v1/masks/staff/bookings", headers=headers).status_code == 403


def test_a_system_costs_one_statement_a_request(flow, app, system, database):
    token = flow.system(system).json["access_token"]
    seen = []
    engine = database.connection.engine
    listen = ("before_cursor_execute", lambda *facts: seen.append(facts[2]))
    event.listen(engine, *listen)
    try:
        ports = app.extensions["citizen_cloud.ports"]
        caller = ports.authenticate(token)
        ports.granted(caller, "masks.redeem")
    finally:
        event.remove(engine, *listen)
    assert len([sql for sql in seen if "SAVEPOINT" not in sql]) == 1
    assert caller.kind == "service"


def test_a_systems_deeds_bear_its_name(flow, client, system, hospital, session):
    from sqlalchemy import text

    headers = bearer(flow.system(system))
    offer = people.offer(organisation_id=hospital, campaign_id=people.campaign())
    body = {"capacity": 12}
    changed = client.patch(f"/api/v1/masks/staff/offers/{offer}", json=body, headers=headers)
    assert changed.status_code == 200
    account_id = session.scalar(
        text("SELECT account_id FROM oidc.client WHERE id = :id"), {"id": system.id}
    )
    kinds = session.scalars(
        text("SELECT actor_kind FROM audit.entry WHERE actor_id = :id"), {"id": account_id}
    ).all()
    assert kinds
    assert set(kinds) == {"service"}


def test_a_citizen_reads_the_name_of_the_system_that_looked(office, flow, client, system, hospital):
    citizen = people.citizen()
    offer = people.offer(organisation_id=hospital, campaign_id=people.campaign())
    people.booking(citizen, offer)

    def seen():
        path = f"/api/v1/masks/staff/bookings?date={people.today() + timedelta(days=1)}"
        assert client.get(path, headers=bearer(flow.system(system))).status_code == 200
        looks = client.get("/api/v1/me/data-access", headers=citizen.headers).json["items"]
        return looks[0]["reader"]

    assert (seen()["kind"], seen()["name"]) == ("service", "海天医院")
    office.change(system.id, name={"zh": "海天药房系统", "en": "Haitian's system"})
    assert seen()["name"] == "海天药房系统"


def test_nobody_signs_in_as_a_system(session, system):
    from sqlalchemy import text

    row = session.execute(
        text(
            "SELECT a.username, a.password_hash, a.phone_index FROM accounts.account a "
            "JOIN oidc.client c ON c.account_id = a.id WHERE c.id = :id"
        ),
        {"id": system.id},
    ).one()
    assert tuple(row) == (None, None, None)
