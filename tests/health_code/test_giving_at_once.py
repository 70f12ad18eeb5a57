"""The one-statement ways under real threads: nothing slips between what is locked and what is said."""

import threading
import time

import health_world
import pytest
from at_once_world import phones_code, with_phone
from family_world import rows, run
from health_world import declared, reported, say
from phone import Phone, signed

from citizen_cloud import db
from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services import consents
from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.services import devices


def records(me):
    return rows(
        "SELECT type, claims ->> 'c', revoked_at IS NULL FROM credentials.credential "
        "WHERE holder_id = :p ORDER BY jti",
        p=me.person_id,
    )


def while_held(work, ask):
    """Ask while another transaction, which did its work, is not committed yet."""
    found = []
    with db.transaction() as session:
        work(session)
        thread = threading.Thread(target=lambda: found.append(ask()))
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive(), "it did not wait"
    thread.join(timeout=30)
    return found[0]


def test_a_colour_that_is_being_changed_is_waited_for_and_said(fresh_database):
    me, phone = with_phone()
    fresh = phone.fresh_key()

    def redden(session):
        health_world.append(session, [reported(me.person_id)])

    given = while_held(redden, lambda: phones_code(me, fresh))
    assert given.colour == "red"
    assert records(me) == [("hc", "red", True)]


def test_a_phone_that_is_being_reported_lost_gets_no_code(fresh_database):
    me, phone = with_phone()
    fresh = phone.fresh_key()

    def lose(session):
        devices.end_device_keys(session, account_id=me.account_id, reason="lost")

    assert while_held(lose, lambda: phones_code(me, fresh)) is None
    assert records(me) == []


def test_a_consent_that_is_being_taken_back_is_waited_for(fresh_database):
    me, phone = with_phone()
    fresh = phone.fresh_key()

    def take_back(session):
        consents.answer_consent(
            session, account_id=me.account_id, purpose=HEALTH_CODE, version=1, granted=False
        )

    assert while_held(take_back, lambda: phones_code(me, fresh)) is None
    assert records(me) == []


def test_no_living_code_says_another_colour_than_the_standing(fresh_database):
    me, phone = with_phone()
    stop, given = threading.Event(), []

    def ask():
        while not stop.is_set():
            one = phones_code(me, phone.fresh_key())
            given.append(None if one is None else one.colour)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for one in askers:
        one.start()
    for number in range(12):
        ill = health_world.ILL if number % 2 == 0 else health_world.WELL
        say(declared(me.person_id, said=ill))
        colour = health_world.colour_of(me.person_id)
        living = {said for _, said, is_living in records(me) if is_living}
        assert living <= {colour}
    stop.set()
    for one in askers:
        one.join(timeout=30)
    assert len(given) > 12
    assert set(given) - {None} <= {"green", "yellow"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts.consent SET withdrawn_at = statement_timestamp()",
        "UPDATE health_code.standing SET holds_until = statement_timestamp()",
        "UPDATE health_code.standing SET rule_version = rule_version + 1",
        "UPDATE health_code.standing SET colour = 'none', green_from = NULL",
        "DELETE FROM health_code.standing",
        "UPDATE credentials.device_key SET ended_at = statement_timestamp(), ended_reason = 'lost'",
    ],
)
def test_whatever_stands_in_the_way_writes_nothing(fresh_database, change):
    me, phone = with_phone()
    run(change)
    assert phones_code(me, phone.fresh_key()) is None
    assert records(me) == []


def test_a_proof_by_another_key_and_a_key_used_before_write_nothing(fresh_database):
    me, phone = with_phone()
    thief = Phone()
    assert phones_code(me, thief.fresh_key()) is None
    fresh = phone.fresh_key()
    assert phones_code(me, {**fresh, "proof": thief.fresh_key()["proof"]}) is None
    assert records(me) == []
    first, again = phones_code(me, fresh), phones_code(me, fresh)
    assert first.held == again.held
    other, others_phone = with_phone()
    message = proofs.key_message(proofs.from_text(fresh["show_key"]))
    stolen = {**fresh, "proof": proofs.to_text(signed(others_phone.device_key, message))}
    assert phones_code(other, stolen) is None
    assert records(other) == []
