"""Signing keys: made once, shown before they sign and after, never in clear at rest."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from click.testing import CliRunner
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.cli.oidc import command
from citizen_cloud.oidc import doors, keys
from citizen_cloud.oidc.jobs import forget_ended, renew_keys
from citizen_cloud.oidc.keys import TokenUnreadable
from citizen_cloud.oidc.services.signing_keys import (
    forget_retired,
    private_place,
    provider_keys,
    rotate_keys,
)

NOW = clock.now()


@pytest.fixture(autouse=True)
def _nothing_remembered():
    keys.forget()
    yield
    keys.forget()


def kids(found):
    return {jwk["kid"] for jwk in found.public}


def signing(found):
    return {alg: signer.kid for alg, signer in found.signers.items()}


def test_the_first_caller_makes_a_key_of_each_kind(session):
    made = provider_keys(session, now=NOW)
    assert signing(made).keys() == {"RS256", "ES256"}
    assert provider_keys(session, now=NOW) == made
    for jwk in made.public:
        assert jwk["use"] == "sig"
        assert not set(jwk) & {"d", "p", "q", "dp", "dq", "qi"}


def test_a_private_key_is_sealed_for_its_row(session):
    made = provider_keys(session, now=NOW)
    rows = session.execute(text("SELECT kid, private_sealed FROM oidc.signing_key")).all()
    from citizen_cloud import crypto

    for row in rows:
        assert b'"d"' not in bytes(row.private_sealed)
        opened = crypto.current().open(row.private_sealed, place=private_place(row.kid))
        assert json.loads(opened)["kid"] == row.kid
    assert len(rows) == len(made.public)


def test_a_new_key_is_shown_a_day_before_it_signs_and_the_old_a_week_after(session):
    before = provider_keys(session, now=NOW)
    rotate_keys(session, now=NOW)
    shown = provider_keys(session, now=NOW)
    assert len(kids(shown)) == 4
    assert signing(shown) == signing(before)
    later = provider_keys(session, now=NOW + timedelta(days=1))
    assert not set(signing(later).values()) & set(signing(before).values())
    # What the old ones signed a moment ago is still read.
    token = shown.sign({"a": 1}, alg="RS256")
    assert later.read(token)["a"] == 1
    over = provider_keys(session, now=NOW + timedelta(days=8, seconds=1))
    assert kids(over) == set(signing(later).values())
    with pytest.raises(TokenUnreadable):
        over.read(token)
    forget_retired(session, now=NOW + timedelta(days=8, seconds=1))
    assert session.scalar(text("SELECT count(*) FROM oidc.signing_key")) == 2


def test_at_once_means_a_minute_and_a_few_minutes(session):
    before = provider_keys(session, now=NOW)
    rotate_keys(session, at_once=True, now=NOW)
    soon = provider_keys(session, now=NOW + timedelta(seconds=60))
    assert not set(signing(soon).values()) & set(signing(before).values())
    assert kids(before) <= kids(soon)
    over = provider_keys(session, now=NOW + timedelta(minutes=13, seconds=1))
    assert not kids(before) & kids(over)


def test_the_job_renews_what_is_ninety_days_old_and_nothing_younger(app):
    with db.transaction() as session:
        provider_keys(session, now=NOW)
    assert renew_keys(NOW + timedelta(days=89)) == []
    assert len(renew_keys(NOW + timedelta(days=90))) == 2
    assert renew_keys(NOW + timedelta(days=90, hours=1)) == []


def test_tokens_are_read_by_what_is_shown_and_by_nothing_else(flow, client, site, citizen):
    told = flow.tokens(site, citizen)
    shown = client.get("/oauth2/jwks.json")
    assert shown.headers["Cache-Control"] == "public, max-age=60"
    known = KeySet.import_key_set(shown.json)
    claims = jwt.decode(told["id_token"], known, ["RS256"]).claims
    assert claims["aud"] == str(site.id)
    citizens = client.get("/.well-known/jwks.json").json
    assert not {jwk["kid"] for jwk in citizens["keys"]} & {jwk["kid"] for jwk in shown.json["keys"]}
    head, body, signature = told["id_token"].split(".")
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{head}.{body}.{signature[::-1]}", known, ["RS256"])


def test_a_process_reads_the_keys_once_a_minute(app, monkeypatch):
    first = doors.provider_keys()
    with db.transaction() as session:
        rotate_keys(session)
    assert doors.provider_keys() is first
    now = keys.time.monotonic()
    monkeypatch.setattr(keys.time, "monotonic", lambda: now + 61)
    assert len(doors.provider_keys().public) == 4


def test_many_first_callers_at_once_make_one_set(fresh_database):
    def read(_):
        with db.transaction() as session:
            return frozenset(kids(provider_keys(session)))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(read, range(8)))) == 1


def test_the_operator_rotates_from_a_terminal(fresh_database, monkeypatch):
    import live

    for name, value in live.environment(fresh_database.settings).items():
        monkeypatch.setenv(name, value)
    with db.transaction() as session:
        provider_keys(session)
    done = CliRunner().invoke(command, ["rotate-keys", "--now"])
    assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(command, ["keys"])
    assert len(listed.output.splitlines()) == 4
    assert '"d"' not in listed.output
    with fresh_database.owner() as connection:
        assert connection.scalar(
            text("SELECT count(*) FROM audit.entry WHERE action = 'oidc.keys_rotated'")
        )


def test_what_is_over_is_forgotten_and_what_lives_stays(flow, site, citizen):
    told = flow.tokens(site, citizen)
    flow.request_id(site)
    forget_ended(clock.now())
    assert flow.userinfo(told["access_token"]).status_code == 200
    forget_ended(clock.now() + timedelta(days=2))
    assert flow.refresh(site, told["refresh_token"]).status_code == 200
    forget_ended(clock.now() + timedelta(days=400))
    with db.transaction() as session:
        for table in ("request", "token", "issuance"):
            assert session.scalar(text(f"SELECT count(*) FROM oidc.{table}")) == 0
        assert session.scalar(text("SELECT count(*) FROM oidc.consent")) == 1


def test_requests_that_nobody_opened_go_first_and_withdrawn_yeses_in_time(flow, site, citizen):
    opened, unopened = flow.request_id(site), flow.request_id(site)
    flow.shown(citizen, opened)
    flow.tokens(site, citizen)
    flow.client.delete(f"/api/v1/me/partners/{site.id}", headers=citizen.headers)
    flow.tokens(site, citizen)

    def held(what):
        with db.transaction() as session:
            return session.scalars(text(f"SELECT id::text FROM oidc.{what}")).all()

    forget_ended(clock.now())
    assert unopened in held("request")
    forget_ended(clock.now() + timedelta(minutes=11))
    assert opened in held("request")
    assert unopened not in held("request")
    forget_ended(clock.now() + timedelta(days=180))
    assert len(held("consent")) == 2
    forget_ended(clock.now() + timedelta(days=220))
    assert len(held("consent")) == 1


def test_another_app_reads_the_same_keys(flow, site, citizen):
    """Two processes, one set: what one signed, the other reads."""
    token = flow.tokens(site, citizen)["id_token"]
    keys.forget()
    assert doors.provider_keys().read(token)["aud"] == str(site.id)
