"""No answer tells whether a phone, a name, a challenge or a document is known: nor does its time.

300 interleaved calls a pair in the suite, 10,000 with ``PROVE=1``. Two controls: a known
difference must be found by the same measurement, and equal samples must pass it.
"""

import os
import random
import secrets
import subprocess
import sys
import time

import pytest
from sqlalchemy import text
from timing import P, finds, p_value, smallest_difference

from citizen_cloud import db
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.services import create_staff
from citizen_cloud.web import limits
from citizen_cloud.web.limits import Limiter

EACH = 5_000 if os.environ.get("PROVE") else 150
WARM_UP = 20
# What the control must find: more calls see less.
MADE_S = 0.0005 if os.environ.get("PROVE") else 0.003


@pytest.fixture
def ask(shared_app, fresh_database, allow, told, monkeypatch):
    """Send requests to the real pool: a transaction of a test's own would hide the commits."""
    allow(codes_per_network=10**6, failures_per_network=10**6, texts=10**6)
    client = shared_app.test_client(use_cookies=False)
    monkeypatch.setattr(Limiter, "_count", lambda *_: (1, 60))
    assert limits.EXTENSION in shared_app.extensions

    def post(path, body, **headers):
        client.environ_base["REMOTE_ADDR"] = f"10.0.0.{secrets.randbelow(250) + 1}"
        return client.post("/api/v1" + path, json=body, headers=headers)

    return post


@pytest.fixture
def session_code(ask, helpers):
    """Ask for a code and return it with its challenge."""

    def sent(number):
        challenge = ask("/auth/otp", {"phone": number}).json["challenge_id"]
        with db.transaction() as session:
            return {
                "challenge_id": challenge,
                "code": helpers.sent_code(session, challenge)["code"],
            }

    return sent


def shape(answer):
    """Return all that a caller can see of an answer but the time and what names the request."""
    body = {
        name: len(value) if isinstance(value, str) and name != "code" else value
        for name, value in answer.json.items()
        if name not in ("expires_at", "resend_at", "retry_after")
    }
    return answer.status_code, body, sorted(name for name, _ in answer.headers)


def run(sql):
    with db.transaction() as session:
        session.execute(text(sql))


def same_time(record_property, known, unknown, **options):
    """Compare what is seen, then how long it takes."""
    for number in range(WARM_UP):
        seen = [shape(call(-1 - number)) for call in (known, unknown)]
        assert seen[0] == seen[1]
    p = smallest_difference((known, unknown), EACH, **options)
    record_property("trials", 2 * EACH)
    record_property("facts", f"p = {p:.3f}")
    assert p > P, f"p = {p}"


def phone(number, kind):
    return f"138{kind}{number % 10**6:07d}"


def make_accounts(count):
    """Give some thousand phones an account, quickly."""
    from citizen_cloud import crypto

    with db.transaction() as session:
        rows = [
            {"index": crypto.current().lookup("phone", "+86" + phone(number, 1))}
            for number in range(-WARM_UP, count)
        ]
        session.execute(
            text("INSERT INTO accounts.account (kind, phone_index) VALUES ('citizen', :index)"),
            rows,
        )


def test_a_code_for_a_known_phone_is_sent_as_one_for_an_unknown_phone(ask, record_property):
    make_accounts(EACH * 7)
    turns = iter(range(10**9))
    same_time(
        record_property,
        lambda _: ask("/auth/otp", {"phone": phone(next(turns) - WARM_UP, 1)}),
        lambda _: ask("/auth/otp", {"phone": phone(next(turns), 2)}),
    )


def test_a_device_that_proves_nothing_learns_nothing_of_the_phone(ask, record_property):
    from people import citizen

    make_accounts(EACH * 7)
    holder = citizen(1, phone="+86" + phone(0, 1))
    device = {"id": str(holder.device_id), "secret": "x" * 43}
    run("UPDATE accounts.otp_day SET sent = 0")
    turns = iter(range(1, 10**9))
    same_time(
        record_property,
        lambda _: ask("/auth/otp", {"phone": phone(next(turns), 1), "device": device}),
        lambda _: ask("/auth/otp", {"phone": phone(next(turns), 2), "device": device}),
    )


def test_a_code_does_not_tell_whose_another_account_is(ask, session_code):
    from people import citizen

    stranger = str(citizen().account_id)
    sent = session_code("13700137000")
    answers = [
        ask("/auth/token", {"grant_type": "otp", **sent, "account_id": account_id})
        for account_id in (stranger, "0198c0de-0000-7000-8000-000000000000")
    ]
    assert shape(answers[0]) == shape(answers[1])
    assert answers[0].json["code"] == "account_choice_required"


def staff(username):
    with db.transaction() as session:
        create_staff(session, username=username, display_name="李药师", kind="staff")


@pytest.fixture
def unhurried(monkeypatch):
    """Let refusals of passwords wait as the server's do, as long as the test's cheap hash needs."""
    monkeypatch.setattr(hashing.current(), "_soonest_s", 0.02)


def guess(ask, username):
    body = {"grant_type": "password", "username": username, "password": "wrong password"}
    return lambda _: ask("/auth/token", body)


def test_a_wrong_password_of_a_known_name_is_refused_as_one_of_nobody(
    ask, unhurried, record_property
):
    staff("li.wei")

    def unlock():
        # Seldom: each version of the row that this leaves is one more to step over.
        run("UPDATE accounts.account SET failures = 0, locked_until = NULL WHERE failures > 3")

    same_time(record_property, guess(ask, "li.wei"), guess(ask, "wang.li"), before=unlock)


def test_a_paused_account_is_refused_as_nobody(ask, unhurried, record_property):
    staff("li.wei")
    run("UPDATE accounts.account SET locked_until = now() + interval '1 day'")
    same_time(record_property, guess(ask, "li.wei"), guess(ask, "wang.li"))


def test_no_refusal_of_a_password_comes_sooner_than_another(ask, monkeypatch):
    monkeypatch.setattr(hashing.current(), "_soonest_s", 0.3)
    began = time.monotonic()
    assert guess(ask, "wang.li")(0).status_code == 401
    assert time.monotonic() - began >= 0.3


def test_the_server_itself_waits_with_its_refusals():
    command = "from citizen_cloud.accounts import hashing; print(hashing.current()._soonest_s)"
    told = subprocess.run([sys.executable, "-P", "-c", command], capture_output=True, check=True)
    assert float(told.stdout) == hashing.SOONEST_S


def test_nobody_costs_the_database_as_many_writes_as_somebody(world, session, statements):
    """What the clock of a busy machine may not show."""
    _, username, password = world.staff()

    def writes(name):
        statements.clear()
        world.token("password", username=name, password="x" + password)
        reads = [each for each in statements if not each.lstrip().startswith(("UPDATE", "WITH"))]
        return len(statements), len(reads)

    somebody = writes(username)
    assert writes("nobody.here") == somebody
    session.execute(text("UPDATE accounts.account SET locked_until = now() + interval '1 day'"))
    assert writes(username) == somebody


def test_a_document_with_a_wrong_name_is_refused_whether_or_not_it_is_known(ask, told):
    holder, asker = (signed_in(ask) for _ in range(2))
    assert prove(ask, holder, "11010519491231002X").status_code == 200
    told.answer = False
    answers = [prove(ask, asker, number) for number in ("11010519491231002X", "110101199003077176")]
    assert shape(answers[0]) == shape(answers[1])
    assert answers[0].json["code"] == "real_name_mismatch"


def signed_in(ask):
    from people import citizen

    someone = citizen(1)
    consent = {"purpose": "real_name", "version": 1}
    assert ask("/me/consents", consent, **someone.headers).status_code == 200
    return someone


def prove(ask, someone, number):
    body = {"document_type": "resident_id", "document_number": number, "name": "王小明"}
    return ask("/me/real-name", body, **someone.headers)


def test_a_difference_made_on_purpose_is_found(ask):
    """The control: so little more for the known name, which nobody would notice by hand."""

    def slower(number):
        time.sleep(MADE_S)
        return guess(ask, "li.wei")(number)

    assert finds((slower, guess(ask, "wang.li")), EACH), "the measurement is blind"


def test_the_rank_test_knows_equal_from_different():
    rng = random.Random(7)
    draw = [rng.lognormvariate(0, 1) for _ in range(900)]
    assert p_value(draw[:300], draw[300:600]) > P
    assert p_value(draw[:300], [value * 1.5 for value in draw[300:600]]) < P
    assert p_value([1.0] * 50, [1.0] * 50) == 1.0
    # Against published values of U (normal approximation, no continuity correction).
    assert abs(p_value([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 0.00902) < 0.0001
