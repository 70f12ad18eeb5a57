"""What two people decide happens once, whoever else acts meanwhile; real connections."""

import threading
from concurrent.futures import ThreadPoolExecutor

import people
import pytest
from counter_world import (
    Hall,
    clerk,
    enrolment_case,
    reach,
    recovery_case,
)
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.refusals import OtpInvalid, PhoneFull
from citizen_cloud.accounts.services import citizens, otp, otp_tries, phones, sign_ins
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.counter.queries import Case
from citizen_cloud.counter.refusals import CaseOpen, CaseOver
from citizen_cloud.counter.rules import RECOVERY, Asked
from citizen_cloud.counter.services import deciding, ending, opening
from citizen_cloud.counter.services.deciding import Verdict
from citizen_cloud.counter.services.opening import NewCase
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.services import identities
from citizen_cloud.federation.services.attempts import Owed

CODE = "493027"


def decide(hall, case_id, someone, *, approved=True):
    verdict = Verdict(approved=approved, reason="测试", verified_by="test")
    with db.transaction() as session:
        return deciding.decide(
            session,
            case_id=case_id,
            verdict=verdict,
            reach=reach(hall.id),
            by=clerk(someone, hall.id),
        )


def opened(make, *args, **more):
    with db.transaction() as session:
        return make(session, *args, **more)


def proven(phone):
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        challenge = otp.request_code(session, phone=phone, code=CODE, language="zh").challenge_id
    with db.statement() as connection:
        return otp_tries.try_code(connection, challenge_id=challenge, code=CODE)


def live_sign_ins(fresh, account_id):
    with fresh.owner() as connection:
        return connection.scalar(
            text(
                "SELECT count(*) FROM accounts.sign_in s JOIN accounts.device d "
                "ON d.id = s.device_id WHERE s.account_id = :a AND s.revoked_at IS NULL "
                "AND d.removed_at IS NULL"
            ),
            {"a": account_id},
        )


def count(fresh, sql, **facts):
    with fresh.owner() as connection:
        return connection.scalar(text(sql), facts)


def test_of_many_deciders_at_once_one_decides(fresh_database, race):
    hall = Hall(None)
    person = people.citizen()
    case = opened(recovery_case, person, clerk(hall.opener, hall.id), people.new_phone())
    deciders = [people.staff(hall.id) for _ in range(10)]
    results = race(10, lambda n: decide(hall, case.id, deciders[n], approved=bool(n % 2)))
    assert sum(isinstance(result, Case) for result in results) == 1
    assert sum(isinstance(result, CaseOver) for result in results) == 9
    acts = "SELECT count(*) FROM audit.entry WHERE action IN ('counter.case_approved','counter.case_refused')"
    assert count(fresh_database, acts) == 1


def test_a_decision_and_a_cancellation_at_once_are_one_end(fresh_database, race):
    hall = Hall(None)
    case = opened(enrolment_case, people.document(), clerk(hall.opener, hall.id))

    def cancel():
        with db.transaction() as session:
            return ending.cancel(
                session,
                case_id=case.id,
                reach=reach(hall.id),
                by=clerk(hall.opener, hall.id),
            )

    results = race(2, lambda n: cancel() if n else decide(hall, case.id, hall.decider))
    assert sum(isinstance(result, Case) for result in results) == 1
    assert sum(isinstance(result, CaseOver) for result in results) == 1


def test_of_many_clerks_at_once_one_opens_a_recovery(fresh_database, race):
    hall = Hall(None)
    person = people.citizen()
    by = clerk(hall.opener, hall.id)
    results = race(10, lambda _: opened(recovery_case, person, by, people.new_phone()))
    assert sum(isinstance(result, Case) for result in results) == 1
    assert sum(isinstance(result, CaseOpen) for result in results) == 9


def test_one_code_opens_one_case(fresh_database, race):
    hall = Hall(None)
    persons = [people.citizen() for _ in range(6)]
    tried = proven(people.new_phone())

    def open_one(number):
        new = NewCase(
            kind=RECOVERY, person_id=persons[number].person_id, asked=Asked(), evidence="E"
        )
        with db.transaction() as session:
            return opening.open_case(session, new=new, by=clerk(hall.opener, hall.id), proven=tried)

    results = race(6, open_one)
    assert sum(isinstance(result, Case) for result in results) == 1
    assert sum(isinstance(result, OtpInvalid) for result in results) == 5


def test_two_recoveries_at_once_do_not_make_a_third_account_on_a_phone(fresh_database, race):
    hall = Hall(None)
    phone = people.new_phone()
    people.citizen(phone=phone)
    cases = [
        opened(recovery_case, people.citizen(), clerk(hall.opener, hall.id), phone)
        for _ in range(4)
    ]
    results = race(4, lambda n: decide(hall, cases[n].id, hall.decider))
    assert sum(isinstance(result, Case) for result in results) == 1
    assert sum(isinstance(result, PhoneFull) for result in results) == 3


def test_two_people_may_change_phones_crosswise_at_once(fresh_database, race):
    """Phones are locked in one order, so that neither waits for the other for ever."""
    hall = Hall(None)
    for _ in range(5):
        phones = [people.new_phone(), people.new_phone()]
        persons = [people.citizen(phone=phone) for phone in phones]
        by = clerk(hall.opener, hall.id)
        cases = [
            opened(recovery_case, person, by, phone)
            for person, phone in zip(persons, reversed(phones), strict=True)
        ]
        ids = [case.id for case in cases]
        results = race(2, lambda n, ids=ids: decide(hall, ids[n], hall.decider))
        assert all(isinstance(result, Case) for result in results), results


def test_a_sign_in_by_the_old_phone_under_way_does_not_outlive_the_recovery(fresh_database):
    hall = Hall(None)
    phone = people.new_phone()
    person = people.citizen(phone=phone)
    case = opened(recovery_case, person, clerk(hall.opener, hall.id), people.new_phone())
    tried = proven(phone)
    signed_in, go_on = threading.Event(), threading.Event()

    def sign_in():
        with db.transaction() as session:
            citizens.sign_in(session, proven=tried, wish=Wish(account_id=person.account_id))
            signed_in.set()
            go_on.wait(5)

    with ThreadPoolExecutor(2) as pool:
        thief = pool.submit(sign_in)
        assert signed_in.wait(5)
        decision = pool.submit(decide, hall, case.id, hall.decider)
        # It waits for the phone's lock; without one it would be over by now, and too early.
        threading.Event().wait(0.5)
        assert not decision.done()
        go_on.set()
        thief.result(10)
        assert decision.result(10).status == "approved"
    assert live_sign_ins(fresh_database, person.account_id) == 0


def test_a_sign_in_that_holds_the_phone_and_a_recovery_do_not_wait_for_each_other(fresh_database):
    """The sign-in's new rows point at the account the recovery has locked meanwhile."""
    hall = Hall(None)
    phone = people.new_phone()
    person = people.citizen(phone=phone)
    case = opened(recovery_case, person, clerk(hall.opener, hall.id), people.new_phone())
    number = int.from_bytes(crypto.current().lookup("phone.lock", phone)[:8], "big", signed=True)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})
            decision = pool.submit(decide, hall, case.id, hall.decider)
            threading.Event().wait(0.5)
            assert not decision.done()
            people._sign_in(session, person.account_id, "citizen", "sms")
        assert decision.result(10).status == "approved"
    assert live_sign_ins(fresh_database, person.account_id) == 0


def test_of_many_enrolments_of_a_document_one_person_comes(fresh_database, race):
    hall = Hall(None)
    number = people.document()
    by = clerk(hall.opener, hall.id)
    ids = [opened(enrolment_case, number, by).id for _ in range(8)]
    results = race(8, lambda n: decide(hall, ids[n], hall.decider))
    assert len({result.person_id for result in results}) == 1
    assert count(fresh_database, "SELECT count(*) FROM accounts.person") == 1


def sign_in_of(person):
    """Return the id of a person's sign-in, as the gate would."""
    with db.transaction() as session:
        return session.scalar(
            text("SELECT id FROM accounts.sign_in WHERE account_id = :a"),
            {"a": person.account_id},
        )


def test_a_link_under_way_does_not_outlive_the_recovery(fresh_database):
    """Whoever holds the lost phone links an identity of theirs in the moment of the decision."""
    hall, person = Hall(None), people.citizen()
    case = opened(recovery_case, person, clerk(hall.opener, hall.id), people.new_phone())
    facts = {"account_id": person.account_id, "sign_in_id": sign_in_of(person)}
    owed = Owed(provider="wechat", subject="thief")
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            sign_ins.require_live(session, **facts)
            decision = pool.submit(decide, hall, case.id, hall.decider)
            threading.Event().wait(0.5)
            assert not decision.done()
            identities.link(
                session,
                owed=owed,
                account_id=person.account_id,
                title=TITLES["wechat"],
                now=clock.now(),
            )
        assert decision.result(10).status == "approved"
    with db.transaction() as session:
        assert identities.use(session, owed=owed) is None
    with pytest.raises(Unauthenticated), db.transaction() as session:
        sign_ins.require_live(session, **facts)


def test_a_change_of_phone_under_way_does_not_undo_the_recovery(fresh_database):
    """It was let in before the decision, waits for it, and is somebody's who is out by then."""
    hall, person, phone = Hall(None), people.citizen(), people.new_phone()
    case = opened(recovery_case, person, clerk(hall.opener, hall.id), phone)
    tried, sign_in_id = proven(people.new_phone()), sign_in_of(person)

    def change():
        with db.transaction() as session:
            phones.change_phone(
                session, account_id=person.account_id, sign_in_id=sign_in_id, proven=tried
            )

    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            deciding.decide(
                session,
                case_id=case.id,
                verdict=Verdict(approved=True, reason="r"),
                reach=reach(hall.id),
                by=clerk(hall.decider, hall.id),
            )
            thief = pool.submit(change)
            threading.Event().wait(0.5)
            assert not thief.done()
        with pytest.raises(Unauthenticated):
            thief.result(10)
    with db.transaction() as session:
        assert [row["id"] for row in phones.accounts_of(session, phone)] == [person.account_id]
