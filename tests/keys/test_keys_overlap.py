"""While two keys are held nothing is found twice, missed, or counted twice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.refusals import DocumentInUse
from citizen_cloud.accounts.services import citizens, otp, otp_tries, real_name
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.errors import TooMany
from citizen_cloud.web import cursors

CODE = "271828"


def ask(phone):
    with db.transaction() as session:
        return otp.request_code(session, phone=phone, code=CODE, language="zh").challenge_id


def tried(challenge_id):
    with db.statement() as connection:
        return otp_tries.try_code(connection, challenge_id=challenge_id, code=CODE)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [(("k1",), ("k1", "k2")), (("k1", "k2"), ("k2", "k1")), (("k2", "k1"), ("k1", "k2"))],
)
def test_a_code_on_its_way_outlives_each_step(city, asked, answered):
    city.turn(*asked)
    challenge_id = ask(people.new_phone())
    city.turn(*answered)
    assert isinstance(tried(challenge_id), ProvenPhone)


def test_a_code_under_a_removed_key_is_refused(city):
    challenge_id = ask(people.new_phone())
    city.turn("k2")
    assert not isinstance(tried(challenge_id), ProvenPhone)


def test_a_cursor_outlives_each_step_and_not_its_key(city):
    cursor = cursors.encode("list", [1, "x"])
    for order in (("k1", "k2"), ("k2", "k1")):
        city.turn(*order)
        assert cursors.decode("list", cursor) == [1, "x"]
    city.turn("k2")
    with pytest.raises(cursors.BadCursor):
        cursors.decode("list", cursor)


def test_a_phone_has_one_day_of_codes_whichever_process_is_asked(city):
    phone = people.new_phone()
    city.turn("k1", "k2")
    ask(phone)
    city.turn("k2", "k1")
    with pytest.raises(TooMany):
        ask(phone)
    assert len(city.rows("SELECT 1 FROM accounts.otp_day")) == 1


def test_counts_stay_with_the_name_that_comes_first_also_after_nine(city):
    rings = crypto.Crypto(
        **{**vars(city.turn("k2")), "lookups": crypto.KeyRing({"k10": b"a" * 32, "k9": b"b" * 32})}
    )
    assert rings.counter("phone", "x") == rings.lookups_of("phone", "x")[1]


@pytest.fixture
def each_with_its_own(monkeypatch, city):
    """Let every thread hold rings of its own, as processes do."""
    held = threading.local()
    shared = crypto.current()
    monkeypatch.setattr(crypto, "current", lambda: getattr(held, "rings", shared))
    return held


def at_once(held, city, orders, work):
    """Run work once for each order of the keys, at the same moment."""
    barrier = threading.Barrier(len(orders))
    rings = [city.turn(*order) for order in orders]

    def run(own):
        held.rings = own
        barrier.wait(10)
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - what was refused is looked at below
            return error

    with ThreadPoolExecutor(len(orders)) as pool:
        return list(pool.map(run, rings))


ORDERS = [
    [("k1",), ("k1", "k2")],
    [("k1", "k2"), ("k2", "k1")],
    [("k2", "k1"), ("k2",)],
]


@pytest.mark.parametrize("orders", ORDERS, ids=["added", "promoted", "removed"])
def test_two_processes_with_different_rings_make_one_account(city, each_with_its_own, orders):
    for _ in range(8):
        phone = people.new_phone()

        def sign_in(phone=phone):
            with db.transaction() as session:
                return citizens._account(session, phone, Wish(), None)

        ids = at_once(each_with_its_own, city, orders * 4, sign_in)
        assert len(set(ids)) == 1, ids


def test_two_processes_with_different_rings_bind_a_document_once(city, each_with_its_own):
    number = people.document()
    claim = real_name.claim(
        document_type="resident_id",
        number=number,
        name="王小明",
        today=clock.local_day(clock.now()),
    )
    waiting = [people.citizen(1) for _ in range(8)]

    def prove():
        someone = waiting.pop()
        with db.transaction() as session:
            return real_name.prove(
                session,
                account_id=someone.account_id,
                device_id=someone.device_id,
                claim=claim,
                verified_by="test",
            )

    results = at_once(each_with_its_own, city, [("k1", "k2"), ("k2", "k1")] * 4, prove)
    assert sum(isinstance(result, DocumentInUse) for result in results) == 7
    assert len(city.rows("SELECT 1 FROM accounts.person")) == 1


def test_whoever_erased_and_comes_back_has_no_second_quota_after_a_rotation(full):
    city = full.city
    before = full.someone.person_key
    city.turn("k2", "k1")
    city.rewrite()
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.account SET status = 'closed' WHERE id = :id"),
            {"id": full.someone.account_id},
        )
        session.execute(
            text(
                "UPDATE accounts.person SET person_key = NULL, document_index = NULL, "
                "document_sealed = NULL, name_sealed = NULL WHERE id = :id"
            ),
            {"id": full.someone.person_id},
        )
    city.turn("k2")
    again = people.citizen(phone=full.phone, number=full.someone.document_number)
    assert again.person_id != full.someone.person_id
    assert again.person_key == before
