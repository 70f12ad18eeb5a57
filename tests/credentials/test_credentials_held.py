"""Codes that people hold: issued by one statement, each of its own form."""

import json
import secrets
import threading
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import event, text

from citizen_cloud import crypto
from citizen_cloud.credentials import claims, keys, services
from citizen_cloud.crypto import KeyRing
from citizen_cloud.db import new_id
from citizen_cloud.errors import Unavailable

NOW = datetime(2026, 3, 2, 9, 0, 0, 500_000, tzinfo=UTC)
SECOND = NOW.replace(microsecond=0)


def issue(session, kind="hc", *, holder_id=None, colour="green", expires_at=None, now=NOW, **more):
    if kind == "hc":
        more.setdefault("show_key", b"\x02" + secrets.token_bytes(32))
    return services.issue_held(
        session,
        type=kind,
        holder_id=holder_id or new_id(),
        colour=colour,
        expires_at=expires_at,
        now=now,
        **more,
    )


@pytest.fixture
def rings(session):
    """Put the process's keys back after a test that changes them."""
    held = crypto.current()
    yield held
    crypto._current[:] = [held]


def with_ring(rings, **seeds):
    crypto._current[:] = [replace(rings, credentials=KeyRing(seeds))]


def revoke_key(session, kid):
    session.execute(
        text(
            "INSERT INTO credentials.key_revocation (kid, reason, by) VALUES (:kid, 'lost', 'test')"
        ),
        {"kid": kid},
    )


def parts(jws):
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in jws.split(".")[:2]]


def test_no_code_outlives_the_colour_it_says(session):
    soon = SECOND + timedelta(seconds=20)
    assert issue(session, expires_at=soon).expires_at == soon


def test_a_phones_code_binds_its_show_key_and_is_over_in_a_day(session):
    show_key = b"\x02" + bytes(range(32))
    held = issue(session, "hc", show_key=show_key, expires_at=NOW + timedelta(days=9))
    header, payload = parts(held.jws)
    assert header == b'{"alg":"EdDSA","kid":"c.k1","typ":"hc+jwt"}'
    claims = json.loads(payload)
    assert list(claims) == ["jti", "iat", "exp", "c", "k"]
    assert len(claims["k"]) == 44
    assert claims["exp"] - claims["iat"] == 24 * 3600


def test_a_paper_code_says_the_masked_name_which_lies_sealed(session):
    held = issue(session, "hp", name="王*")
    _, payload = parts(held.jws)
    assert json.loads(payload)["n"] == "王*"
    row = session.execute(text("SELECT c::text FROM credentials.credential c")).scalar_one()
    assert "王" not in row


def test_a_new_paper_ends_the_last_one(session):
    holder_id = new_id()
    first, other = issue(session, "hp", holder_id=holder_id, name="王*"), issue(session)
    second = issue(session, "hp", holder_id=holder_id, name="王*")
    living = set(
        session.scalars(text("SELECT jti FROM credentials.credential WHERE revoked_at IS NULL"))
    )
    assert living == {other.jti, second.jti}
    assert first.jti != second.jti


def test_the_record_is_written_by_one_statement(session):
    seen = []
    event.listen(session.connection(), "before_cursor_execute", lambda *a: seen.append(a[2]))
    issue(session, "hc", show_key=b"\x02" + bytes(32))
    assert len(seen) == 1


def test_a_key_that_nobody_trusts_signs_nothing_and_the_next_one_does(session, rings):
    revoke_key(session, "c.k1")
    with pytest.raises(Unavailable):
        issue(session)
    with_ring(rings, k1=rings.credentials.keys["k1"], k2=bytes(32))
    assert json.loads(parts(issue(session).jws)[0])["kid"] == "c.k2"


def test_two_papers_at_once_leave_one_that_lives(fresh_database):
    holder_id, barrier = new_id(), threading.Barrier(4)

    def ask():
        barrier.wait()
        with fresh_database.database.transaction() as session:
            issue(session, "hp", holder_id=holder_id, name="王*", now=None)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = text("SELECT count(*), count(revoked_at) FROM credentials.credential")
    with fresh_database.database.statement() as connection:
        made, ended = connection.execute(counted).one()
    assert made - ended == 1
    assert made == 4


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("ht", {"c": "green"}),
        ("hc", {"c": "red", "k": "A" * 44}),
        ("hp", {"c": "yellow", "n": "王*"}),
    ],
)
def test_what_is_signed_is_byte_for_byte_what_the_library_signs(rings, kind, members):
    said = {"jti": "A" * 22, "iat": 1, "exp": 2, **members}
    kid = keys.names()[0]
    by_the_library = jwt.PyJWS().encode(
        claims.payload(kind, said),
        keys.private_key(kid),
        algorithm="EdDSA",
        headers={"typ": f"{kind}+jwt", "kid": kid},
        sort_headers=True,
    )
    assert claims.signed(kind, kid, said, keys.private_key(kid)) == by_the_library
