"""What must happen once happens once, however many ask together; real connections."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import (
    AccountHasPerson,
    DocumentInUse,
    OtpInvalid,
    RefreshInvalid,
)
from citizen_cloud.accounts.services import (
    authenticate,
    citizens,
    otp,
    otp_tries,
    real_name,
    sign_ins,
)
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.refresh import refresh
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.errors import Refusal, Unauthenticated

CODE = "493027"


def ask(phone, code=CODE):
    with db.transaction() as session:
        return otp.request_code(session, phone=phone, code=code, language="zh").challenge_id


def sign_in(challenge, code=CODE, **wish):
    """Do what the route does."""
    with db.statement() as connection:
        tried = otp_tries.try_code(connection, challenge_id=challenge, code=code)
    if isinstance(tried, Refusal):
        raise tried
    with db.transaction() as session:
        return citizens.sign_in(session, proven=tried, wish=Wish(**wish))


def renew(token):
    with db.transaction() as session:
        outcome = refresh(session, token=token)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def count(fresh, table, where="true"):
    with fresh.owner() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM accounts.{table} WHERE {where}"))


def test_of_a_hundred_right_tries_one_signs_in(fresh_database, race, helpers):
    challenge = ask(helpers.new_phone())
    results = race(100, lambda _: sign_in(challenge))
    assert sum(isinstance(result, Issued) for result in results) == 1
    assert {type(result) for result in results} <= {Issued, OtpInvalid}
    assert count(fresh_database, "sign_in") == 1


def test_parallel_guesses_share_the_five_tries(fresh_database, race, helpers):
    challenge = ask(helpers.new_phone())
    race(40, lambda number: sign_in(challenge, f"{number:06d}"))
    assert count(fresh_database, "otp_day", "failures = 5") == 1
    assert count(fresh_database, "otp_challenge", "tries = 5") == 1


def test_parallel_requests_send_one_code(fresh_database, race, helpers):
    phone = helpers.new_phone()
    results = race(20, lambda _: ask(phone))
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert count(fresh_database, "otp_challenge") == 1


def test_two_codes_of_an_unknown_phone_make_one_account(fresh_database, race, helpers):
    phone = helpers.new_phone()
    challenges = []
    for _ in range(4):
        challenges.append(ask(phone))
        with fresh_database.owner() as connection:
            connection.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    results = race(4, lambda number: sign_in(challenges[number]))
    assert all(isinstance(result, Issued) for result in results)
    assert count(fresh_database, "account") == 1


def test_fifty_parallel_refreshes_give_one_successor(fresh_database, race, helpers):
    issued = sign_in(ask(helpers.new_phone()))
    results = race(50, lambda _: renew(issued.refresh_token))
    assert all(isinstance(result, Issued) for result in results), results
    assert len({result.refresh_token for result in results}) == 1
    assert count(fresh_database, "sign_in", "refresh_number = 2 AND revoked_at IS NULL") == 1
    assert isinstance(renew(results[0].refresh_token), Issued)


def test_no_request_that_began_after_the_sign_out_is_let_in(fresh_database, race, helpers):
    issued = sign_in(ask(helpers.new_phone()))
    with db.statement() as connection:
        known = authenticate(connection, issued.access_token)
    revoked = []

    def work(number):
        if number == 0:
            with db.transaction() as session:
                sign_ins.sign_out(
                    session,
                    account_id=known.account_id,
                    sign_in_id=known.sign_in_id,
                    kind="citizen",
                )
            revoked.append(True)
            return []
        let_in = []
        for _ in range(20):
            began_after = bool(revoked)
            try:
                with db.statement() as connection:
                    authenticate(connection, issued.access_token)
            except Unauthenticated:
                continue
            let_in.append(began_after)
        return let_in

    results = race(16, work)
    assert not any(late for result in results for late in result)
    with pytest.raises(Unauthenticated), db.statement() as connection:
        authenticate(connection, issued.access_token)
    with pytest.raises(RefreshInvalid):
        renew(issued.refresh_token)


def test_a_document_claimed_by_many_at_once_belongs_to_one(fresh_database, race, helpers):
    # Enough of them to meet in every gap between the two unique indexes.
    known = []
    for _ in range(24):
        issued = sign_in(ask(helpers.new_phone()))
        with db.statement() as connection:
            known.append(authenticate(connection, issued.access_token))

    def prove(claim, number):
        with db.transaction() as session:
            return real_name.prove(
                session,
                account_id=known[number].account_id,
                device_id=known[number].device_id,
                claim=claim,
                verified_by="test",
            )

    today = clock.local_day(clock.now())
    for turn in range(10):
        claim = real_name.claim(
            document_type="passport", number=f"E1234567{turn}", name="王小明", today=today
        )
        results = race(24, partial(prove, claim))
        kinds = {type(result) for result in results}
        assert sum(isinstance(result, real_name.Proven) for result in results) == 1
        assert kinds <= {real_name.Proven, DocumentInUse, AccountHasPerson}, kinds
    assert count(fresh_database, "person") == 10


def test_the_index_alone_would_stop_a_second_holder(fresh_database, helpers):
    sign_in(ask(helpers.new_phone()))
    sign_in(ask(helpers.new_phone()))
    with fresh_database.owner() as connection:
        connection.execute(
            text(
                "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) VALUES "
                "('00000000-0000-7000-8000-000000000001', 'passport', 'test', now())"
            )
        )
        with pytest.raises(Exception, match="uq_account_person"):
            connection.execute(
                text(
                    "UPDATE accounts.account SET person_id = '00000000-0000-7000-8000-000000000001'"
                )
            )


def test_a_slow_worker_clock_gives_no_token_a_longer_life(fresh_database, helpers):
    issued = sign_in(ask(helpers.new_phone()))
    with db.statement() as connection:
        authenticate(connection, issued.access_token)
        in_time = clock.now() + timedelta(seconds=590)
        assert authenticate(connection, issued.access_token, now=in_time)
        with pytest.raises(Unauthenticated):
            authenticate(connection, issued.access_token, now=in_time + timedelta(seconds=15))


def test_a_late_refresh_does_not_turn_the_family_back(fresh_database, helpers):
    first = sign_in(ask(helpers.new_phone())).refresh_token
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            second = refresh(session, token=first).refresh_token
            refresh(session, token=second)
            late = pool.submit(renew, first)
            # It has read the row, or waits for it; both happen within this time.
            wait([late], timeout=0.3)
        assert isinstance(late.exception(), RefreshInvalid)
    assert count(fresh_database, "sign_in", "refresh_number = 3") == 1
