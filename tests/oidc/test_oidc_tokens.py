"""Client authentication, refreshing, giving back, asking about tokens, logging out."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import partners
import people
import pytest
from partners import GOODBYE, Flow, change, query_of
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.oidc import keys
from citizen_cloud.oidc.services import clients, issuing
from citizen_cloud.oidc.services.decisions import hashed
from citizen_cloud.organisations.services import Actor

SYSTEM = Actor("system", None)
TOKENS = ("access_token", "refresh_token", "id_token")


def form_of(code, partner):
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": partner.redirect_uri,
        "code_verifier": partners.VERIFIER,
    }


def test_a_client_proves_itself_by_header_or_by_form(flow, client, site, citizen):
    form = form_of(flow.code(site, citizen), site)
    secret = {"client_id": str(site.id), "client_secret": site.secret}
    twice = client.post("/oauth2/token", data={**form, **secret}, headers=site.basic)
    assert (twice.status_code, twice.json["error"]) == (400, "invalid_request")
    answer = client.post("/oauth2/token", data={**form, **secret})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_proves_nothing_gets_nothing(flow, client, site, citizen):
    form = form_of(flow.code(site, citizen), site)
    wrong = partners.Partner(site.id, "wrong")
    for sent, headers in (
        (form, {}),
        ({**form, "client_id": str(site.id)}, {}),
        ({**form, "client_id": str(site.id), "client_secret": "wrong"}, {}),
        (form, wrong.basic),
        (form, {"Authorization": "Basic " + base64.b64encode(b"nobody:x").decode()}),
        (form, {"Authorization": "Basic /////"}),
        (form, {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()}),
        (form, {"Authorization": f"Bearer {citizen.token}"}),
    ):
        answer = client.post("/oauth2/token", data=sent, headers=headers)
        assert answer.status_code in (400, 401)
        assert answer.json["error"] in ("invalid_client", "invalid_request")
        assert "access_token" not in answer.json
    basic = client.post("/oauth2/token", data=form, headers=wrong.basic)
    assert (basic.status_code, basic.json["error"]) == (401, "invalid_client")
    assert basic.headers["WWW-Authenticate"].startswith("Basic")


def test_parameters_come_in_a_form_and_once(flow, client, site, citizen):
    form = form_of(flow.code(site, citizen), site)
    for answer in (
        client.post("/oauth2/token?" + urlencode(form), headers=site.basic),
        client.post("/oauth2/token", json=form, headers=site.basic),
        client.post(
            "/oauth2/token",
            data=urlencode([*form.items(), ("code", "other")]),
            content_type="application/x-www-form-urlencoded",
            headers=site.basic,
        ),
        client.post("/oauth2/token", data={**form, "code": "x" * 3000}, headers=site.basic),
        client.post("/oauth2/token", data={**form, "state": "a\0b"}, headers=site.basic),
    ):
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    unknown = client.post("/oauth2/token", data={"grant_type": "password"}, headers=site.basic)
    assert unknown.json["error"] == "unsupported_grant_type"


def test_public_clients_go_by_their_id_and_the_verifier(flow, hospital, citizen):
    app = partners.register(
        hospital, kind="native", redirect_uri="http://127.0.0.1/cb", sector="app.example"
    )
    assert app.secret is None
    request_id = flow.request_id(app, redirect_uri="http://127.0.0.1:51004/cb")
    back = flow.decide(citizen, request_id).json["redirect_to"]
    assert back.startswith("http://127.0.0.1:51004/cb?")
    code = query_of(back)["code"]
    where = {"redirect_uri": "http://127.0.0.1:51004/cb"}
    assert flow.exchange(app, code, **where, code_verifier=None).status_code == 400
    with_secret = {**where, "client_secret": "x"}
    assert flow.exchange(app, code, **with_secret).status_code in (400, 401)
    told = flow.exchange(app, code, **where)
    assert told.status_code == 200
    assert flow.refresh(app, told.json["refresh_token"]).status_code == 200
    for wrong in ("http://localhost/cb", "http://127.0.0.1:51004/other", "http://10.0.0.1/cb"):
        assert flow.ask(app, redirect_uri=wrong).status_code == 400


def test_a_new_secret_leaves_the_old_one_a_day(flow, site):
    def works(secret):
        answer = flow.token(partners.Partner(site.id, secret), grant_type="refresh_token")
        return answer.json["error"] == "invalid_request"

    def rotated():
        with db.transaction() as session:
            return clients.rotate_secret(session, client_id=site.id, actor=SYSTEM).secret

    second = rotated()
    assert works(site.secret)
    assert works(second)
    third = rotated()
    assert not works(site.secret)
    assert works(second)
    assert works(third)
    change("UPDATE oidc.client_secret SET expires_at = expires_at - interval '24 hours'")
    assert not works(second)
    assert works(third)


def test_refreshing_gives_the_next_token_and_a_lost_answer_the_same_again(flow, site, citizen):
    told = flow.tokens(site, citizen)
    first = flow.refresh(site, told["refresh_token"]).json
    again = flow.refresh(site, told["refresh_token"]).json
    assert first["refresh_token"] == again["refresh_token"] != told["refresh_token"]
    assert first["access_token"] != again["access_token"]
    assert flow.userinfo(again["access_token"]).status_code == 200
    less = flow.refresh(site, first["refresh_token"], scope="openid").json
    assert set(flow.userinfo(less["access_token"]).json) == {"sub"}
    more = flow.refresh(site, less["refresh_token"], scope="openid document")
    assert more.json["error"] == "invalid_scope"


def test_a_used_up_refresh_token_ends_the_family(flow, site, citizen):
    told = flow.tokens(site, citizen)
    following = flow.refresh(site, told["refresh_token"]).json
    change("UPDATE oidc.issuance SET rotated_at = rotated_at - interval '31 seconds'")
    assert flow.refresh(site, told["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.refresh(site, following["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.userinfo(following["access_token"]).status_code == 401


def test_a_made_up_token_of_a_known_family_ends_nothing(flow, site, hospital, citizen):
    told = flow.tokens(site, citizen)
    true = refresh_tokens.parse(told["refresh_token"])
    forged = refresh_tokens.RefreshToken(true.sign_in_id, true.number, b"x" * 32).written()
    assert flow.refresh(site, forged).json["error"] == "invalid_grant"
    other = partners.register(hospital)
    assert flow.refresh(other, told["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.refresh(site, told["refresh_token"]).status_code == 200


def test_a_family_is_over_after_thirty_days(flow, site, citizen):
    told = flow.tokens(site, citizen)
    change("UPDATE oidc.issuance SET expires_at = expires_at - interval '30 days'")
    assert flow.refresh(site, told["refresh_token"]).json["error"] == "invalid_grant"


def test_tokens_do_not_pass_at_each_others_doors(flow, client, site, citizen):
    told = flow.tokens(site, citizen)
    for token in (told["access_token"], told["refresh_token"], told["id_token"]):
        answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    body = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert client.post("/api/v1/auth/token", json=body).status_code == 401
    assert flow.refresh(site, citizen.refresh_token).json["error"] == "invalid_grant"


def test_a_client_gives_tokens_back(flow, client, site, hospital, citizen):
    told = flow.tokens(site, citizen)
    other = partners.register(hospital)

    def give_back(partner, token):
        return client.post("/oauth2/revoke", data={"token": token}, headers=partner.basic)

    assert give_back(other, told["access_token"]).status_code == 200
    assert give_back(other, told["refresh_token"]).status_code == 200
    assert give_back(site, "nonsense").status_code == 200
    assert flow.userinfo(told["access_token"]).status_code == 200
    assert give_back(site, told["access_token"]).status_code == 200
    assert flow.userinfo(told["access_token"]).status_code == 401
    following = flow.refresh(site, told["refresh_token"]).json
    assert give_back(site, told["refresh_token"]).status_code == 200
    assert flow.userinfo(following["access_token"]).status_code == 401
    assert flow.refresh(site, following["refresh_token"]).json["error"] == "invalid_grant"
    assert client.post("/oauth2/revoke", data={"token": "x"}).status_code in (400, 401)


def test_a_client_learns_about_its_own_tokens_only(flow, client, site, hospital, citizen):
    told = flow.tokens(site, citizen)
    other = partners.register(hospital)

    def ask(partner, token):
        return client.post("/oauth2/introspect", data={"token": token}, headers=partner.basic)

    known = ask(site, told["access_token"]).json
    assert known["active"] is True
    assert known["scope"] == "openid phone profile"
    assert known["sub"] == flow.userinfo(told["access_token"]).json["sub"]
    assert known["exp"] - known["iat"] == 600
    assert ask(site, told["refresh_token"]).json["active"] is True
    for partner, token in (
        (other, told["access_token"]),
        (other, told["refresh_token"]),
        (site, "nonsense"),
        (site, citizen.token),
    ):
        assert ask(partner, token).json == {"active": False}
    assert client.post("/oauth2/introspect", data={"token": "x"}).status_code in (400, 401)
    flow.refresh(site, told["refresh_token"])
    assert ask(site, told["refresh_token"]).json == {"active": False}


def log_out(client, **query):
    return client.get("/oauth2/logout?" + urlencode(query))


def test_logging_out_ends_one_sign_in_and_goes_back(flow, client, site, citizen):
    told, other = flow.tokens(site, citizen), flow.tokens(site, citizen)
    hint = {"id_token_hint": told["id_token"]}
    answer = log_out(client, **hint, post_logout_redirect_uri=GOODBYE, state="s 1")
    assert answer.headers["Location"] == GOODBYE + "?state=s+1"
    assert flow.userinfo(told["access_token"]).status_code == 401
    assert flow.userinfo(other["access_token"]).status_code == 200
    # The citizen is still signed in at the city's own app.
    assert client.get("/api/v1/me", headers=citizen.headers).status_code == 200


def test_a_log_out_that_names_no_sign_in_says_that_it_ended_nothing(flow, client, site, citizen):
    told = flow.tokens(site, citizen)
    page = log_out(client, client_id=str(site.id), post_logout_redirect_uri=GOODBYE)
    assert "nothing was ended" in page.text
    assert flow.userinfo(told["access_token"]).status_code == 200
    assert "You are signed out" in log_out(client, id_token_hint=told["id_token"]).text


def test_a_log_out_goes_nowhere_it_should_not(flow, client, site, hospital, citizen):
    told = flow.tokens(site, citizen)
    hint = {"id_token_hint": told["id_token"]}
    page = log_out(client, **hint, post_logout_redirect_uri="https://evil.example")
    assert (page.status_code, "Location" in page.headers) == (200, False)
    assert "Location" not in log_out(client, post_logout_redirect_uri=GOODBYE).headers
    fresh = flow.tokens(site, citizen)
    header, claims, signature = fresh["id_token"].split(".")
    forged = f"{header}.{claims}.{signature[::-1]}"
    other = partners.register(hospital)
    for wrong in (
        {"id_token_hint": forged},
        {"id_token_hint": "nonsense"},
        {"id_token_hint": fresh["id_token"], "client_id": str(other.id)},
    ):
        answer = log_out(client, **wrong, post_logout_redirect_uri=GOODBYE)
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert flow.userinfo(fresh["access_token"]).status_code == 200


def part(raw):
    return base64.urlsafe_b64encode(json.dumps(raw).encode()).rstrip(b"=").decode()


def test_an_unsigned_hint_is_no_hint(flow, client, site, citizen):
    told = flow.tokens(site, citizen)
    claims = told["id_token"].split(".")[1]
    for alg in ("none", "HS256"):
        forged = f"{part({'alg': alg})}.{claims}."
        assert log_out(client, id_token_hint=forged).status_code == 400
    assert flow.userinfo(told["access_token"]).status_code == 200


@pytest.fixture
def races(fresh_database):
    """Return the application on a database of its own, with real connections."""
    from citizen_cloud.app import create_app
    from citizen_cloud.portal.state import HOST

    keys.forget()
    app = create_app(fresh_database.settings)
    # What create_app opened is closed again: the fixture's pool serves.
    app.extensions[HOST].database.dispose()
    db.install(fresh_database.database)
    yield app
    keys.forget()


def test_fifty_refreshes_at_once_have_one_successor(races, fresh_database):
    site = partners.register(people.pharmacy())
    citizen = people.citizen()
    token = Flow(races.test_client()).tokens(site, citizen)["refresh_token"]

    def refresh(_):
        return Flow(races.test_client()).refresh(site, token)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(refresh, range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    following = answers[0].json["refresh_token"]
    assert Flow(races.test_client()).refresh(site, following).status_code == 200


def test_one_code_twice_at_once_is_given_at_most_once_and_then_taken_back(races, fresh_database):
    site = partners.register(people.pharmacy())
    citizen = people.citizen()
    for _ in range(5):
        code = Flow(races.test_client()).code(site, citizen)

        def exchange(_, code=code):
            return Flow(races.test_client()).exchange(site, code)

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(exchange, range(4)))
        given = [answer for answer in answers if answer.status_code == 200]
        assert len(given) == 1
        seen = Flow(races.test_client()).userinfo(given[0].json["access_token"])
        assert seen.status_code == 401


def test_two_codes_at_once_are_two_sign_ins(races, fresh_database):
    site = partners.register(people.pharmacy())
    citizen = people.citizen()
    codes = [Flow(races.test_client()).code(site, citizen) for _ in range(4)]

    def exchange(code):
        return Flow(races.test_client()).exchange(site, code)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(exchange, codes))
    assert {answer.status_code for answer in answers} == {200}
    tokens = {answer.json["access_token"] for answer in answers}
    assert len(tokens) == 4
    with db.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM oidc.consent")) == 1


def test_of_two_answers_to_one_request_at_once_one_counts(races, fresh_database):
    site = partners.register(people.pharmacy())
    citizen = people.citizen()
    request_id = Flow(races.test_client()).request_id(site)

    def decide(_):
        return Flow(races.test_client()).decide(citizen, request_id)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(decide, range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


def test_of_two_who_open_one_request_at_once_one_keeps_it(races, fresh_database):
    site = partners.register(people.pharmacy())
    two = [people.citizen() for _ in range(4)]
    request_id = Flow(races.test_client()).request_id(site)

    def show(someone):
        return Flow(races.test_client()).shown(someone, request_id)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(show, two))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


def test_nothing_that_starts_after_a_device_was_removed_succeeds(races, fresh_database):
    site, citizen = partners.register(people.pharmacy()), people.citizen()
    told = Flow(races.test_client()).tokens(site, citizen)
    removed = threading.Event()
    wrong = []

    def knock(number):
        flow = Flow(races.test_client())
        for _ in range(40):
            is_late = removed.is_set()
            if number % 2:
                answer = flow.userinfo(told["access_token"])
            else:
                answer = flow.refresh(site, told["refresh_token"])
            if is_late and answer.status_code == 200:
                wrong.append(answer)

    def remove():
        path = f"/api/v1/me/devices/{citizen.device_id}"
        answer = races.test_client().delete(path, headers=citizen.headers)
        removed.set()
        return answer.status_code

    with ThreadPoolExecutor(9) as threads:
        knocking = [threads.submit(knock, number) for number in range(8)]
        assert threads.submit(remove).result() == 204
        for one in knocking:
            one.result()
    assert wrong == []
    assert Flow(races.test_client()).userinfo(told["access_token"]).status_code == 401


def test_tokens_are_long_and_kept_by_their_hashes(flow, site, citizen):
    told = flow.tokens(site, citizen)
    assert told["access_token"].startswith(issuing.PARTNER)
    assert len(told["access_token"].removeprefix(issuing.PARTNER)) == 43
    with db.transaction() as session:
        held = session.scalars(text("SELECT token_hash FROM oidc.token")).all()
    assert hashed(told["access_token"]) in [bytes(each) for each in held]


# Negative controls: a guard taken away must be noticed.


def test_the_tests_notice_a_code_that_works_twice(flow, site, citizen, monkeypatch):
    monkeypatch.setattr(issuing, "_USE", text("SELECT :id, :t"))
    code = flow.code(site, citizen)
    assert flow.exchange(site, code).status_code == 200
    assert flow.exchange(site, code).status_code == 200


def test_the_tests_notice_a_challenge_that_is_not_compared(flow, site, citizen, monkeypatch):
    from citizen_cloud.oidc.protocol.grants import Pkce

    monkeypatch.setattr(Pkce, "CODE_CHALLENGE_METHODS", {"S256": lambda *_: True})
    code = flow.code(site, citizen)
    assert flow.exchange(site, code, code_verifier="w" * 43).status_code == 200


def test_the_tests_notice_reuse_that_ends_nothing(flow, site, citizen, monkeypatch):
    told = flow.tokens(site, citizen)
    following = flow.refresh(site, told["refresh_token"]).json
    change("UPDATE oidc.issuance SET rotated_at = rotated_at - interval '31 seconds'")
    monkeypatch.setattr(issuing, "revoke", lambda *_, **__: None)
    assert flow.refresh(site, told["refresh_token"]).status_code == 400
    assert flow.refresh(site, following["refresh_token"]).status_code == 200
