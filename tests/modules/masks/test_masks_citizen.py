"""Finding and booking masks, through the doors and on the real database."""

from contextlib import nullcontext
from datetime import timedelta

import callers
import masks_world as world
import orjson
import pytest
from masks_world import API

from citizen_cloud.booking.sold_out import sold_out
from citizen_cloud.modules.masks.routes.fresh import Fresh, page_of_rows
from citizen_cloud.modules.masks.schemas.citizen import MaskOfferSchema, MaskStockSchema
from citizen_cloud.modules.masks.services import booking
from citizen_cloud.modules.masks.services.booking import Facts
from citizen_cloud.portal.state import HOST
from citizen_cloud.web.parser import Parser


@pytest.fixture
def engine(database):
    return database.connection.engine


@pytest.fixture
def offered(app):
    campaign = world.campaign()
    return world.offer(campaign, world.outlet())


def offers(client, campaign, **query):
    return client.get(f"{API}/campaigns/{campaign}/offers", query_string=query)


def test_the_main_job_find_book_show(client, app):
    campaign, near = world.campaign(), world.outlet(position=(25.05, 121.53))
    offer_id, me = world.offer(campaign, near), world.citizen()
    listed = client.get(f"{API}/campaigns").json["items"]
    assert str(campaign) in [item["id"] for item in listed]
    found = offers(client, campaign, near="25.05,121.53", available="true").json["items"]
    assert [item["id"] for item in found] == [str(offer_id)]
    made = world.book(client, me, offer_id, 2)
    assert made.status_code == 201, made.json
    assert made.json["quantity"] == 2
    assert made.json["person"] == {"name": "王*明"}
    assert made.json["actions"] == ["show", "cancel"]
    assert made.json["slot"]["title"] == {"zh": "成人口罩", "en": "Masks for adults"}
    shown = client.get(made.headers["Location"], headers=me.headers)
    assert shown.json["reference"] == made.json["reference"]
    code = client.get(made.headers["Location"] + "/code", headers=me.headers)
    assert code.status_code == 200, code.json


def test_a_warm_booking_is_one_statement_behind_the_one_that_authenticates(client, offered, engine):
    assert world.book(client, world.citizen(), offered).status_code == 201
    me = world.citizen()
    with world.counted(engine) as seen:
        assert world.book(client, me, offered).status_code == 201
    assert len(seen) == 2, seen
    booking.facts._known.clear()
    other = world.citizen()
    with world.counted(engine) as seen:
        assert world.book(client, other, offered).status_code == 201
    assert len(seen) == 3


def test_a_large_stock_is_marked_hot_and_booked_the_same(client, app, engine):
    offer_id = world.offer(world.campaign(), world.outlet(), capacity=1_000)
    assert world.slot(offer_id)["hot"]
    assert world.book(client, world.citizen(), offer_id).status_code == 201
    me = world.citizen()
    with world.counted(engine) as seen:
        assert world.book(client, me, offer_id, 2).status_code == 201
    assert len(seen) == 2
    assert world.slot(offer_id)["taken"] == 3


def test_the_list_is_one_select_then_none_for_a_second(client, app, engine):
    campaign = world.campaign()
    world.offer(campaign, world.outlet())
    for query, first in (({}, 1), ({"near": "25.0,121.5"}, 1), ({"q": "人民"}, 1)):
        with world.counted(engine) as seen:
            assert offers(client, campaign, **query).status_code == 200
        assert len(seen) == first
        with world.counted(engine) as seen:
            assert offers(client, campaign, **query).status_code == 200
        assert seen == []


def test_the_list_has_a_strong_tag_and_answers_304(client, app):
    campaign = world.campaign()
    offer_id = world.offer(campaign, world.outlet())
    first = offers(client, campaign)
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert first.headers["Cache-Control"] == "public, max-age=1"
    path = f"{API}/campaigns/{campaign}/offers"
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert world.book(client, world.citizen(), offer_id).status_code == 201
    world.forget_pages()
    changed = client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json["items"][0]["remaining"] == 9


def test_rows_are_what_the_schema_documents(client, app):
    campaign = world.campaign()
    world.offer(campaign, world.outlet(position=(25.05, 121.53)))
    item = offers(client, campaign, near="25.05,121.53").json["items"][0]
    assert item.keys() == MaskOfferSchema().fields.keys()
    assert not MaskOfferSchema().validate(item)
    assert item["distance_m"] < 5
    assert item["starts_at"].endswith("+08:00")
    stock = client.get("/api/v1/open/masks/stock").json["items"][0]
    assert stock.keys() == MaskStockSchema().fields.keys()
    assert not MaskStockSchema().validate(stock)


def test_nearest_come_first_and_pages_follow_each_other_in_both_orders(client, app):
    campaign = world.campaign()
    places = {n: world.outlet(position=(25.05 + n * 0.005, 121.53)) for n in (3, 1, 4, 0, 2)}
    ids = {n: str(world.offer(campaign, place)) for n, place in places.items()}
    far = world.outlet(position=(26.5, 121.53))
    world.offer(campaign, far)
    world.offer(campaign, world.outlet())
    for query, expected in (
        ({"near": "25.05,121.53"}, [ids[n] for n in range(5)]),
        ({"near": "25.05,121.53", "radius": "1200"}, [ids[0], ids[1], ids[2]]),
    ):
        walked, cursor = [], {}
        while True:
            answer = offers(client, campaign, limit="2", **query, **cursor)
            walked += [item["id"] for item in answer.json["items"]]
            if answer.json["next_cursor"] is None:
                assert "Link" not in answer.headers
                break
            assert 'rel="next"' in answer.headers["Link"]
            cursor = {"cursor": answer.json["next_cursor"]}
        assert walked == expected
    walked, cursor = [], {}
    while True:
        answer = offers(client, campaign, limit="3", **cursor)
        walked += [item["id"] for item in answer.json["items"]]
        if answer.json["next_cursor"] is None:
            break
        cursor = {"cursor": answer.json["next_cursor"]}
    assert len(walked) == len(set(walked)) == 7


def test_a_cursor_of_another_order_is_refused(client, app):
    campaign = world.campaign()
    for _ in range(2):
        world.offer(campaign, world.outlet(position=(25.05, 121.53)))
    cursor = offers(client, campaign, limit="1").json["next_cursor"]
    refused = offers(client, campaign, near="25.05,121.53", cursor=cursor)
    assert (refused.status_code, refused.json["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"district": "信義區"}, {"甲药店", "乙大药房"}),
        ({"district": "台北市"}, {"甲药店", "乙大药房"}),
        ({"district": "臺北市信義區"}, {"甲药店", "乙大药房"}),
        ({"district": "花蓮縣"}, {"丙药局"}),
        ({"q": "大药房"}, {"乙大药房"}),
        ({"q": "豐濱"}, {"丙药局"}),
        ({"q": "%"}, set()),
        ({"q": "_"}, set()),
        ({"available": "true"}, {"甲药店", "丙药局"}),
    ],
)
def test_offers_are_found_by_district_words_and_stock(client, app, query, names):
    campaign = world.campaign()
    world.offer(campaign, world.outlet("甲药店"))
    world.offer(campaign, world.outlet("乙大药房"), capacity=0)
    world.offer(campaign, world.outlet("丙药局", address="花蓮縣豐濱鄉光豐路41號"))
    found = offers(client, campaign, **query).json["items"]
    assert {item["outlet"]["name"]["zh"] for item in found} == names


@pytest.mark.parametrize(
    "query",
    [
        {"near": "25"},
        {"near": "95.0,121.5"},
        {"near": "nan,1"},
        {"radius": "5"},
        {"available": "yes"},
        {"limit": "0"},
        {"district": "a" * 41},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client, app, query):
    assert offers(client, world.campaign(), **query).status_code == 422


def test_drafts_and_unknown_campaigns_look_the_same(client, app):
    draft = world.campaign(status="draft")
    offer_id = world.offer(draft, world.outlet())
    for campaign in (draft, "00000000-0000-7000-8000-000000000000"):
        assert offers(client, campaign).status_code == 404
        assert client.get(f"{API}/campaigns/{campaign}").status_code == 404
    assert world.book(client, world.citizen(), offer_id).status_code == 404


def test_a_campaign_tells_its_quota_and_conditions(client, app):
    campaign = world.campaign(profile="TW-2", product_class="child")
    body = client.get(f"{API}/campaigns/{campaign}").json
    assert body["quota"] == {"max": 10, "period": "rolling", "days": 14}
    assert body["conditions"]["audience"] == "child"


def test_the_second_week_needs_seven_days_and_16_leads_to_23(client, app):
    campaign = world.campaign()
    outlet, me = world.outlet(), world.citizen()
    first, sixth, seventh = (world.offer(campaign, outlet, days_ahead=days) for days in (1, 7, 8))
    assert world.book(client, me, first, 2).status_code == 201
    refused = world.book(client, me, sixth, 1)
    assert (refused.status_code, refused.json["code"]) == (409, "limit_reached")
    assert refused.json["again_on"] == str(world.today() + timedelta(days=8))
    assert world.book(client, me, seventh, 2).status_code == 201


def test_a_second_campaign_of_the_class_gives_no_second_share(client, app):
    me = world.citizen()
    for expected in (201, 409):
        offer_id = world.offer(world.campaign(), world.outlet())
        assert world.book(client, me, offer_id, 2).status_code == expected


def test_a_cancelled_share_gives_quota_and_stock_back(client, app):
    campaign, outlet, me = world.campaign(), world.outlet(), world.citizen()
    offer_id = world.offer(campaign, outlet)
    made = world.book(client, me, offer_id, 2)
    done = client.post(made.headers["Location"] + "/cancel", json={}, headers=me.headers)
    assert done.status_code == 200, done.json
    assert world.slot(offer_id)["taken"] == 0
    assert world.book(client, me, world.offer(campaign, outlet, half="pm"), 2).status_code == 201


def test_the_same_key_gives_the_same_booking_and_another_body_is_refused(client, offered):
    me = world.citizen()
    first = world.book(client, me, offered, 2, key="k-1")
    again = world.book(client, me, offered, 2, key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = world.book(client, me, offered, 1, key="k-1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert world.slot(offered)["taken"] == 2


def test_booking_needs_a_key_a_real_name_and_a_sane_number(client, offered):
    me = world.citizen()
    path = f"{API}/offers/{offered}/bookings"
    assert client.post(path, json={"quantity": 1}, headers=me.headers).status_code == 400
    assert client.post(path, json={"quantity": 1}).status_code == 401
    plain = callers.citizen(phone=None)
    refused = client.post(
        path, json={"quantity": 1}, headers={**plain.headers, "Idempotency-Key": "x"}
    )
    assert (refused.status_code, refused.json["code"]) == (401, "step_up_required")
    for quantity in (0, -1, 1.5, "1", True, None, 10**9, 10**18):
        answer = client.post(path, json={"quantity": quantity}, headers=me.key())
        assert answer.status_code in (400, 422), quantity
    above = world.book(client, me, offered, 3)
    assert (above.status_code, above.json["code"], above.json["most"]) == (
        422,
        "quantity_above_limit",
        2,
    )
    extra = client.post(path, json={"quantity": 1, "person_id": "x"}, headers=me.key())
    assert extra.status_code == 422
    assert world.slot(offered)["taken"] == 0


def test_staff_have_no_masks_to_book(client, offered):
    who = world.clerk(world.outlet())
    answer = client.post(
        f"{API}/offers/{offered}/bookings",
        json={"quantity": 1},
        headers={**who.headers, "Idempotency-Key": "x"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("conditions", "birth", "expected"),
    [
        ({"audience": "child"}, "19900101", "children_only"),
        ({"audience": "child"}, "20200101", None),
        ({"audience": "adult"}, "20200101", "adults_only"),
        ({"districts": ("2102",)}, "19900101", None),
        ({"districts": ("4401",)}, "19900101", "other_district"),
    ],
)
def test_conditions_are_checked_on_the_document(client, app, conditions, birth, expected):
    offer_id = world.offer(world.campaign(conditions=conditions), world.outlet())
    answer = world.book(client, world.citizen(birth=birth), offer_id)
    if expected is None:
        assert answer.status_code == 201, answer.json
    else:
        assert (answer.status_code, answer.json["code"]) == (409, "not_eligible")
        assert answer.json["reason"] == expected
        assert answer.json["detail"]
        assert world.slot(offer_id)["taken"] == 0


def test_days_go_by_the_last_digit(client, app):
    campaign = world.campaign(conditions={"stagger": "document_digit"})
    days = [n for n in range(1, 8) if (world.today() + timedelta(days=n)).weekday() != 6][:2]
    outcomes = []
    for days_ahead in days:
        offer_id = world.offer(campaign, world.outlet(), days_ahead=days_ahead)
        for last in ("1", "0"):
            who = world.citizen(number=world.document(last=last))
            outcomes.append(world.book(client, who, offer_id).status_code)
    assert sorted(outcomes[:2]) == [201, 409]
    assert sorted(outcomes[2:]) == [201, 409]


def test_true_reasons_closed_not_open_full(client, app):
    outlet = world.outlet()
    early = world.offer(world.campaign(opens_in=timedelta(hours=2)), outlet)
    answer = world.book(client, world.citizen(), early)
    assert (answer.status_code, answer.json["code"]) == (409, "not_open")
    assert "opens_at" in answer.json
    over = world.offer(world.campaign(), world.outlet())
    sql = "UPDATE booking.slot SET closes_at = opens_at + interval '1 s' WHERE id = :id RETURNING 1"
    world.value(sql, id=over)
    assert world.book(client, world.citizen(), over).json["code"] == "closed"
    full = world.offer(world.campaign(), world.outlet(), capacity=1)
    assert world.book(client, world.citizen(), full, 2).json["code"] == "full"


def test_sold_out_is_answered_before_anything_is_asked(client, app, engine):
    offer_id, holder = world.offer(world.campaign(), world.outlet(), capacity=1), world.citizen()
    first = world.book(client, holder, offer_id, key="mine")
    assert first.status_code == 201
    late = world.citizen()
    assert world.book(client, late, offer_id).json["code"] == "full"
    with world.counted(engine) as seen:
        again = world.book(client, late, offer_id)
    assert (again.status_code, again.json["code"], seen) == (409, "full", [])
    replay = world.book(client, holder, offer_id, key="mine")
    assert (replay.status_code, replay.json["id"]) == (201, first.json["id"])
    sold_out._facts.clear()


def test_facts_in_memory_are_bounded(monkeypatch):
    small = Facts(most=2)
    small._known = {1: "a", 2: "b"}
    monkeypatch.setattr(booking, "offer_facts", lambda _, offer_id: f"facts of {offer_id}")
    assert small.of(3, nullcontext) == "facts of 3"
    assert list(small._known) == [2, 3]


def test_open_stock_tells_bands_and_its_time_and_no_number(client, app):
    campaign = world.campaign()
    bands = {}
    for capacity in (0, 29, 30, 100):
        offer_id = world.offer(campaign, world.outlet(), capacity=capacity)
        bands[str(offer_id)] = {0: "0", 29: "1-29", 30: "30-99", 100: "100+"}[capacity]
    answer = client.get("/api/v1/open/masks/stock")
    assert answer.headers["Cache-Control"] == "public, max-age=10"
    assert {item["offer_id"]: item["band"] for item in answer.json["items"]} == bands
    assert answer.json["as_of"].endswith("+08:00")
    assert b"remaining" not in answer.data
    again = client.get(
        "/api/v1/open/masks/stock", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_open_stock_is_paged_and_filtered(client, app):
    campaign = world.campaign()
    for _ in range(3):
        world.offer(campaign, world.outlet())
    there = world.offer(campaign, world.outlet(address="花蓮縣豐濱鄉光豐路41號"))
    path = "/api/v1/open/masks/stock"
    only = client.get(path, query_string={"district": "花蓮縣"}).json["items"]
    assert [item["offer_id"] for item in only] == [str(there)]
    first = client.get(path, query_string={"limit": "3"}).json
    second = client.get(path, query_string={"limit": "3", "cursor": first["next_cursor"]}).json
    ids = [item["offer_id"] for item in (*first["items"], *second["items"])]
    assert len(ids) == len(set(ids)) == 4
    assert second["next_cursor"] is None


def test_a_paused_campaign_has_nothing_to_book_in_any_list(client, app):
    campaign = world.campaign()
    offer_id = world.offer(campaign, world.outlet(), capacity=100)
    admin = world.admin()
    done = client.patch(
        f"{API}/admin/campaigns/{campaign}", json={"status": "paused"}, headers=admin.headers
    )
    assert done.status_code == 200, done.json
    item = offers(client, campaign).json["items"][0]
    assert (item["status"], item["remaining"], item["band"]) == ("closed", 0, "0")
    assert offers(client, campaign, available="true").json["items"] == []
    assert client.get("/api/v1/open/masks/stock").json["items"][0]["band"] == "0"
    assert world.book(client, world.citizen(), offer_id).json["code"] == "closed"


def test_a_window_that_is_over_leaves_the_lists(client, app):
    campaign = world.campaign()
    offer_id = world.offer(campaign, world.outlet())
    world.move_window(offer_id, begins=timedelta(hours=-2), ends=timedelta(seconds=-1))
    assert offers(client, campaign).json["items"] == []
    assert client.get("/api/v1/open/masks/stock").json["items"] == []


def test_a_page_is_read_once_while_many_ask_and_again_when_it_is_over():
    at, reads = [0.0], []
    fresh = Fresh(1.0, monotonic=lambda: at[0])

    def read():
        reads.append(at[0])
        # Those who ask meanwhile get the page of before.
        if len(reads) == 2:
            assert fresh.get("k", read).body == first.body
        return page_of_rows([{"n": len(reads)}], None, max_age_s=1)

    first = fresh.get("k", read)
    at[0] = 0.9
    assert fresh.get("k", read) is first
    at[0] = 1.1
    assert orjson.loads(fresh.get("k", read).body)["items"] == [{"n": 2}]
    at[0] = 9.0
    assert orjson.loads(fresh.get("k", read).body)["items"] == [{"n": 3}]
    assert reads == [0.0, 1.1, 9.0]


def test_a_page_that_is_still_good_is_answered_before_its_query_is_read(client, app, monkeypatch):
    campaign = world.campaign()
    world.offer(campaign, world.outlet())
    path = f"/api/v1/masks/campaigns/{campaign}/offers"
    first = client.get(path)
    monkeypatch.setattr(Parser, "load_querystring", None)
    again = client.get(path)
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    old = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (old.status_code, old.data) == (304, b"")
    switchboard = app.extensions[HOST].switchboard
    monkeypatch.setattr(switchboard, "_rows", {"masks": ("off", {})})
    assert client.get(path).json["code"] == "module_off"
