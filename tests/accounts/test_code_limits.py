"""What codes cost over time: limits of a day, locks, and the owner's way in; time is passed in."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from citizen_cloud.accounts.refusals import OtpInvalid
from citizen_cloud.accounts.services import citizens, otp, otp_tries
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.errors import TooMany

# 10:00 in the city
NOON = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHONE = "+8613800138000"
CODE, WRONG = "493027", "493028"


def ask(session, now=NOON, phone=PHONE, device=None):
    return otp.request_code(session, phone=phone, code=CODE, language="zh", device=device, now=now)


def attempt(session, challenge, code=WRONG, now=NOON, device=None):
    return otp_tries.try_code(
        session.connection(),
        challenge_id=challenge.challenge_id,
        code=code,
        device=device,
        now=now,
    )


def registered(session, now=NOON):
    proven = attempt(session, ask(session, now), CODE, now)
    device = citizens.sign_in(session, proven=proven, wish=Wish(), now=now).device
    return DeviceProof(id=device.id, secret=device.secret)


def fail(session, times, now=NOON):
    """Fail with fresh codes, five tries each; return when the last one was."""
    for number in range(times):
        if number % 5 == 0:
            now += MINUTE
            challenge = ask(session, now)
        attempt(session, challenge, now=now)
    return now


def test_a_code_lives_five_minutes_to_the_second(session):
    challenge = ask(session)
    assert challenge.expires_at == NOON + 5 * MINUTE
    late = NOON + 5 * MINUTE
    assert isinstance(attempt(session, challenge, CODE, late), OtpInvalid)
    assert isinstance(attempt(session, challenge, CODE, late - timedelta(seconds=1)), ProvenPhone)


def test_a_right_code_is_not_spent_after_its_time(session):
    challenge = ask(session)
    proven = attempt(session, challenge, CODE)
    with pytest.raises(OtpInvalid):
        citizens.sign_in(session, proven=proven, wish=Wish(), now=NOON + 5 * MINUTE)


def test_another_code_may_be_asked_for_after_sixty_seconds(session):
    challenge = ask(session)
    assert challenge.resend_at == NOON + MINUTE
    with pytest.raises(TooMany) as refused:
        ask(session, NOON + timedelta(seconds=59))
    assert refused.value.facts["retry_after"] == 1
    ask(session, NOON + MINUTE)


def test_a_phone_gets_ten_codes_a_city_day(session):
    for number in range(10):
        ask(session, NOON + number * MINUTE)
    with pytest.raises(TooMany) as refused:
        ask(session, NOON + 10 * MINUTE)
    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert refused.value.facts["retry_after"] == (midnight - NOON - 10 * MINUTE).total_seconds()
    with pytest.raises(TooMany):
        ask(session, midnight - timedelta(seconds=1))
    ask(session, midnight)


def test_midnight_does_not_shorten_the_minute(session):
    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    ask(session, midnight - timedelta(seconds=10))
    with pytest.raises(TooMany) as refused:
        ask(session, midnight + timedelta(seconds=10))
    assert refused.value.facts["retry_after"] == 40


def test_a_resend_does_not_reset_the_failures(session):
    fail(session, 12)
    row = session.execute(text("SELECT failures, sent FROM accounts.otp_day")).one()
    assert (row.failures, row.sent) == (12, 3)


def test_twenty_failures_lock_the_phone_for_an_hour(session):
    first = ask(session)
    last = fail(session, 19, NOON)
    assert isinstance(attempt(session, first, CODE, NOON), ProvenPhone)
    challenge = ask(session, last + MINUTE)
    locked_at = last + MINUTE
    attempt(session, challenge, now=locked_at)
    locked = attempt(session, challenge, CODE, locked_at)
    assert isinstance(locked, TooMany)
    assert locked.facts["retry_after"] == 3600
    with pytest.raises(TooMany) as refused:
        ask(session, locked_at + 59 * MINUTE)
    assert refused.value.facts["retry_after"] == 60
    challenge = ask(session, locked_at + 60 * MINUTE)
    assert isinstance(attempt(session, challenge, CODE, locked_at + 60 * MINUTE), ProvenPhone)


def test_a_lock_is_recorded(session):
    fail(session, 20)
    acts = session.execute(text("SELECT action, actor_kind FROM audit.entry")).all()
    assert ("accounts.code_locked", "stranger") in [tuple(act) for act in acts]


def test_a_lock_holds_over_midnight(session):
    start = datetime(2026, 3, 2, 15, 50, tzinfo=UTC)
    locked_at = fail(session, 20, start)
    with pytest.raises(TooMany):
        ask(session, locked_at + 30 * MINUTE)


def test_strangers_cannot_lock_out_the_holder_of_a_registered_device(session):
    device = registered(session)
    locked_at = fail(session, 20)
    with pytest.raises(TooMany):
        ask(session, locked_at + MINUTE)
    mine = ask(session, locked_at + MINUTE, device=device)
    proven = attempt(session, mine, CODE, locked_at + MINUTE, device)
    assert isinstance(proven, ProvenPhone)


def test_strangers_cannot_use_up_the_owners_codes(session):
    device = registered(session)
    for number in range(1, 10):
        ask(session, NOON + number * MINUTE)
    with pytest.raises(TooMany):
        ask(session, NOON + 10 * MINUTE)
    ask(session, NOON + 10 * MINUTE, device=device)


def test_a_devices_allowance_ends_as_well(session):
    device = registered(session)
    for number in range(10):
        ask(session, NOON + (number + 1) * MINUTE, device=device)
    with pytest.raises(TooMany):
        ask(session, NOON + 11 * MINUTE, device=device)


def test_a_device_that_proves_nothing_gets_the_strangers_allowance(session):
    device = registered(session)
    made_up = DeviceProof(id=device.id, secret="guess")  # noqa: S106 - a wrong one
    with pytest.raises(TooMany):
        ask(session, NOON, device=made_up)


def test_a_device_of_another_phone_gets_the_strangers_allowance(session):
    device = registered(session)
    ask(session, phone="+8613900139000")
    with pytest.raises(TooMany):
        ask(session, phone="+8613900139000", device=device)


def test_a_devices_code_is_good_on_that_device_only(session):
    device = registered(session)
    mine = ask(session, NOON + MINUTE, device=device)
    now = NOON + MINUTE
    assert isinstance(attempt(session, mine, CODE, now), OtpInvalid)
    thief = DeviceProof(id=device.id, secret="guess")  # noqa: S106 - a wrong one
    assert isinstance(attempt(session, mine, CODE, now, thief), OtpInvalid)
    assert isinstance(attempt(session, mine, CODE, now, device), ProvenPhone)


def test_a_removed_device_has_no_allowance(session):
    device = registered(session)
    session.execute(text("UPDATE accounts.device SET removed_at = now()"))
    with pytest.raises(TooMany):
        ask(session, NOON, device=device)


def test_the_same_code_is_stored_differently_each_time(session):
    ask(session)
    ask(session, NOON + MINUTE)
    hashes = session.execute(text("SELECT code_hash FROM accounts.otp_challenge")).scalars().all()
    assert len(set(hashes)) == 2
