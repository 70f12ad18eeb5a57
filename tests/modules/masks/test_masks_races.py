"""Two at once, with real commits: clerks, phones, admins, files."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import callers
import masks_world as world
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.booking import auditor, combiner
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import Refusal
from citizen_cloud.modules.masks.services import redemptions
from citizen_cloud.modules.masks.services.booking import order_for
from citizen_cloud.modules.masks.services.campaigns import change_campaign
from citizen_cloud.modules.masks.services.imports import StockFile, import_stock
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.modules.masks.services.outlets import change_offer
from citizen_cloud.modules.masks.services.redemptions import Presented, redeem
from citizen_cloud.web.caller import Grant

CLERKS = 8


def at_once(*calls):
    """Start all behind one barrier; return results, a refusal as its code."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        try:
            return call()
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def in_transaction(verb, **facts):
    def call():
        with db.transaction() as session:
            return verb(session, **facts)

    return call


def take(offer_id, who, quantity=1, key=None):
    order = order_for(
        offer_id=offer_id,
        person=who.identity,
        booked_by=who.account_id,
        quantity=quantity,
        request_key=key or str(who.account_id),
        request_hash=b"x",
        read=db.statement,
    )
    return combiner.book(order=order)


@pytest.fixture
def counter(fresh_database):
    outlet, me = world.outlet(), world.citizen()
    offer_id = world.offer(world.campaign(), outlet)
    made = take(offer_id, me, 2)
    world.move_window(offer_id)
    return {"outlet": outlet, "me": me, "reference": made.reference, "offer": offer_id}


def hand_over(counter, clerk):
    return in_transaction(
        redeem,
        presented=Presented(
            reference=counter["reference"], document_number=counter["me"].document_number
        ),
        grant=Grant(organisation_ids=frozenset({counter["outlet"]})),
        actor=Actor(kind="staff", id=clerk.account_id),
    )


def handed_over():
    return world.value("SELECT count(*) FROM masks.redemption")


def healthy(fresh):
    with fresh.database.engine.connect() as connection:
        return auditor.differences(connection) == []


def test_eight_clerks_at_once_hand_out_once(fresh_database, counter):
    clerks = [world.clerk(counter["outlet"]) for _ in range(CLERKS)]
    results = at_once(*(hand_over(counter, clerk) for clerk in clerks))
    refused = Counter(result for result in results if isinstance(result, str))
    assert refused == {"already_redeemed": CLERKS - 1}
    assert handed_over() == 1
    assert healthy(fresh_database)


def test_control_without_lock_state_and_index_two_clerks_would_hand_out_twice(
    fresh_database, counter, monkeypatch
):
    """The race is real: with every guard off, the same test body shows two hand-overs."""
    with fresh_database.owner() as connection:
        connection.execute(text("DROP INDEX masks.uq_redemption_live"))
    barrier = threading.Barrier(2, timeout=10)

    def unguarded(*_, **__):
        barrier.wait()

    monkeypatch.setattr(redemptions.kernel, "check_in", unguarded)
    clerks = [world.clerk(counter["outlet"]) for _ in range(2)]
    results = at_once(*(hand_over(counter, clerk) for clerk in clerks))
    assert not [result for result in results if isinstance(result, str)]
    assert handed_over() == 2


def test_taking_back_and_handing_over_at_once_leave_one_truth(fresh_database, counter):
    clerks = [world.clerk(counter["outlet"]) for _ in range(3)]
    done = hand_over(counter, clerks[0])()
    undo = in_transaction(
        redemptions.undo,
        redemption_id=done.id,
        grant=Grant(organisation_ids=frozenset({counter["outlet"]})),
        actor=Actor(kind="staff", id=clerks[0].account_id),
    )
    at_once(undo, undo, *(hand_over(counter, clerk) for clerk in clerks[1:]))
    live = world.value("SELECT count(*) FROM masks.redemption WHERE undone_at IS NULL")
    status = world.value("SELECT status FROM booking.booking")
    assert (live, status) in ((0, "booked"), (1, "fulfilled"))
    assert healthy(fresh_database)


def test_two_offers_at_once_do_not_give_one_person_a_double_share(fresh_database):
    me = world.citizen()
    offers = [world.offer(world.campaign(), world.outlet()) for _ in range(6)]
    results = at_once(
        *(lambda offer_id=o, n=n: take(offer_id, me, 2, key=f"k{n}") for n, o in enumerate(offers))
    )
    refused = Counter(result for result in results if isinstance(result, str))
    assert refused == {"limit_reached": 5}
    assert world.value("SELECT sum(taken) FROM booking.slot") == 2
    assert healthy(fresh_database)


def test_the_last_pieces_go_out_once(fresh_database):
    offer_id = world.offer(world.campaign(), world.outlet(), capacity=5)
    people = [world.citizen() for _ in range(12)]
    results = at_once(*(lambda who=who: take(offer_id, who, 2) for who in people))
    refused = Counter(result for result in results if isinstance(result, str))
    assert refused == {"full": 10}
    assert world.slot(offer_id)["taken"] == 4
    assert healthy(fresh_database)


def test_the_same_batch_from_two_desks_is_published_once(fresh_database):
    campaign, outlets = world.campaign(), [world.outlet() for _ in range(5)]
    items = [
        WantedOffer(
            organisation_id=outlet,
            window_on=world.today() + world.timedelta(days=1),
            half="am",
            capacity=10,
        )
        for outlet in outlets
    ]
    batch = in_transaction(publish_offers, campaign_id=campaign, items=items, actor=world.SYSTEM)
    results = at_once(*[batch] * 4)
    created = sorted(sum(one.is_new for one in result) for result in results)
    assert created == [0, 0, 0, 5]
    assert world.value("SELECT count(*) FROM booking.slot") == 5


def test_pausing_and_opening_at_once_leave_the_slot_as_the_switches_say(fresh_database):
    outlet = world.outlet()
    for _ in range(4):
        campaign = world.campaign()
        offer_id = world.offer(campaign, outlet, half="am", days_ahead=1 + _)
        grant = Grant(organisation_ids=frozenset({outlet}))
        at_once(
            in_transaction(
                change_campaign,
                campaign_id=campaign,
                title=None,
                status="paused",
                expected_version=None,
                actor=world.SYSTEM,
            ),
            *(
                in_transaction(
                    change_offer,
                    offer_id=offer_id,
                    capacity=None,
                    status=status,
                    grant=grant,
                    actor=world.SYSTEM,
                )
                for status in ("paused", "open")
            ),
        )
        assert world.slot(offer_id)["status"] == "closed"


def test_a_file_and_bookings_at_once_never_leave_less_than_is_reserved(fresh_database):
    outlet = world.outlet(code="PH001")
    campaign = world.campaign()
    offer_id = world.offer(campaign, outlet, capacity=20)
    people = [world.citizen() for _ in range(10)]
    day = world.today() + world.timedelta(days=1)
    files = [
        in_transaction(
            import_stock,
            file=StockFile(
                raw=(
                    "outlet_code,window_on,half,product_class,capacity\n"
                    f"PH001,{day},am,adult,{capacity}\n"
                ).encode(),
                grant=Grant(organisation_ids=frozenset({outlet})),
                actor=Actor(kind="staff", id=callers.staff().account_id),
            ),
        )
        for capacity in (8, 4, 12)
    ]
    at_once(*files, *(lambda who=who: take(offer_id, who, 2) for who in people))
    row = world.slot(offer_id)
    assert row["taken"] <= row["capacity"]
    assert row["overcommit"] == 0
    assert healthy(fresh_database)
