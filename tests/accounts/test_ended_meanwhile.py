"""What was let in and waits for the recovery, reset or sign-out that ends it changes nothing."""

import threading
import time

import people
import pyotp
import pytest
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.accounts.services import (
    citizens,
    devices,
    factors,
    otp,
    passwords,
    phones,
    recovery,
    recovery_codes,
    sign_ins,
)
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.officials import Official
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.errors import Unauthenticated

OLD, THIEFS, NEW = "+8613900000001", "+8613900000002", "+8613900000003"
OFFICIAL = Official(kind="staff", id=db.new_id(), organisation_id=db.new_id(), case_id=db.new_id())


class Waiting:
    """Work in a thread of its own, that is known to wait for a lock before the test goes on."""

    def __init__(self, fresh, work):
        self.result = None

        def run():
            try:
                self.result = work()
            except Exception as error:  # noqa: BLE001 - the test judges it
                self.result = error

        self.thread = threading.Thread(target=run)
        self.thread.start()
        for _ in range(200):
            with fresh.owner() as connection:
                if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                    return
            time.sleep(0.02)
        raise AssertionError(self.result or "nothing waits")

    def end(self):
        self.thread.join(10)
        return self.result


def sign_in_of(someone):
    return refresh_tokens.parse(someone.refresh_token).sign_in_id


def proof(phone, **more):
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        asked = otp.request_code(session, phone=phone, code="493027", language="zh", **more)
    return ProvenPhone(challenge_id=asked.challenge_id, phone=phone)


def change(someone, proven):
    with db.transaction() as session:
        phones.change_phone(
            session,
            account_id=someone.account_id,
            sign_in_id=sign_in_of(someone),
            proven=proven,
        )


def phone_now(fresh, someone):
    with fresh.owner() as connection:
        sealed = connection.scalar(
            text("SELECT phone_sealed FROM accounts.account WHERE id = :id"),
            {"id": someone.account_id},
        )
    return crypto.current().open(sealed, place=phone_place(someone.account_id))


def alive(fresh, someone):
    with fresh.owner() as connection:
        return connection.scalar(
            text(
                "SELECT count(*) FROM accounts.sign_in "
                "WHERE account_id = :id AND revoked_at IS NULL"
            ),
            {"id": someone.account_id},
        )


@pytest.mark.parametrize("target", [THIEFS, NEW])
def test_a_thiefs_change_of_number_does_not_come_after_the_recovery(fresh_database, target):
    person = people.citizen(phone=OLD)
    proven = proof(target, purpose="new_phone", device=person.device_id)
    with db.transaction() as session:
        recovery.recover(session, person_id=person.person_id, phone=NEW, official=OFFICIAL)
        thief = Waiting(fresh_database, lambda: change(person, proven))
    assert isinstance(thief.end(), Unauthenticated)
    assert phone_now(fresh_database, person) == NEW


def test_a_sign_in_by_the_old_number_does_not_outlive_its_change(fresh_database):
    person = people.citizen(phone=OLD)
    proven = proof(NEW, purpose="new_phone", device=person.device_id)
    by_old = proof(OLD)
    with db.transaction() as session:
        # It has found its account by the old number, and is about to open a sign-in there.
        phones.lock(session, OLD)
        changing = Waiting(fresh_database, lambda: change(person, proven))
        issued = citizens.sign_in(session, proven=by_old, wish=Wish())
        assert isinstance(issued, Issued)
    assert changing.end() is None
    assert phone_now(fresh_database, person) == NEW
    assert alive(fresh_database, person) == 1


def test_a_refresh_and_the_removal_of_its_device_do_not_wait_for_each_other(fresh_database):
    person = people.citizen(phone=OLD)

    def remove():
        with db.transaction() as session:
            devices.remove_device(
                session,
                account_id=person.account_id,
                device_id=person.device_id,
                kind="citizen",
            )

    with db.transaction() as session:
        # What a refresh does, in its order.
        session.execute(
            text("SELECT 1 FROM accounts.sign_in WHERE id = :id FOR UPDATE"),
            {"id": sign_in_of(person)},
        )
        removal = Waiting(fresh_database, remove)
        session.execute(
            text("UPDATE accounts.device SET last_seen_at = now() WHERE id = :id"),
            {"id": person.device_id},
        )
    assert removal.end() is None
    assert alive(fresh_database, person) == 0


@pytest.fixture
def clerk(fresh_database):
    someone = people.staff(people.pharmacy())
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE accounts.account SET totp_confirmed_at = now(), totp_sealed = 'x', "
                "password_hash = 'old' WHERE id = :id"
            ),
            {"id": someone.account_id},
        )
    return someone


def draw(session, someone):
    return recovery_codes.draw_codes(
        session, account_id=someone.account_id, sign_in_id=sign_in_of(someone)
    )


def confirm(session, someone):
    secret = factors.begin_totp(session, account_id=someone.account_id).secret
    factors.confirm_totp(
        session,
        account_id=someone.account_id,
        sign_in_id=sign_in_of(someone),
        code=pyotp.TOTP(secret).now(),
    )


def replace(session, someone):
    passwords.change_password(
        session,
        account_id=someone.account_id,
        sign_in_id=sign_in_of(someone),
        kind="staff",
        old="old",
        new="new",
    )


@pytest.mark.parametrize("work", [draw, confirm, replace])
def test_no_factor_changes_after_its_sign_in_ended(fresh_database, clerk, work):
    def act():
        with db.transaction() as session:
            work(session, clerk)

    with db.transaction() as session:
        sign_ins.end_others(session, account_id=clerk.account_id, keep=None, reason="signed_out")
        waiting = Waiting(fresh_database, act)
    assert isinstance(waiting.end(), Unauthenticated)
