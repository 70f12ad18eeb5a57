"""A small world of phones, codes and staff; cheap argon2, and a verifier that can be told."""

import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyotp
import pytest
from argon2 import Parameters
from argon2.low_level import ARGON2_VERSION, Type
from sqlalchemy import event, text

from citizen_cloud import crypto, db
from citizen_cloud.accounts import allowances, hashing, verifier
from citizen_cloud.accounts.services import create_staff, open_account
from citizen_cloud.jobs.services import secret_place

CHEAP = Parameters(
    type=Type.ID,
    version=ARGON2_VERSION,
    salt_len=16,
    hash_len=16,
    time_cost=1,
    memory_cost=8,
    parallelism=1,
)
DOCUMENT = {
    "document_type": "resident_id",
    "document_number": "11010519491231002X",
    "name": "王小明",
}


class ToldVerifier:
    """Says what a test wants to hear, and remembers what it was asked."""

    name = "told"

    def __init__(self):
        self.answer = True
        self.asked = []

    def matches(self, **asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def cheap_passwords():
    before = hashing.current()
    hashing.install(hashing.Passwords(CHEAP))
    yield
    hashing.install(before)


@pytest.fixture
def told():
    before = list(verifier._current)
    answering = ToldVerifier()
    verifier.install(answering)
    yield answering
    verifier._current[:] = before


def new_phone():
    return f"138{secrets.randbelow(10**8):08d}"


def sent_code(session, challenge_id):
    """Open the code that left for the phone."""
    row = session.execute(
        text("SELECT id, secret FROM jobs.outbox WHERE payload ->> 'challenge_id' = :id"),
        {"id": str(challenge_id)},
    ).one()
    return json.loads(crypto.current().open(row.secret, place=secret_place(row.id)))


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


class World:
    """Signs people in through the routes."""

    def __init__(self, client):
        self.client = client
        # Each test comes from another address, so that they do not use up each other's limits.
        self.move()

    def post(self, path, body, token=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.post("/api/v1" + path, json=body, headers=headers)

    def get(self, path, token):
        return self.client.get("/api/v1" + path, headers={"Authorization": f"Bearer {token}"})

    def ask(self, phone, **more):
        return self.post("/auth/otp", {"phone": phone, **more})

    def code(self, phone, **more):
        """Ask for a code; return (challenge id, code). The minute's pause is skipped."""
        with db.transaction() as session:
            session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        answer = self.ask(phone, **more)
        assert answer.status_code == 202, answer.json
        challenge = answer.json["challenge_id"]
        with db.transaction() as session:
            return challenge, sent_code(session, challenge)["code"]

    def patch(self, path, body, token):
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.patch("/api/v1" + path, json=body, headers=headers)

    def delete(self, path, token):
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.delete("/api/v1" + path, headers=headers)

    def move(self):
        """Ask from another network from now on."""
        self.client.environ_base["REMOTE_ADDR"] = "10." + ".".join(
            str(secrets.randbelow(256)) for _ in range(3)
        )

    def sent(self, path, body, token):
        """Ask for a code by a route for the signed in; return (challenge id, code)."""
        with db.transaction() as session:
            session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        answer = self.post(path, body, token)
        assert answer.status_code == 202, answer.json
        challenge = answer.json["challenge_id"]
        with db.transaction() as session:
            return challenge, sent_code(session, challenge)["code"]

    def step_up(self, token):
        challenge, code = self.sent("/me/step-up/code", None, token)
        answer = self.post("/me/step-up", {"challenge_id": challenge, "code": code}, token)
        assert answer.status_code == 204, answer.json

    def change_phone(self, phone, token):
        challenge, code = self.sent("/me/phone/code", {"phone": phone}, token)
        return self.post("/me/phone", {"challenge_id": challenge, "code": code}, token)

    def token(self, grant_type, **more):
        return self.post("/auth/token", {"grant_type": grant_type, **more})

    def try_code(self, challenge, code, **more):
        return self.token("otp", challenge_id=challenge, code=code, **more)

    def sign_in(self, phone=None, **more):
        device = more.get("device")
        proof = {"device": device} if device and "id" in device else {}
        challenge, code = self.code(phone or new_phone(), **proof)
        answer = self.try_code(challenge, code, **more)
        assert answer.status_code == 200, answer.json
        return answer.json

    def refresh(self, refresh_token, **more):
        return self.token("refresh_token", refresh_token=refresh_token, **more)

    def consent(self, token):
        answer = self.post("/me/consents", {"purpose": "real_name", "version": 1}, token)
        assert answer.status_code == 200, answer.json

    def prove(self, token, **changes):
        return self.post("/me/real-name", {**DOCUMENT, **changes}, token)

    def person(self, phone=None, **changes):
        signed_in = self.sign_in(phone)
        self.consent(signed_in["access_token"])
        answer = self.prove(signed_in["access_token"], **changes)
        assert answer.status_code == 200, answer.json
        return signed_in

    def staff(self, kind="staff", username=None):
        """Return (account id, username, password) of an account with a password of its own."""
        username, password = username or "s" + secrets.token_hex(6), secrets.token_urlsafe(12)
        with db.transaction() as session:
            account_id = open_account(
                session,
                username=username,
                display_name="李药师",
                kind=kind,
                password_hash=hashing.current().hash(password),
            )
        return account_id, username, password

    def one_time(self, kind="staff"):
        """Return (username, one-time password) of an account that nobody signed in to yet."""
        username = "s" + secrets.token_hex(6)
        with db.transaction() as session:
            _, password = create_staff(session, username=username, display_name="李药师", kind=kind)
        return username, password

    def enrolled(self, kind="staff"):
        """Return (username, password, TOTP generator, tokens) after the first sign-in."""
        _, username, password = self.staff(kind)
        told = self.token("password", username=username, password=password)
        generator = pyotp.TOTP(told.json["secret"])
        answer = self.token("password", username=username, password=password, totp=generator.now())
        assert answer.status_code == 200, answer.json
        return username, password, generator, answer.json

    def enrolled_elsewhere(self):
        """Return a registered device of another member of staff, who sits in another network."""
        here = self.client.environ_base["REMOTE_ADDR"]
        self.move()
        device = self.enrolled()[3]["device"]
        self.client.environ_base["REMOTE_ADDR"] = here
        return device


@pytest.fixture
def world(client, told):
    return World(client)


@pytest.fixture
def allow():
    """Set the hour's allowances for one test."""
    before = allowances.current()

    def set_to(**changes):
        allowances.install(replace(before, **changes))

    yield set_to
    allowances.install(before)


@pytest.fixture
def statements(database):
    """Collect the SQL of the test's connection, without savepoints."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(database.connection, "before_cursor_execute", note)
    yield seen
    event.remove(database.connection, "before_cursor_execute", note)


@pytest.fixture
def race():
    """Run many callables, begun together; return results, exceptions among them."""

    def run(count, work):
        barrier = threading.Barrier(count)

        def one(number):
            barrier.wait()
            try:
                return work(number)
            except Exception as error:  # noqa: BLE001 - the test judges it
                return error

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.fixture
def helpers():
    """What tests without HTTP share."""

    class Helpers:
        DOCUMENT = DOCUMENT
        new_phone = staticmethod(new_phone)
        sent_code = staticmethod(sent_code)
        wrong = staticmethod(wrong)

    return Helpers
