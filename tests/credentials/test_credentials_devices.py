"""Keys of phones on the real database: registered with proof, ended with all they signed for."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from citizen_cloud.credentials import proofs, services
from citizen_cloud.credentials.refusals import (
    ChallengeUnknown,
    DeviceKeyRefused,
    DeviceKeyTaken,
    DeviceKeyUnknown,
    ProofRefused,
    ShowKeyRefused,
    ShowKeyUsed,
)
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from tests import people
from tests.phone import Phone

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FAR = NOW + timedelta(days=2)


def ask(session, someone, now=NOW):
    return services.challenge(
        session, account_id=someone.account_id, device_id=someone.device_id, now=now
    )


def register(session, someone, phone, *, asked=None, proof=None, now=NOW):
    asked = asked or ask(session, someone)
    proof = proof or proofs.from_text(phone.registering(proofs.to_text(asked.challenge)))
    return services.register_device_key(
        session,
        account_id=someone.account_id,
        device_id=someone.device_id,
        challenge_id=asked.id,
        public_key=proofs.from_text(phone.public_key),
        proof=proof,
        now=now,
    )


def live(session, someone):
    return services.live_device_key(
        session, account_id=someone.account_id, device_id=someone.device_id
    )


def issue(session, key, fresh, *, holder_id, colour="green", now=NOW):
    show_key, proof = (proofs.from_text(fresh[name]) for name in ("show_key", "proof"))
    services.prove_show_key(key.public_key, show_key=show_key, proof=proof)
    return services.issue_held(
        session,
        type="hc",
        holder_id=holder_id,
        colour=colour,
        expires_at=FAR,
        show_key=show_key,
        device_key_id=key.id,
        now=now,
    )


def is_revoked(session, held):
    asked = text("SELECT revoked_at IS NOT NULL FROM credentials.credential WHERE jti = :jti")
    return session.scalar(asked, {"jti": held.jti})


@pytest.fixture
def someone(session):
    return people.citizen(session=session)


def test_a_phone_that_proves_its_key_is_registered_and_the_account_is_told(session, someone):
    key = register(session, someone, phone := Phone())
    assert live(session, someone) == key
    assert proofs.to_text(key.public_key) == phone.public_key
    told = session.execute(
        text("SELECT payload FROM jobs.outbox WHERE event = 'credentials.device_registered'")
    ).scalar_one()
    assert told == {"account_id": str(someone.account_id), "device_id": str(someone.device_id)}


def test_a_challenge_counts_once_for_its_phone_and_for_five_minutes(session, someone):
    other = people.citizen(session=session)
    asked = ask(session, someone)
    with pytest.raises(ChallengeUnknown):
        register(session, other, Phone(), asked=asked)
    with pytest.raises(ChallengeUnknown):
        register(session, someone, Phone(), asked=asked, now=NOW + timedelta(minutes=5))
    asked = ask(session, someone)
    register(session, someone, Phone(), asked=asked)
    with pytest.raises(ChallengeUnknown):
        register(session, someone, Phone(), asked=asked)


def test_a_newer_challenge_voids_the_older_one(session, someone):
    older = ask(session, someone)
    ask(session, someone)
    with pytest.raises(ChallengeUnknown):
        register(session, someone, Phone(), asked=older)


def test_a_proof_by_another_key_is_refused_and_spends_the_challenge(session, someone):
    asked, phone = ask(session, someone), Phone()
    wrong = proofs.from_text(Phone().registering(proofs.to_text(asked.challenge)))
    with session.begin_nested() as point, pytest.raises(ProofRefused) as refused:
        register(session, someone, phone, asked=asked, proof=wrong)
    point.is_active and point.rollback()
    for work in refused.value.afterwards:
        work(session)
    with pytest.raises(ChallengeUnknown):
        register(session, someone, phone, asked=asked)


@pytest.mark.parametrize("raw", [b"", b"\x02" * 32, b"\x02" + b"\xff" * 32, b"\x04" + b"\1" * 64])
def test_what_is_no_point_of_the_curve_is_no_key(session, someone, raw):
    with pytest.raises(DeviceKeyRefused):
        services.register_device_key(
            session,
            account_id=someone.account_id,
            device_id=someone.device_id,
            challenge_id=ask(session, someone).id,
            public_key=raw,
            proof=b"\0" * 64,
            now=NOW,
        )


def test_a_key_serves_one_phone_and_the_same_phone_may_send_it_again(session, someone):
    phone = Phone()
    assert register(session, someone, phone) == register(session, someone, phone)
    with pytest.raises(DeviceKeyTaken):
        register(session, people.citizen(session=session), phone)


def test_a_new_key_of_a_phone_ends_the_old_one_for_ever(session, someone):
    old, phone = register(session, someone, first := Phone()), Phone()
    held = issue(session, old, first.fresh_key(), holder_id=someone.person_id)
    new = register(session, someone, phone)
    assert live(session, someone) == new
    assert is_revoked(session, held)
    with pytest.raises(DeviceKeyTaken):
        register(session, someone, first)
    with pytest.raises(DeviceKeyUnknown):
        issue(session, old, first.fresh_key(), holder_id=someone.person_id)


def test_a_lost_phone_ends_with_every_code_on_it(session, someone):
    key = register(session, someone, phone := Phone())
    held = issue(session, key, phone.fresh_key(), holder_id=someone.person_id)
    asked = {"account_id": someone.account_id, "device_id": someone.device_id, "now": NOW}
    services.report_lost(session, **asked)
    assert live(session, someone) is None
    assert is_revoked(session, held)
    with pytest.raises(NotFound):
        services.report_lost(session, **asked)


def test_nobody_reports_somebody_elses_phone(session, someone):
    register(session, someone, Phone())
    with pytest.raises(NotFound):
        services.report_lost(
            session,
            account_id=people.citizen(session=session).account_id,
            device_id=someone.device_id,
        )
    assert live(session, someone) is not None


def test_the_same_show_key_gives_the_same_code_and_serves_nobody_else(session, someone):
    key = register(session, someone, phone := Phone())
    fresh = phone.fresh_key()
    held = issue(session, key, fresh, holder_id=someone.person_id)
    again = issue(session, key, fresh, holder_id=someone.person_id, now=NOW + timedelta(hours=1))
    assert again == held
    with pytest.raises(ShowKeyUsed):
        issue(session, key, fresh, holder_id=new_id())
    with pytest.raises(ShowKeyUsed):
        issue(session, key, fresh, holder_id=someone.person_id, colour="red")
    services.revoke_held(session, holders=[someone.person_id], types=["hc"], now=NOW)
    with pytest.raises(ShowKeyUsed):
        issue(session, key, fresh, holder_id=someone.person_id)


def test_a_show_key_of_another_phone_signed_by_the_first_serves_no_second_phone(session, someone):
    other = people.citizen(session=session)
    mine = register(session, someone, phone := Phone())
    fresh = phone.fresh_key()
    held = issue(session, mine, fresh, holder_id=someone.person_id)
    theirs = register(session, other, Phone())
    with pytest.raises(ProofRefused):
        issue(session, theirs, fresh, holder_id=someone.person_id)
    assert not is_revoked(session, held)


def test_a_show_key_must_be_a_fresh_point_that_the_phone_signed_for(session, someone):
    key = register(session, someone, phone := Phone())
    fresh, other = phone.fresh_key(), phone.fresh_key()
    with pytest.raises(ProofRefused):
        issue(session, key, {**fresh, "proof": other["proof"]}, holder_id=someone.person_id)
    with pytest.raises(ShowKeyRefused):
        issue(session, key, {**fresh, "show_key": "AAAA"}, holder_id=someone.person_id)
    with pytest.raises(ShowKeyRefused):
        services.prove_show_key(key.public_key, show_key=key.public_key, proof=b"\0" * 64)


def test_who_acts_no_more_keeps_no_code_of_the_person_he_acted_for(session, someone):
    key = register(session, someone, phone := Phone())
    child = new_id()
    theirs = issue(session, key, phone.fresh_key(), holder_id=child)
    own = issue(session, key, phone.fresh_key(), holder_id=someone.person_id)
    ended = services.revoke_held_by(
        session, account_id=someone.account_id, holders=[child], types=["hc"], now=NOW
    )
    assert (ended, is_revoked(session, theirs), is_revoked(session, own)) == (1, True, False)


def test_a_code_issued_while_the_phone_is_reported_lost_ends_with_it(fresh_database):
    pool = fresh_database.database
    with pool.transaction() as session:
        someone = people.citizen(session=session)
        key = register(session, someone, phone := Phone())
    asked = {"account_id": someone.account_id, "device_id": someone.device_id}
    fresh, issued, reported = phone.fresh_key(), threading.Event(), []

    def report():
        issued.wait()
        with pool.transaction() as session:
            services.report_lost(session, **asked)
            reported.append(True)

    thread = threading.Thread(target=report)
    thread.start()
    with pool.transaction() as session:
        held = issue(session, key, fresh, holder_id=someone.person_id)
        issued.set()
        thread.join(0.3)
        # It waits for the code that is being issued.
        assert not reported
    thread.join()
    with pool.transaction() as session:
        assert is_revoked(session, held)
        with pytest.raises(DeviceKeyUnknown):
            issue(session, key, phone.fresh_key(), holder_id=someone.person_id)
