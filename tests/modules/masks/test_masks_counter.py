"""Handing over, once and only once; taking back; the day's list."""

from dataclasses import replace
from datetime import datetime, timedelta

import callers
import masks_world as world
import pytest
from masks_world import API
from sqlalchemy.exc import IntegrityError

from citizen_cloud import db
from citizen_cloud.booking.refusals import AlreadyRedeemed
from citizen_cloud.booking.services import Actor
from citizen_cloud.modules.masks.services import redemptions
from citizen_cloud.modules.masks.services.redemptions import Presented
from citizen_cloud.web.caller import Grant

NAMES = ("王小明", "李大海", "阿依古丽·买买提", "John Smith")


@pytest.fixture
def outlet(app):
    return world.outlet()


@pytest.fixture
def ready(client, outlet):
    """A booking whose window is now, its code, its holder."""
    me = world.citizen()
    offer_id = world.offer(world.campaign(), outlet)
    made = world.book(client, me, offer_id, 2)
    world.move_window(offer_id)
    code = client.get(made.headers["Location"] + "/code", headers=me.headers).json["code"]
    return {"me": me, "offer": offer_id, "code": code, **made.json}


def redeem(client, clerk, **presented):
    return client.post(f"{API}/staff/redemptions", json=presented, headers=clerk.headers)


def test_a_code_is_good_once_and_the_second_clerk_hears_when(client, outlet, ready):
    first, second = world.clerk(outlet), world.clerk(outlet)
    done = redeem(client, first, code=ready["code"])
    assert done.status_code == 200, done.json
    assert (done.json["quantity"], done.json["person_name"]) == (2, "王*明")
    assert done.json["product"] == {"zh": "成人口罩", "en": "Masks for adults"}
    again = redeem(client, second, code=ready["code"])
    assert (again.status_code, again.json["code"]) == (409, "already_redeemed")
    assert again.json["redeemed_at"].endswith("+08:00")
    told = datetime.fromisoformat(again.json["redeemed_at"])
    assert abs(told - datetime.fromisoformat(done.json["redeemed_at"])) < timedelta(seconds=1)
    count = world.value(
        "SELECT count(*) FROM masks.redemption WHERE booking_id = :b", b=ready["id"]
    )
    assert count == 1


def test_without_a_phone_reference_and_document_serve_together(client, outlet, ready):
    clerk = world.clerk(outlet)
    wrong = redeem(client, clerk, reference=ready["reference"], document_number=world.document())
    absent = redeem(
        client, clerk, reference="ZZZZZZZZ", document_number=ready["me"].document_number
    )
    assert wrong.status_code == absent.status_code == 404
    assert wrong.json["detail"] == absent.json["detail"]
    done = redeem(
        client,
        clerk,
        reference=ready["reference"].lower(),
        document_number=ready["me"].document_number,
    )
    assert done.status_code == 200, done.json


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reference": "ABCDEFGH"},
        {"document_number": "1"},
        {"code": "x", "reference": "ABCDEFGH", "document_number": "1"},
        {"reference": "ABC%EFGH", "document_number": "1"},
        {"code": ""},
    ],
)
def test_the_counter_takes_a_code_or_the_pair(client, outlet, body):
    assert redeem(client, world.clerk(outlet), **body).status_code == 422


def test_another_outlets_clerk_is_told_so_and_nothing_happens(client, outlet, ready):
    stranger = world.clerk(world.outlet("别家药店"))
    refused = redeem(client, stranger, code=ready["code"])
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_outlet")
    assert (
        world.value("SELECT status FROM booking.booking WHERE id = :b", b=ready["id"]) == "booked"
    )


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (timedelta(minutes=5), timedelta(hours=1)),
        (timedelta(hours=-2), timedelta(minutes=-1)),
    ],
)
def test_only_inside_the_window(client, outlet, ready, begins, ends):
    world.move_window(ready["offer"], begins=begins, ends=ends)
    refused = redeem(
        client,
        world.clerk(outlet),
        reference=ready["reference"],
        document_number=ready["me"].document_number,
    )
    assert (refused.status_code, refused.json["code"]) == (409, "outside_window")
    assert {"starts_at", "ends_at"} <= refused.json.keys()


def test_a_cancelled_booking_gives_nothing(client, outlet, ready):
    world.move_window(ready["offer"], begins=timedelta(hours=1), ends=timedelta(hours=2))
    path = f"/api/v1/bookings/{ready['id']}/cancel"
    assert client.post(path, json={}, headers=ready["me"].headers).status_code == 200
    world.move_window(ready["offer"])
    clerk = world.clerk(outlet)
    by_code = redeem(client, clerk, code=ready["code"])
    assert (by_code.status_code, by_code.json["code"]) == (409, "credential_revoked")
    by_pair = redeem(
        client,
        clerk,
        reference=ready["reference"],
        document_number=ready["me"].document_number,
    )
    assert (by_pair.status_code, by_pair.json["code"]) == (409, "state_conflict")


def test_after_the_window_began_a_booking_cannot_be_cancelled(client, ready):
    path = f"/api/v1/bookings/{ready['id']}"
    refused = client.post(f"{path}/cancel", json={}, headers=ready["me"].headers)
    assert (refused.status_code, refused.json["code"]) == (409, "cancel_too_late")
    assert client.get(path, headers=ready["me"].headers).json["actions"] == ["show"]


@pytest.mark.parametrize("code", ["garbage", "CC1:", "CC1:" + "A" * 200, "健康码"])
def test_what_is_no_code_is_refused_in_words(client, outlet, code):
    refused = redeem(client, world.clerk(outlet), code=code)
    assert refused.status_code == 422
    assert refused.json["code"].startswith("credential_")


def test_a_citizen_cannot_redeem(client, ready):
    assert redeem(client, ready["me"], code=ready["code"]).status_code == 403


def test_a_hand_over_can_be_taken_back_for_five_minutes(client, outlet, ready):
    clerk = world.clerk(outlet)
    done = redeem(client, clerk, code=ready["code"]).json
    stranger = world.clerk(world.outlet("别家药店"))
    path = f"{API}/staff/redemptions/{done['id']}/undo"
    assert client.post(path, headers=stranger.headers).status_code == 404
    for _ in range(2):
        undone = client.post(path, headers=clerk.headers)
        assert (undone.status_code, undone.json["booking_id"]) == (200, ready["id"])
    again = redeem(client, clerk, code=ready["code"])
    assert again.status_code == 200, again.json
    world.value(
        "UPDATE masks.redemption SET redeemed_at = redeemed_at - interval '5 min' "
        "WHERE id = :id RETURNING 1",
        id=again.json["id"],
    )
    late = client.post(f"{API}/staff/redemptions/{again.json['id']}/undo", headers=clerk.headers)
    assert (late.status_code, late.json["code"]) == (409, "undo_too_late")


def test_the_same_key_repeats_the_answer_of_a_hand_over(client, outlet, ready):
    clerk = world.clerk(outlet)
    headers = {**clerk.headers, "Idempotency-Key": "scan-1"}
    body = {"code": ready["code"]}
    first = client.post(f"{API}/staff/redemptions", json=body, headers=headers)
    again = client.post(f"{API}/staff/redemptions", json=body, headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.json == again.json


def test_the_table_itself_refuses_a_second_live_hand_over(client, outlet, ready):
    clerk = world.clerk(outlet)
    assert redeem(client, clerk, code=ready["code"]).status_code == 200
    values = {"b": ready["id"], "o": outlet, "a": clerk.account_id}
    sql = (
        "INSERT INTO masks.redemption (booking_id, organisation_id, method, redeemed_by, redeemed_at)"
        " VALUES (:b, :o, 'code', :a, now()) RETURNING 1"
    )
    with pytest.raises(IntegrityError, match="uq_redemption_live"):
        world.value(sql, **values)


def test_control_without_the_kernels_guard_the_second_clerk_is_stopped_by_the_index(
    client, outlet, ready, monkeypatch
):
    """Switch the state check off and the index must fire: then the test above proves something."""
    clerk = world.clerk(outlet)
    presented = Presented(reference=ready["reference"], document_number=ready["me"].document_number)
    grant = Grant(organisation_ids=frozenset({outlet}))
    monkeypatch.setattr(redemptions.kernel, "check_in", lambda *_, **__: None)
    actor = Actor(kind="staff", id=clerk.account_id)

    def hand_over():
        with db.transaction() as session:
            return redemptions.redeem(session, presented=presented, grant=grant, actor=actor)

    assert hand_over().collection.quantity == 2
    with pytest.raises(AlreadyRedeemed):
        hand_over()
    collection = redemptions.queries.collection

    def unredeemed(session, **facts):
        return replace(collection(session, **facts), redeemed_at=None)

    monkeypatch.setattr(redemptions.queries, "collection", unredeemed)
    with pytest.raises(IntegrityError, match="uq_redemption_live"):
        hand_over()


def test_the_days_list_shows_own_outlets_only_and_finds_by_reference_and_name(client, outlet, app):
    campaign = world.campaign(profile="TW-2")
    offer_id = world.offer(campaign, outlet)
    people = {name: world.citizen(name=name) for name in NAMES}
    made = {name: world.book(client, who, offer_id).json for name, who in people.items()}
    elsewhere = world.outlet("别家药店")
    world.book(client, world.citizen(name="王小明"), world.offer(campaign, elsewhere))
    clerk, day = world.clerk(outlet), str(world.today() + timedelta(days=1))

    def listed(**query):
        answer = client.get(
            f"{API}/staff/bookings", query_string={"date": day, **query}, headers=clerk.headers
        )
        assert answer.status_code == 200, answer.json
        return answer.json

    everybody = listed()["items"]
    assert {item["reference"] for item in everybody} == {m["reference"] for m in made.values()}
    assert {item["person_name"] for item in everybody} == {
        "王*明",
        "李*海",
        "阿******提",
        "J********h",
    }
    reference = made["李大海"]["reference"]
    assert [i["reference"] for i in listed(q=reference[:6].lower())["items"]] == [reference]
    for part, name in zip(("小明", "大海", "古丽", "smith"), NAMES, strict=True):
        assert [i["reference"] for i in listed(q=part)["items"]] == [made[name]["reference"]]
    assert listed(q="%%")["items"] == []
    first = listed(limit=2)
    rest = listed(limit=2, cursor=first["next_cursor"])
    assert len(first["items"]) + len(rest["items"]) == len(NAMES)
    assert rest["next_cursor"] is None
    other_day = client.get(f"{API}/staff/bookings", headers=clerk.headers).json
    assert other_day["items"] == []


def test_a_clerk_without_an_outlet_sees_nothing(client, outlet, ready):
    nobody = callers.staff()
    assert client.get(f"{API}/staff/bookings", headers=nobody.headers).status_code == 403
    assert redeem(client, nobody, code=ready["code"]).status_code == 403
