"""Strangers run into limits of their network and of the city's purse; known devices do not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.jobs import forget_codes
from citizen_cloud.accounts.refusals import OtpInvalid, SmsPaused
from citizen_cloud.accounts.rules.networks import network_of
from citizen_cloud.accounts.services import networks, otp, otp_tries, sms_spend
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.config import STRANGERS, load_settings
from citizen_cloud.errors import TooMany

NOON = datetime(2026, 3, 2, 4, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
NETWORK, OTHER = "192.0.2.0/24", "198.51.100.0/24"
CODE, WRONG = "493027", "493028"
numbers = iter(range(10**7))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.254", "192.0.2.0/24"),
        ("192.0.3.77", "192.0.3.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("-", "-"),
        ("not an address", "not an address"),
    ],
)
def test_a_network_is_what_one_subscriber_has(address, network):
    assert network_of(address) == network


def ask(session, *, phone=None, network=NETWORK, now=NOON, device=None):
    phone = phone or f"138{next(numbers):08d}"
    with session.begin_nested():
        return otp.request_code(
            session,
            phone=phone,
            code=CODE,
            language="zh",
            network=network,
            device=device,
            now=now,
        )


def attempt(session, challenge, code=WRONG, network=NETWORK, *, now=NOON, device=None):
    return otp_tries.try_code(
        session.connection(),
        challenge_id=challenge.challenge_id,
        code=code,
        network=network,
        device=device,
        now=now,
    )


def test_a_network_asks_for_so_many_codes_an_hour(session, allow):
    allow(codes_per_network=3)
    for _ in range(3):
        ask(session)
    with pytest.raises(TooMany) as refused:
        ask(session)
    assert refused.value.facts["retry_after"] == 50 * 60
    ask(session, network=OTHER)
    ask(session, network=None)
    with pytest.raises(TooMany):
        ask(session, now=NOON + 49 * timedelta(minutes=1))
    ask(session, now=NOON + 50 * timedelta(minutes=1))


def test_a_refused_code_costs_the_network_nothing(session, allow):
    allow(codes_per_network=2)
    phone = "13800138000"
    ask(session, phone=phone)
    for _ in range(5):
        with pytest.raises(TooMany):
            ask(session, phone=phone)
    ask(session)


def test_networks_are_kept_as_keyed_hashes_for_a_day(session):
    ask(session)
    kept = session.execute(text("SELECT network FROM accounts.network_hour")).scalar_one()
    assert b"192.0.2" not in bytes(kept)
    assert len(kept) == 32
    assert forget_codes(NOON + 23 * HOUR) == 0
    assert forget_codes(NOON + 26 * HOUR) >= 2
    assert session.scalar(text("SELECT count(*) FROM accounts.network_hour")) == 0
    assert session.scalar(text("SELECT count(*) FROM accounts.sms_hour")) == 0


def test_a_network_that_fails_too_often_waits_for_the_next_hour(session, allow):
    allow(failures_per_network=7)
    first = ask(session)
    for _ in range(2):
        challenge = ask(session)
        for _ in range(4):
            attempt(session, challenge)
    count = session.scalar(text("SELECT failures FROM accounts.network_hour"))
    assert count == 7
    blocked = attempt(session, first, CODE)
    assert isinstance(blocked, TooMany)
    assert blocked.facts["retry_after"] == 50 * 60
    assert isinstance(attempt(session, first, CODE, OTHER), ProvenPhone)


def test_right_codes_cost_the_network_nothing(session, allow):
    allow(failures_per_network=2)
    for _ in range(5):
        assert isinstance(attempt(session, ask(session), CODE), ProvenPhone)


def test_failures_of_a_known_device_are_not_its_neighbours(world, session, helpers):
    phone = helpers.new_phone()
    device = world.sign_in(phone)["device"]
    proof = DeviceProof(id=device["id"], secret=device["secret"])
    now = clock.now() + HOUR
    challenge = ask(session, phone=phone, device=proof, now=now)
    for _ in range(3):
        assert isinstance(attempt(session, challenge, device=proof, now=now), OtpInvalid)
    assert not session.scalar(text("SELECT sum(failures) FROM accounts.network_hour"))


def test_the_victim_signs_in_whatever_an_attacker_burns(world, session, helpers, allow):
    """His neighbour, on the same network: the phone's day, its lock, the network's hour."""
    allow(codes_per_network=11, failures_per_network=20)
    phone = helpers.new_phone()
    device = world.sign_in(phone)["device"]
    for _ in range(9):
        challenge, code = world.code(phone)
        for _ in range(3):
            world.try_code(challenge, helpers.wrong(code))
        session.execute(text("UPDATE accounts.otp_day SET locked_until = NULL"))
    session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    assert world.ask(phone).status_code == 429
    assert world.ask(helpers.new_phone()).status_code == 202
    assert world.ask(helpers.new_phone()).status_code == 429
    assert world.try_code(challenge, code).status_code == 429
    challenge, code = world.code(phone, device=device)
    assert world.try_code(challenge, code).status_code == 401
    mine = world.try_code(challenge, code, device=device)
    assert (mine.status_code, mine.json["device"]) == (200, {"id": device["id"]})


def test_passwords_are_guessed_from_a_network_only_so_often(world, session, allow):
    allow(failures_per_network=3)
    username, password, _, tokens = world.enrolled()
    for name in ("nobody.1", username, "nobody.2"):
        answer = world.token("password", username=name, password="x" + password)
        assert answer.json["code"] == "credentials_invalid"
    for name in ("nobody.1", username):
        answer = world.token("password", username=name, password=password)
        assert (answer.status_code, answer.json["code"]) == (429, "rate_limited")
        assert "Retry-After" in answer.headers
    mine = world.token("password", username=username, password=password, device=tokens["device"])
    assert mine.json["code"] == "totp_required"
    thiefs = world.enrolled_elsewhere()
    answer = world.token("password", username=username, password=password, device=thiefs)
    assert answer.status_code == 429
    world.move()
    answer = world.token("password", username=username, password=password)
    assert answer.json["code"] == "totp_required"


def test_the_hours_budget_of_texts_is_exact(session, allow):
    allow(texts=20, kept_share=0.2)
    for _ in range(16):
        ask(session, network=None)
    with pytest.raises(SmsPaused) as refused:
        ask(session, network=None)
    assert refused.value.facts["retry_after"] == 50 * 60
    assert session.scalar(text("SELECT sum(sent) FROM accounts.sms_hour")) == 16
    ask(session, network=None, now=NOON + HOUR)


def test_the_last_fifth_is_kept_for_known_devices(world, session, helpers, allow):
    phones = [helpers.new_phone() for _ in range(5)]
    known = [(phone, world.sign_in(phone)["device"]) for phone in phones]
    now = clock.now() + HOUR
    allow(texts=20, kept_share=0.2)
    for _ in range(16):
        ask(session, network=None, now=now)
    with pytest.raises(SmsPaused):
        ask(session, network=None, now=now)
    for phone, device in known[:4]:
        proof = DeviceProof(id=device["id"], secret=device["secret"])
        ask(session, phone=phone, device=proof, now=now)
    phone, device = known[4]
    with pytest.raises(SmsPaused):
        proof = DeviceProof(id=device["id"], secret=device["secret"])
        ask(session, phone=phone, device=proof, now=now)


def test_a_counter_is_served_from_what_is_kept(session, allow):
    allow(texts=10, kept_share=0.2)
    for _ in range(8):
        ask(session, network=None)
    with pytest.raises(SmsPaused):
        ask(session, network=None)
    asked = {"code": CODE, "language": "zh", "purpose": "counter", "now": NOON}
    assert otp.request_code(session, phone="13800138000", **asked)


def test_a_spent_budget_is_a_503_and_alarms_once_an_hour(world, session, helpers, allow):
    allow(texts=1, kept_share=0)
    assert world.ask(helpers.new_phone()).status_code == 202
    for _ in range(3):
        answer = world.ask(helpers.new_phone())
        assert (answer.status_code, answer.json["code"]) == (503, "sms_paused")
        assert int(answer.headers["Retry-After"]) == answer.json["retry_after"] <= 3600
    acts = session.execute(
        text("SELECT actor_kind, payload FROM audit.entry WHERE action = 'accounts.sms_paused'")
    ).all()
    assert [tuple(act) for act in acts] == [("system", {"texts": 1})]
    with db.transaction() as opened:
        assert sms_spend.raise_alarm(opened, now=clock.now() + HOUR)


def test_a_paused_text_costs_the_phone_nothing(world, session, helpers, allow):
    allow(texts=0)
    phone = helpers.new_phone()
    assert world.ask(phone).json["code"] == "sms_paused"
    allow(texts=100)
    assert world.ask(phone).status_code == 202


def test_parallel_senders_never_overspend(fresh_database, race, helpers, allow):
    allow(texts=50, kept_share=0)

    def send(_):
        with db.transaction() as session:
            sms_spend.take_text(session, is_proven=False)

    results = [result for _ in range(3) for result in race(30, send)]
    assert results.count(None) == 50
    assert {type(result) for result in results} == {type(None), SmsPaused}
    with fresh_database.owner() as connection:
        rows = connection.execute(text("SELECT sent FROM accounts.sms_hour")).scalars().all()
    assert sum(rows) == 50
    assert len(rows) == sms_spend.SHARDS


def test_parallel_strangers_of_a_network_share_its_hour(fresh_database, race, helpers, allow):
    allow(codes_per_network=15)

    def send(_):
        with db.transaction() as session:
            networks.take_code(session, network=NETWORK)

    results = race(30, send)
    assert results.count(None) == 15
    assert {type(result) for result in results} == {type(None), TooMany}


def test_production_is_stricter_than_a_developers_machine(monkeypatch):
    for name, value in {
        "DATABASE_URL": "postgresql://nowhere/none",
        "CITIZEN_CLOUD_SMS_URL": "https://sms.example",
        "CITIZEN_CLOUD_VERIFIER_URL": "https://names.example",
        **{
            f"CITIZEN_CLOUD_{ring}": "k1:x"
            for ring in (
                "TOKEN_KEYS",
                "FIELD_KEYS",
                "LOOKUP_KEYS",
                "QUOTA_KEY",
                "CREDENTIAL_KEYS",
                "TRUST_KEYS",
            )
        },
    }.items():
        monkeypatch.setenv(name, value)
    assert STRANGERS == {"embedded": (1_000, 1_000), "production": (15, 100)}
    for environment, wanted in STRANGERS.items():
        monkeypatch.setenv("CITIZEN_CLOUD_ENV", environment)
        found = load_settings()
        assert (found.otp_per_network_hour, found.failures_per_network_hour) == wanted
        assert found.sms_per_hour == 50_000
    monkeypatch.setenv("CITIZEN_CLOUD_OTP_PER_NETWORK_HOUR", "77")
    monkeypatch.setenv("CITIZEN_CLOUD_SMS_PER_HOUR", "9")
    found = load_settings()
    assert (found.otp_per_network_hour, found.sms_per_hour) == (77, 9)
