"""Issue, revoke, verify against the record, on the real database."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from citizen_cloud import crypto
from citizen_cloud.credentials import keys, services, verifier
from citizen_cloud.credentials.jobs import forget_expired
from citizen_cloud.credentials.refusals import (
    ALL,
    CredentialExpired,
    CredentialForged,
    CredentialInvalid,
    CredentialNotIssued,
    CredentialNotYetValid,
    CredentialRevoked,
    CredentialUnknownIssuer,
    CredentialWrongType,
)
from citizen_cloud.crypto import KeyRing
from citizen_cloud.db import new_id
from citizen_cloud.errors import Conflict, Invalid
from citizen_cloud.web.problems import status_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEGINS = NOW - timedelta(microseconds=1)
ENDS = NOW + timedelta(hours=4)


def issue(session, subject_id, *, now=NOW, begins=BEGINS, ends=ENDS, kind="voucher"):
    return services.issue(
        session, type=kind, subject_id=subject_id, not_before=begins, expires_at=ends, now=now
    )


def verify(session, code, *, now=NOW, kind="voucher"):
    return services.verify(session, code=code, type=kind, now=now)


@pytest.fixture
def rings(session):
    """Put the process's keys back after a test that changes them."""
    held = crypto.current()
    yield held
    crypto._current[:] = [held]


def with_ring(rings, **seeds):
    crypto._current[:] = [replace(rings, credentials=KeyRing(seeds))]


def test_a_code_comes_back_as_what_it_was_issued_for(session):
    subject_id = new_id()
    code = issue(session, subject_id)
    found = verify(session, code.text)
    assert (found.subject_id, found.jti, found.type) == (subject_id, code.jti, "voucher")
    assert (found.not_before, found.expires_at) == (NOW - timedelta(seconds=1), ENDS)


def test_asking_again_gives_the_same_text_by_one_statement(session):
    subject_id = new_id()
    first = issue(session, subject_id)
    seen = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
    again = issue(session, subject_id, now=NOW + timedelta(hours=1))
    assert again == first
    assert len(seen) == 1


def test_two_subjects_share_nothing(session):
    one, other = issue(session, new_id()), issue(session, new_id())
    assert one.jti != other.jti
    assert one.text[-80:] != other.text[-80:]


def test_issuing_at_the_same_instant_gives_one_code(fresh_database):
    subject_id, codes = new_id(), []
    barrier = threading.Barrier(16)

    def ask():
        barrier.wait()
        with fresh_database.database.transaction() as session:
            codes.append(issue(session, subject_id).text)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 16
    assert len(set(codes)) == 1
    with fresh_database.database.statement() as connection:
        assert connection.scalar(text("SELECT count(*) FROM credentials.credential")) == 1


def test_other_times_end_the_old_code_and_begin_a_new_one(session):
    subject_id = new_id()
    old = issue(session, subject_id)
    new = issue(session, subject_id, ends=ENDS + timedelta(hours=1))
    assert new.text != old.text
    verify(session, new.text)
    with pytest.raises(CredentialRevoked):
        verify(session, old.text)


def test_a_revoked_code_is_over_and_the_next_one_is_another(session):
    subject_id = new_id()
    old = issue(session, subject_id)
    assert services.revoke(session, type="voucher", subject_id=subject_id, now=NOW)
    assert not services.revoke(session, type="voucher", subject_id=subject_id, now=NOW)
    with pytest.raises(CredentialRevoked):
        verify(session, old.text)
    assert issue(session, subject_id).jti != old.jti


def test_times_are_refused_by_the_given_clock(session):
    code = issue(session, new_id(), begins=NOW + timedelta(hours=1)).text
    with pytest.raises(CredentialNotYetValid):
        verify(session, code)
    verify(session, code, now=ENDS - timedelta(seconds=1))
    with pytest.raises(CredentialExpired):
        verify(session, code, now=ENDS)


def test_without_a_given_instant_the_databases_clock_decides(session):
    subject_id = new_id()
    code = issue(session, subject_id)
    with pytest.raises(CredentialExpired):
        services.verify(session, code=code.text, type="voucher")


def test_a_code_for_something_else_is_refused(session):
    with pytest.raises(CredentialWrongType):
        verify(session, issue(session, new_id(), kind="pass").text)


@pytest.mark.parametrize("code", ["", "CC1:", "garbage", "💥", "CC1:" + "A" * 900, "\x00"])
def test_garbage_is_refused_without_asking_the_database(session, code):
    seen = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
    with pytest.raises(CredentialInvalid):
        verify(session, code)
    assert not seen


def test_an_altered_code_is_refused(session):
    code = issue(session, new_id()).text
    # The last characters belong to the signature.
    changed = code[:-3] + ("ABC" if code[-3:] != "ABC" else "BCD")
    with pytest.raises(CredentialForged):
        verify(session, changed)


def test_a_signature_without_a_record_is_refused_and_logged(session, capsys):
    code = issue(session, new_id())
    session.execute(text("DELETE FROM credentials.credential"))
    with pytest.raises(CredentialNotIssued):
        verify(session, code.text)


@pytest.mark.parametrize("column", ["issued_at", "not_before", "expires_at"])
def test_a_stolen_key_cannot_prolong_a_code_that_was_issued(session, column):
    code = issue(session, new_id())
    session.execute(
        text(f"UPDATE credentials.credential SET {column} = {column} - interval '1 second'")
    )
    with pytest.raises(CredentialNotIssued):
        verify(session, code.text)


def test_an_old_key_still_verifies_and_signs_its_own_codes_again(session, rings):
    seed = bytes(range(32))
    with_ring(rings, k1=seed)
    subject_id = new_id()
    old = issue(session, subject_id)
    with_ring(rings, k2=bytes(32), k1=seed)
    assert issue(session, subject_id).text == old.text
    verify(session, old.text)
    assert (
        verifier.read(
            issue(session, new_id()).text, type="voucher", keys=keys.public_keys()
        ).claims.kid
        == "c.k2"
    )


def test_a_key_taken_away_ends_its_codes_and_new_ones_come(session, rings):
    with_ring(rings, k1=bytes(range(32)))
    subject_id = new_id()
    old = issue(session, subject_id)
    with_ring(rings, k2=bytes(32))
    with pytest.raises(CredentialUnknownIssuer):
        verify(session, old.text)
    new = issue(session, subject_id)
    assert new.jti != old.jti
    verify(session, new.text)


def test_a_login_key_signs_no_code(session, rings):
    code = issue(session, new_id()).text
    crypto._current[:] = [replace(rings, credentials=rings.tokens)]
    with pytest.raises(CredentialForged):
        verify(session, code)


def test_codes_long_over_are_forgotten_and_still_read_as_expired(session):
    code = issue(session, new_id())
    assert forget_expired(ENDS + timedelta(days=179)) == 0
    assert forget_expired(ENDS + timedelta(days=181)) == 1
    with pytest.raises(CredentialExpired):
        verify(session, code.text, now=ENDS + timedelta(days=181))


def test_every_outcome_has_a_refusal_of_its_own_with_words_in_both_languages():
    assert len({refusal.code for refusal in ALL}) == len(ALL) == 8
    for refusal in ALL:
        assert status_of(refusal) in (409, 422)
        assert issubclass(refusal, Conflict | Invalid)
        for words in (refusal.title, refusal.detail):
            assert words.zh
            assert words.zh != words.en
