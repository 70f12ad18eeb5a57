"""Codes that people hold: issued by one statement, each of its own form."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

from citizen_cloud.credentials import services
from citizen_cloud.db import new_id

NOW = datetime(2026, 3, 2, 9, 0, 0, 500_000, tzinfo=UTC)
SECOND = NOW.replace(microsecond=0)


def issue(session, kind="ht", *, holder_id=None, colour="green", expires_at=None, now=NOW, **more):
    return services.issue_held(
        session,
        type=kind,
        holder_id=holder_id or new_id(),
        colour=colour,
        expires_at=expires_at,
        now=now,
        **more,
    )


def parts(jws):
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in jws.split(".")[:2]]


def test_a_thin_code_says_its_colour_for_a_minute_and_nothing_of_the_person(session):
    held = issue(session)
    header, payload = parts(held.jws)
    assert header == b'{"alg":"EdDSA","kid":"c.k1","typ":"ht+jwt"}'
    claims = json.loads(payload)
    assert list(claims) == ["jti", "iat", "exp", "c"]
    assert claims["exp"] - claims["iat"] == 60
    assert (held.issued_at, held.expires_at) == (SECOND, SECOND + timedelta(minutes=1))


def test_no_code_outlives_the_colour_it_says(session):
    soon = SECOND + timedelta(seconds=20)
    assert issue(session, expires_at=soon).expires_at == soon
