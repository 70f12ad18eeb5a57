"""Refresh tokens: once each, forgiving a lost answer, ending the family on reuse."""

import base64
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from citizen_cloud import crypto
from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.crypto import Crypto, KeyRing


def move_back(session, seconds):
    """Let time pass since the last exchange."""
    session.execute(
        text("UPDATE accounts.sign_in SET rotated_at = rotated_at - :by"),
        {"by": timedelta(seconds=seconds)},
    )


def revocation(session):
    return session.scalar(text("SELECT revoked_because FROM accounts.sign_in"))


def test_an_exchange_gives_new_tokens_and_ends_the_old_one(world, session):
    first = world.sign_in()
    second = world.refresh(first["refresh_token"])
    assert second.status_code == 200
    assert second.json["refresh_token"] != first["refresh_token"]
    assert second.json["device"] == {"id": first["device"]["id"]}
    assert world.get("/me", second.json["access_token"]).status_code == 200
    third = world.refresh(second.json["refresh_token"])
    assert third.status_code == 200


def test_a_lost_answer_is_given_again_within_thirty_seconds(world, session):
    first = world.sign_in()
    second = world.refresh(first["refresh_token"]).json
    move_back(session, 29)
    again = world.refresh(first["refresh_token"])
    assert again.json["refresh_token"] == second["refresh_token"]
    assert revocation(session) is None


def test_reuse_after_thirty_seconds_ends_the_family(world, session):
    first = world.sign_in()
    second = world.refresh(first["refresh_token"]).json
    move_back(session, 31)
    answer = world.refresh(first["refresh_token"])
    assert (answer.status_code, answer.json["code"]) == (401, "refresh_invalid")
    assert revocation(session) == "refresh_reused"
    assert world.refresh(second["refresh_token"]).status_code == 401
    assert world.get("/me", second["access_token"]).status_code == 401
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert "accounts.refresh_reused" in acts


def test_reuse_of_a_much_older_token_ends_the_family(world, session):
    first = world.sign_in()["refresh_token"]
    latest = first
    for _ in range(5):
        latest = world.refresh(latest).json["refresh_token"]
    assert world.refresh(first).status_code == 401
    assert revocation(session) == "refresh_reused"


def test_a_made_up_token_of_a_known_sign_in_revokes_nobody(world, session):
    first = world.sign_in()["refresh_token"]
    raw = base64.urlsafe_b64decode(first + "==")
    for number in (0, 1, 2, 2**32 - 1):
        forged = raw[:16] + number.to_bytes(4, "big") + b"x" * 32
        token = base64.urlsafe_b64encode(forged).decode().rstrip("=")
        assert world.refresh(token).status_code == 401
    assert revocation(session) is None
    assert world.refresh(first).status_code == 200


@pytest.mark.parametrize("token", ["x", "…", "A" * 70, "=" * 4, "a b", "A" * 199])
def test_what_is_no_refresh_token_is_refused(world, token):
    assert world.refresh(token).json["code"] == "refresh_invalid"


def test_an_access_token_is_no_refresh_token(world):
    tokens = world.sign_in()
    assert world.refresh(tokens["access_token"][:200]).status_code in (401, 422)


def test_another_device_cannot_use_the_token(world, session):
    first = world.sign_in()
    proof = {"id": first["device"]["id"], "secret": first["device"]["secret"]}
    assert world.refresh(first["refresh_token"], device=proof).status_code == 200
    latest = world.refresh(first["refresh_token"], device=proof).json["refresh_token"]
    stolen = {"id": proof["id"], "secret": "guess"}
    assert world.refresh(latest, device=stolen).status_code == 401
    assert revocation(session) == "refresh_reused"


def test_a_sign_in_ends_after_thirty_days(world, session):
    token = world.sign_in()["refresh_token"]
    days = session.scalar(text("SELECT expires_at - created_at FROM accounts.sign_in"))
    assert days == timedelta(days=30)
    session.execute(text("UPDATE accounts.sign_in SET expires_at = now() - interval '1 s'"))
    assert world.refresh(token).status_code == 401


def test_an_access_token_does_not_outlive_its_sign_in(world, session):
    token = world.sign_in()["refresh_token"]
    session.execute(
        text("UPDATE accounts.sign_in SET expires_at = statement_timestamp() + interval '90 s'")
    )
    assert world.refresh(token).json["expires_in"] <= 90


def test_no_token_lies_in_the_database(world, session):
    first = world.sign_in()
    second = world.refresh(first["refresh_token"]).json
    stored = "".join(
        str(row)
        for table in ("sign_in", "device")
        for row in session.execute(text(f"SELECT to_jsonb(t) FROM accounts.{table} t")).scalars()
    )
    for token in (first["refresh_token"], second["refresh_token"]):
        raw = base64.urlsafe_b64decode(token + "==")
        assert raw[20:].hex() not in stored
    assert first["device"]["secret"] not in stored


def test_a_rotated_key_still_repeats_a_lost_answer():
    old, new = b"o" * 32, b"n" * 32

    def rings(keys):
        ring = KeyRing(keys)
        return Crypto(
            fields=ring, lookups=ring, quota=ring, tokens=ring, credentials=ring, trust=ring
        )

    before = list(crypto._current)
    try:
        crypto._current[:] = [rings({"k1": old})]
        first = refresh_tokens.first(UUID(int=7))
        second = refresh_tokens.successor(first)
        crypto._current[:] = [rings({"k2": new, "k1": old})]
        assert refresh_tokens.present(first, number=2, stored=second.hash) == second
        assert refresh_tokens.successor(first) != second
    finally:
        crypto._current[:] = before


def test_a_token_has_256_random_bits_and_survives_writing():
    one, two = (refresh_tokens.first(UUID(int=7)) for _ in range(2))
    assert one.secret != two.secret
    assert len(one.secret) == 32
    assert refresh_tokens.parse(one.written()) == one
