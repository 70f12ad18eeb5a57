"""Campaigns, batches of offers, and what an outlet decides for itself."""

from datetime import timedelta

import callers
import masks_world as world
import pytest
from masks_world import API
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.modules.masks.services.slots import align
from citizen_cloud.organisations.services import Actor, change_organisation


@pytest.fixture
def admin(app):
    return world.admin()


def campaign_body(**changes):
    today = world.today()
    return {
        "title": {"zh": "成人口罩", "en": "Masks"},
        "product_class": "adult",
        "profile": "TW-1",
        "starts_on": str(today),
        "ends_on": str(today + timedelta(days=13)),
        "opens_at": f"{today - timedelta(days=1)}T08:00:00+08:00",
        "closes_at": f"{today + timedelta(days=13)}T18:00:00+08:00",
        **changes,
    }


def create(client, who, **changes):
    return client.post(f"{API}/admin/campaigns", json=campaign_body(**changes), headers=who.headers)


def publish(client, who, campaign, *items):
    return client.post(
        f"{API}/admin/campaigns/{campaign}/offers",
        json={"items": list(items)},
        headers=who.headers,
    )


def item(outlet, *, days=1, **more):
    day = str(world.today() + timedelta(days=days))
    return {
        "organisation_id": str(outlet),
        "window_on": day,
        "half": "am",
        "capacity": 100,
        **more,
    }


def test_an_admin_opens_pauses_and_closes_a_campaign(client, admin):
    made = create(client, admin)
    assert made.status_code == 201, made.json
    assert (made.json["status"], made.json["version"]) == ("draft", 1)
    path = f"{API}/admin/campaigns/{made.json['id']}"
    offer_id = publish(client, admin, made.json["id"], item(world.outlet())).json["items"][0][
        "offer_id"
    ]
    assert world.slot(offer_id)["status"] == "closed"
    expected = (("open", 200, "open"), ("paused", 200, "closed"), ("open", 200, "open"))
    for status, code, slot in (*expected, ("closed", 200, "closed"), ("open", 409, "closed")):
        answer = client.patch(path, json={"status": status}, headers=admin.headers)
        assert answer.status_code == code, answer.json
        assert world.slot(offer_id)["status"] == slot
    assert answer.json["code"] == "campaign_closed"
    late = publish(client, admin, made.json["id"], item(world.outlet()))
    assert (late.status_code, late.json["code"]) == (409, "campaign_closed")


def test_a_change_with_an_old_tag_is_refused_and_the_same_change_twice_is_one(client, admin):
    made = create(client, admin)
    path = f"{API}/admin/campaigns/{made.json['id']}"
    opened = client.patch(
        path, json={"status": "open"}, headers={**admin.headers, "If-Match": '"v1"'}
    )
    assert (opened.status_code, opened.headers["ETag"]) == (200, '"v2"')
    again = client.patch(path, json={"status": "open"}, headers=admin.headers)
    assert (again.status_code, again.json["version"]) == (200, 2)
    stale = client.patch(
        path, json={"status": "paused"}, headers={**admin.headers, "If-Match": '"v1"'}
    )
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"ends_on": "2020-01-01"}, "/ends_on"),
        ({"closes_at": "2020-01-01T00:00:00+08:00"}, "/closes_at"),
        ({"opens_at": "2026-01-01T00:00:00"}, "/opens_at"),
        ({"profile": "TW-9"}, "/profile"),
        ({"mode": "draw"}, "/mode"),
        ({"conditions": {"districts": ["x"]}}, "/conditions/districts/0"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(client, admin, changes, pointer):
    refused = create(client, admin, **changes)
    assert refused.status_code == 422
    assert pointer in [error["pointer"] for error in refused.json["errors"]]


def test_two_rationings_of_one_class_never_share_a_day(client, admin):
    first = create(client, admin)
    clash = create(client, admin, profile="TW-2")
    assert (clash.status_code, clash.json["code"]) == (409, "rationing_conflict")
    assert clash.json["campaign_id"] == first.json["id"]
    assert create(client, admin).status_code == 201
    assert create(client, admin, profile="TW-2", product_class="child").status_code == 201


def test_a_closed_campaign_rations_the_days_on_which_its_shares_are_still_collected(
    client, admin, app
):
    """Else closing one and opening another would give everybody who booked a second share."""
    campaign = world.campaign(profile="TW-1")
    me = world.citizen()
    made = world.book(client, me, world.offer(campaign, world.outlet()), 2)
    assert made.status_code == 201
    closed = client.patch(
        f"{API}/admin/campaigns/{campaign}", json={"status": "closed"}, headers=admin.headers
    )
    assert closed.status_code == 200
    days = {"starts_on": str(world.today()), "ends_on": str(world.today() + timedelta(days=3))}
    clash = create(client, admin, profile="KR", **days)
    assert (clash.status_code, clash.json["code"]) == (409, "rationing_conflict")
    assert clash.json["campaign_id"] == str(campaign)
    path = f"/api/v1/bookings/{made.json['id']}/cancel"
    assert client.post(path, headers=me.headers).status_code == 200
    assert create(client, admin, profile="KR", **days).status_code == 201


def test_creating_with_the_same_key_makes_one(client, admin):
    headers = {**admin.headers, "Idempotency-Key": "c-1"}
    ids = {
        client.post(f"{API}/admin/campaigns", json=campaign_body(), headers=headers).json["id"]
        for _ in range(2)
    }
    assert len(ids) == 1


def test_drafts_are_listed_for_admins_and_auditors_only(client, admin):
    made = create(client, admin).json["id"]
    public = client.get(f"{API}/campaigns").json["items"]
    assert made not in [one["id"] for one in public]
    for who in (admin, callers.staff("auditor")):
        listed = client.get(f"{API}/admin/campaigns", headers=who.headers).json["items"]
        assert made in [one["id"] for one in listed]
    clerk = world.clerk(world.outlet())
    assert client.get(f"{API}/admin/campaigns", headers=clerk.headers).status_code == 403
    assert create(client, clerk).status_code == 403
    assert create(client, callers.staff("auditor")).status_code == 403


def test_the_same_batch_changes_nothing(client, admin):
    campaign, outlets = world.campaign(), [world.outlet() for _ in range(3)]
    batch = [item(outlet) for outlet in outlets]
    batch.append(item(outlets[0], half="pm", **{"from": "22:00", "until": "02:00"}))
    first = publish(client, admin, campaign, *batch)
    assert (first.status_code, first.json["created"]) == (200, 4)
    again = publish(client, admin, campaign, *batch)
    assert (again.json["created"], again.json["unchanged"]) == (0, 4)
    assert [one["offer_id"] for one in again.json["items"]] == [
        one["offer_id"] for one in first.json["items"]
    ]
    night = world.slot(first.json["items"][3]["offer_id"])
    assert night["ends_at"] - night["starts_at"] == timedelta(hours=4)


def test_a_batch_that_clashes_is_refused_whole_with_its_pairs(client, admin):
    campaign, outlet = world.campaign(), world.outlet()
    standing = publish(client, admin, campaign, item(outlet)).json["items"][0]["offer_id"]
    other = world.outlet()
    refused = publish(
        client,
        admin,
        campaign,
        item(outlet, capacity=50),
        item(other, **{"from": "08:00", "until": "14:00"}),
        item(other, half="pm"),
        item(world.outlet()),
    )
    assert (refused.status_code, refused.json["code"]) == (409, "offers_conflict")
    assert refused.json["conflict_count"] == 2
    assert {"item": 0, "with_offer": standing} in refused.json["conflicts"]
    assert {"item": 1, "with_item": 2} in refused.json["conflicts"]
    assert world.value("SELECT count(*) FROM masks.offer WHERE campaign_id = :c", c=campaign) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"organisation_id": "00000000-0000-7000-8000-000000000000"}, "/items/1/organisation_id"),
        ({"window_on": "2020-01-01"}, "/items/1/window_on"),
        ({"window_on": "2099-01-01"}, "/items/1/window_on"),
        ({"from": "08:00", "until": "08:00"}, "/items/1/until"),
        ({"capacity": -1}, "/items/1/capacity"),
        ({"half": "noon"}, "/items/1/half"),
    ],
)
def test_a_wrong_item_is_pointed_at_and_nothing_is_published(client, admin, change, pointer):
    campaign = world.campaign()
    refused = publish(
        client, admin, campaign, item(world.outlet()), {**item(world.outlet()), **change}
    )
    assert refused.status_code == 422, refused.json
    assert pointer in [error["pointer"] for error in refused.json["errors"]]
    assert world.value("SELECT count(*) FROM masks.offer WHERE campaign_id = :c", c=campaign) == 0


def test_an_empty_batch_and_one_of_1001_are_refused(client, admin):
    campaign, outlet = world.campaign(), world.outlet()
    assert publish(client, admin, campaign).status_code == 422
    assert publish(client, admin, campaign, *[item(outlet)] * 1001).status_code == 422


def test_an_outlet_counts_its_stock_but_never_below_what_is_reserved(client, app):
    outlet = world.outlet()
    offer_id, clerk = world.offer(world.campaign(), outlet, capacity=10), world.clerk(outlet)
    assert world.book(client, world.citizen(), offer_id, 2).status_code == 201
    path = f"{API}/staff/offers/{offer_id}"
    changed = client.patch(path, json={"capacity": 5}, headers=clerk.headers)
    assert changed.status_code == 200, changed.json
    assert (changed.json["capacity"], changed.json["reserved"], changed.json["remaining"]) == (
        5,
        2,
        3,
    )
    below = client.patch(path, json={"capacity": 1}, headers=clerk.headers)
    assert (below.status_code, below.json["code"], below.json["taken"]) == (
        409,
        "below_reserved",
        2,
    )
    assert world.slot(offer_id)["capacity"] == 5
    assert client.patch(path, json={}, headers=clerk.headers).status_code == 422


def test_another_outlets_offer_looks_like_none(client, app):
    offer_id = world.offer(world.campaign(), world.outlet())
    stranger = world.clerk(world.outlet("别家药店"))
    path = f"{API}/staff/offers/"
    theirs = client.patch(f"{path}{offer_id}", json={"capacity": 1}, headers=stranger.headers)
    absent = client.patch(
        f"{path}00000000-0000-7000-8000-000000000000",
        json={"capacity": 1},
        headers=stranger.headers,
    )
    assert theirs.status_code == absent.status_code == 404
    assert client.get(f"{API}/staff/offers", headers=stranger.headers).json["items"] == []
    outlet = world.outlet()
    refused = client.patch(
        f"{API}/staff/outlets/{outlet}", json={"status": "paused"}, headers=stranger.headers
    )
    assert refused.status_code == 404


def test_own_offers_are_listed_with_counts(client, app):
    outlet, campaign = world.outlet(), world.campaign()
    first = world.offer(campaign, outlet)
    second = world.offer(campaign, outlet, days_ahead=2)
    clerk = world.clerk(outlet)
    listed = client.get(f"{API}/staff/offers?limit=1", headers=clerk.headers).json
    assert [one["id"] for one in listed["items"]] == [str(second)]
    rest = client.get(
        f"{API}/staff/offers", query_string={"cursor": listed["next_cursor"]}, headers=clerk.headers
    )
    assert [one["id"] for one in rest.json["items"]] == [str(first)]
    day = str(world.today() + timedelta(days=2))
    dated = client.get(f"{API}/staff/offers?date={day}", headers=clerk.headers).json["items"]
    assert [one["id"] for one in dated] == [str(second)]


def test_a_slot_is_open_only_while_campaign_outlet_and_offer_are(client, admin):
    """Every combination of the three switches, each flipped through its own door."""
    campaign, outlet = world.campaign(), world.outlet()
    offer_id, clerk = world.offer(campaign, outlet), world.clerk(outlet)
    doors = {
        "campaign": (f"{API}/admin/campaigns/{campaign}", admin, "open"),
        "outlet": (f"{API}/staff/outlets/{outlet}", clerk, "active"),
        "offer": (f"{API}/staff/offers/{offer_id}", clerk, "open"),
    }
    on = dict.fromkeys(doors, True)
    for name in ("campaign", "outlet", "offer", "outlet", "campaign", "outlet", "offer", "outlet"):
        on[name] = not on[name]
        path, who, word = doors[name]
        status = word if on[name] else "paused"
        answer = client.patch(path, json={"status": status}, headers=who.headers)
        assert answer.status_code == 200, answer.json
        assert world.slot(offer_id)["status"] == ("open" if all(on.values()) else "closed"), on


def test_a_closed_outlet_cannot_open_itself(client, app):
    outlet = world.outlet(status="closed")
    clerk = world.clerk(outlet)
    refused = client.patch(
        f"{API}/staff/outlets/{outlet}", json={"status": "active"}, headers=clerk.headers
    )
    assert (refused.status_code, refused.json["code"]) == (409, "outlet_closed")


def test_what_is_booked_can_be_collected_although_the_outlet_paused(client, app):
    outlet, me = world.outlet(), world.citizen()
    offer_id, clerk = world.offer(world.campaign(), outlet), world.clerk(outlet)
    made = world.book(client, me, offer_id)
    path = f"{API}/staff/outlets/{outlet}"
    assert client.patch(path, json={"status": "paused"}, headers=clerk.headers).status_code == 200
    assert world.book(client, world.citizen(), offer_id).json["code"] == "closed"
    world.move_window(offer_id)
    code = client.get(made.headers["Location"] + "/code", headers=me.headers).json["code"]
    done = client.post(f"{API}/staff/redemptions", json={"code": code}, headers=clerk.headers)
    assert done.status_code == 200, done.json


def test_aligning_nothing_touches_nothing(session):
    assert align(session, "campaign", [], actor=world.SYSTEM) == 0


def test_an_empty_selection_of_offers_is_everybodys_or_nobodys_never_all(client, app):
    """A clerk without an outlet must not see all outlets' offers (an empty filter is no filter)."""
    world.offer(world.campaign(), world.outlet())
    with db.transaction() as session:
        from citizen_cloud.modules.masks.queries.stock import outlet_offers

        found = outlet_offers(
            session.connection(), organisation_ids=[], on=None, after=None, limit=10
        )
    assert found == []


def test_every_decision_is_audited(client, admin):
    campaign = create(client, admin, status="open").json["id"]
    outlet = world.outlet()
    clerk = world.clerk(outlet)
    offer_id = publish(client, admin, campaign, item(outlet)).json["items"][0]["offer_id"]
    client.patch(f"{API}/staff/offers/{offer_id}", json={"status": "paused"}, headers=clerk.headers)
    client.patch(f"{API}/staff/offers/{offer_id}", json={"capacity": 7}, headers=clerk.headers)
    with db.transaction() as session:
        rows = session.execute(
            text("SELECT action, actor_id FROM audit.entry WHERE actor_id = ANY(:ids)"),
            {"ids": [admin.account_id, clerk.account_id]},
        ).all()
    assert {
        "masks.campaign_created",
        "masks.offers_published",
        "masks.offer_paused",
        "slot.resized",
    } <= {row.action for row in rows}


def test_organisations_own_verb_is_what_pauses(client, app):
    """The module writes no organisation itself: version and audit are the owner's."""
    outlet = world.outlet()
    with db.transaction() as session:
        before = change_organisation(
            session,
            organisation_id=outlet,
            changes={},
            expected_version=None,
            actor=Actor("system", None),
        ).version
    clerk = world.clerk(outlet)
    client.patch(f"{API}/staff/outlets/{outlet}", json={"status": "paused"}, headers=clerk.headers)
    sql = "SELECT version FROM organisations.organisation WHERE id = :id"
    assert world.value(sql, id=outlet) == before + 1
