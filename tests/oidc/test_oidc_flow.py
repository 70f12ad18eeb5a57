"""The code flow in one process: what is asked, shown, agreed to, given and told."""

import base64
import json
from uuid import UUID

import partners
import people
import pytest
from partners import CALLBACK, change, query_of
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services import authenticate, sign_ins
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.oidc.schemas.partners import DecisionAnswerSchema
from citizen_cloud.oidc.services.decisions import Decision, decide


def claims_of(id_token):
    part = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def error_of(answer):
    assert answer.status_code == 302, answer.text
    return query_of(answer.headers["Location"])["error"]


def test_discovery_names_doors_that_are_there(client):
    told = client.get("/.well-known/openid-configuration").json
    assert told == client.get("/.well-known/oauth-authorization-server").json
    for name, address in told.items():
        if name.endswith(("_endpoint", "_uri")):
            assert address.startswith(told["issuer"] + "/oauth2/")
            path = address.removeprefix(told["issuer"])
            assert client.get(path).status_code in (200, 400, 401, 405), name
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["subject_types_supported"] == ["pairwise"]
    assert "none" not in told["id_token_signing_alg_values_supported"]


def test_a_partner_is_told_what_was_agreed_to_and_nothing_else(flow, site, citizen):
    everything = flow.userinfo(
        flow.tokens(site, citizen, scopes=partners.ALL_SCOPES)["access_token"]
    ).json
    assert set(everything) == {
        "sub",
        "name",
        "phone_number",
        "phone_number_verified",
        "birthdate",
        "real_name_verified",
        "real_name_masked",
        "document_type",
        "document_number",
    }
    assert everything["birthdate"] == "1990-01-01"
    assert everything["real_name_masked"] == "王*明"
    assert everything["document_number"] == citizen.document_number
    only = flow.userinfo(flow.tokens(site, citizen, scopes=("openid",))["access_token"]).json
    assert set(only) == {"sub"}
    assert only["sub"] == everything["sub"]


def test_a_citizen_may_agree_to_less_than_is_asked(flow, site, citizen):
    request_id = flow.request_id(site, scope="openid profile phone document")
    back = query_of(flow.decide(citizen, request_id, ("openid", "phone")).json["redirect_to"])
    told = flow.exchange(site, back["code"]).json
    assert told["scope"] == "openid phone"
    assert "name" not in flow.userinfo(told["access_token"]).json


def test_a_later_and_smaller_yes_counts_for_older_tokens_too(flow, site, citizen):
    before = flow.tokens(site, citizen, scopes=("openid", "phone"))
    flow.tokens(site, citizen, scopes=("openid",))
    assert set(flow.userinfo(before["access_token"]).json) == {"sub"}


def test_the_consent_screen_shows_words_and_masked_values(flow, site, citizen):
    request_id = flow.request_id(site, scope=" ".join(partners.ALL_SCOPES))
    shown = flow.shown(citizen, request_id).json
    values = {scope["name"]: scope["value"] for scope in shown["scopes"]}
    assert values["profile"] == "王*明"
    assert values["birthdate"] == "1990-**-**"
    assert values["document"] == "*" * 14 + citizen.document_number[-4:]
    assert "****" in values["phone"]
    assert all(scope["title"]["zh"] and scope["title"]["en"] for scope in shown["scopes"])
    assert (shown["agreed_before"], shown["step_up"]) == (False, None)
    flow.decide(citizen, request_id, partners.ALL_SCOPES)
    again = flow.shown(citizen, flow.request_id(site)).json
    assert again["agreed_before"] is True


def test_a_request_belongs_to_whoever_opened_it_first(flow, site, citizen):
    request_id = flow.request_id(site)
    assert flow.shown(citizen, request_id).status_code == 200
    stranger = people.citizen()
    assert flow.shown(stranger, request_id).status_code == 404
    assert flow.decide(stranger, request_id).status_code == 404
    assert flow.decide(citizen, request_id).status_code == 200


def test_a_request_is_answered_once_and_in_time(flow, site, citizen):
    request_id = flow.request_id(site)
    assert flow.decide(citizen, request_id).status_code == 200
    again = flow.decide(citizen, request_id, granted=False)
    assert (again.status_code, again.json["code"]) == (409, "authorization_request_over")
    late = flow.request_id(site)
    flow.shown(citizen, late)
    change("UPDATE oidc.request SET expires_at = statement_timestamp() WHERE id = :id", id=late)
    assert flow.decide(citizen, late).json["code"] == "authorization_request_over"
    unopened = flow.request_id(site)
    change("UPDATE oidc.request SET expires_at = statement_timestamp() WHERE id = :id", id=unopened)
    assert flow.shown(citizen, unopened).status_code == 404


def test_nobody_agrees_to_more_than_was_asked(flow, site, citizen):
    for scopes in (("openid", "document"), ("phone",), ()):
        answer = flow.decide(citizen, flow.request_id(site), scopes)
        assert (answer.status_code, answer.json["code"]) == (422, "scope_not_asked")


def test_a_client_gets_only_scopes_it_was_registered_for(flow, hospital, citizen):
    small = partners.register(hospital, scopes=("openid", "phone"))
    request_id = flow.request_id(small, scope="openid phone document nonsense")
    names = [scope["name"] for scope in flow.shown(citizen, request_id).json["scopes"]]
    assert names == ["openid", "phone"]
    assert error_of(flow.ask(small, scope="phone")) == "invalid_scope"


def test_the_id_token_says_who_signed_in_how_and_when(flow, site, citizen):
    told = flow.tokens(site, citizen, nonce="n-1")
    claims = claims_of(told["id_token"])
    assert claims["aud"] == str(site.id)
    assert claims["nonce"] == "n-1"
    assert claims["acr"] == "urn:citizen-cloud:acr:L2"
    assert claims["amr"] == ["sms"]
    assert 0 <= claims["iat"] - claims["auth_time"] < 60
    assert claims["exp"] - claims["iat"] == 600
    assert not set(claims) & {"name", "phone_number", "document_number", "birthdate"}
    assert "nonce" not in claims_of(flow.tokens(site, citizen, nonce=None)["id_token"])


def test_state_comes_back_as_it_was_sent(flow, site, citizen):
    state = "a b&c=d#é?"
    request_id = flow.request_id(site, state=state)
    back = flow.decide(citizen, request_id).json["redirect_to"]
    assert query_of(back)["state"] == state
    bare = flow.decide(citizen, flow.request_id(site, state=None)).json["redirect_to"]
    assert "state" not in query_of(bare)


def test_the_longest_state_still_fits_into_an_address(flow, site, citizen):
    longest = "症" * 666
    back = flow.decide(citizen, flow.request_id(site, state=longest)).json["redirect_to"]
    assert query_of(back)["state"] == longest
    DecisionAnswerSchema().fields["redirect_to"].validators[0](back)
    assert flow.ask(site, state=longest + "症").status_code == 400


def test_what_core_does_not_ask_of_us_is_refused_by_its_name(flow, site):
    for changes, error in (
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
    ):
        answer = flow.ask(site, state="s-1", **changes)
        assert error_of(answer) == error, changes
        told = query_of(answer.headers["Location"])
        assert told["iss"]
        assert told["state"] == "s-1"
        assert answer.headers["Location"].startswith(CALLBACK)


@pytest.mark.parametrize("odd", ['"', "\\", "代码", 'code"token', "<script>"])
def test_odd_letters_break_no_door(flow, client, site, odd):
    """An error's description must not hold them, and a page must not repeat them."""
    for name in partners.asked(site):
        answer = flow.ask(site, **{name: odd})
        assert answer.status_code in (302, 400), name
        assert odd not in answer.text or odd == '"'
    form = {"grant_type": odd, "code": odd, "refresh_token": odd, "scope": odd, "token": odd}
    for door in ("token", "revoke", "introspect"):
        answer = client.post(f"/oauth2/{door}", data=form, headers=site.basic)
        assert answer.status_code in (200, 400), door
    hints = {"id_token_hint": odd, "post_logout_redirect_uri": odd, "state": odd}
    assert client.get("/oauth2/logout", query_string=hints).status_code == 400


def test_unknown_and_suspended_clients_get_a_page_and_no_redirect(flow, site):
    change("UPDATE oidc.client SET status = 'suspended' WHERE id = :id", id=site.id)
    for changes in ({}, {"client_id": "nobody"}, {"client_id": None}, {"state": "a\0b"}):
        answer = flow.ask(site, **changes)
        assert (answer.status_code, answer.mimetype) == (400, "text/html")
        assert "Location" not in answer.headers


def test_a_request_without_a_screen_learns_that_one_is_needed(flow, site, citizen):
    assert error_of(flow.ask(site, prompt="none")) == "login_required"
    told = flow.tokens(site, citizen, scopes=("openid",))
    hinted = {"prompt": "none", "id_token_hint": told["id_token"]}
    assert error_of(flow.ask(site, **hinted, scope="openid phone")) == "consent_required"
    assert error_of(flow.ask(site, **hinted, scope="openid")) == "login_required"


def test_more_proof_is_asked_for_where_the_partner_wants_it(flow, site, citizen):
    newcomer = people.citizen(1)
    for value in ("L2", "urn:citizen-cloud:acr:L2", "nonsense L3 L2"):
        request_id = flow.request_id(site, acr_values=value)
        assert flow.shown(newcomer, request_id).json["step_up"] == {"required_level": 2}
        answer = flow.decide(newcomer, request_id, ("openid",))
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert flow.decide(citizen, flow.request_id(site, acr_values="L2")).status_code == 200
    assert flow.decide(citizen, flow.request_id(site, acr_values="L3")).status_code == 401


def test_a_scope_of_a_person_needs_the_person(flow, site):
    newcomer = people.citizen(1)
    request_id = flow.request_id(site)
    scopes = {one["name"]: one for one in flow.shown(newcomer, request_id).json["scopes"]}
    assert scopes["profile"]["is_available"] is False
    assert flow.decide(newcomer, request_id).status_code == 401
    assert flow.decide(newcomer, request_id, ("openid", "phone")).status_code == 200


def age_sign_in(someone, seconds):
    change(
        "UPDATE accounts.sign_in SET proved_at = proved_at - make_interval(secs => :s) "
        "WHERE account_id = :id",
        s=seconds,
        id=someone.account_id,
    )


def test_an_old_sign_in_is_not_enough_for_max_age_and_prompt_login(flow, site, citizen):
    age_sign_in(citizen, 100)
    for changes in ({"max_age": "60"}, {"prompt": "login"}, {"max_age": "0"}):
        answer = flow.decide(citizen, flow.request_id(site, **changes))
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required"), changes
        assert answer.json["actions"][0]["action"] == "confirm_factors"
    assert flow.decide(citizen, flow.request_id(site, max_age="200")).status_code == 200


def test_factors_shown_since_the_request_are_new_enough_for_any_max_age(flow, site, citizen):
    age_sign_in(citizen, 100)
    for changes in ({"max_age": "0"}, {"prompt": "login"}):
        request_id = flow.request_id(site, **changes)
        assert flow.decide(citizen, request_id).status_code == 401
        change("UPDATE accounts.sign_in SET proved_at = statement_timestamp()")
        assert flow.decide(citizen, request_id).status_code == 200
        age_sign_in(citizen, 100)


def test_who_got_an_old_number_is_nobody_to_its_former_holders_partners(flow, site):
    phone = people.new_phone()
    former = people.citizen(phone=phone)
    flow.tokens(site, former)
    # The number's next holder signs in: the same account, on a device that proved no document.
    change(
        "UPDATE accounts.device SET proven_at = NULL WHERE account_id = :id", id=former.account_id
    )
    request_id = flow.request_id(site)
    shown = flow.shown(former, request_id).json
    assert shown["agreed_before"] is False
    assert shown["step_up"] == {"required_level": 2}
    assert "王" not in json.dumps(shown, ensure_ascii=False)
    assert flow.decide(former, request_id, ("openid",)).status_code == 401
    assert flow.client.get("/api/v1/me/partners", headers=former.headers).status_code == 401


def test_every_look_is_written_down_for_the_citizen(flow, site, citizen):
    flow.userinfo(flow.tokens(site, citizen, scopes=("openid", "document"))["access_token"])
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT reader_kind, reader_id, purpose, categories, basis_type, outcome "
                "FROM accounts.data_access WHERE person_id = :id"
            ),
            {"id": citizen.person_id},
        ).all()
    assert [tuple(row) for row in rows] == [
        ("partner", site.id, "oidc.userinfo", ["document", "identifier"], "consent", "read")
    ]


def test_userinfo_answers_as_rfc_6750_says(flow, client, site, citizen):
    token = flow.tokens(site, citizen)["access_token"]
    assert client.post("/oauth2/userinfo", headers={"Authorization": f"bearer {token}"}).json["sub"]
    bare = client.get("/oauth2/userinfo")
    assert (bare.status_code, bare.headers["WWW-Authenticate"]) == (401, "Bearer")
    wrong = flow.userinfo(token[:-1])
    assert wrong.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert client.get(f"/oauth2/userinfo?access_token={token}").status_code == 401
    # A citizen's own token is no partner's.
    assert flow.userinfo(citizen.token).status_code == 401


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE oidc.token SET expires_at = statement_timestamp()",
        "UPDATE oidc.client SET status = 'suspended'",
        "UPDATE oidc.consent SET withdrawn_at = statement_timestamp()",
        "UPDATE oidc.issuance SET revoked_at = statement_timestamp()",
        "UPDATE organisations.organisation SET status = 'paused'",
        "UPDATE accounts.account SET status = 'suspended' WHERE kind = 'citizen'",
        "UPDATE accounts.account SET status = 'closed' WHERE kind = 'citizen'",
        "UPDATE accounts.account SET person_id = NULL WHERE kind = 'citizen'",
        "UPDATE accounts.person SET erased_at = statement_timestamp()",
    ],
)
def test_whatever_ends_ends_the_token_with_the_next_request(flow, site, citizen, sql):
    told = flow.tokens(site, citizen)
    assert flow.userinfo(told["access_token"]).status_code == 200
    change(sql)
    assert flow.userinfo(told["access_token"]).status_code == 401
    if "oidc.token" not in sql:
        assert flow.refresh(site, told["refresh_token"]).status_code in (400, 401)


def test_a_code_is_over_after_a_minute(flow, site, citizen):
    code = flow.code(site, citizen)
    change("UPDATE oidc.issuance SET code_expires_at = code_expires_at - interval '61 seconds'")
    assert flow.exchange(site, code).json["error"] == "invalid_grant"


def test_a_code_needs_the_address_it_was_sent_to(flow, site, citizen):
    code = flow.code(site, citizen)
    for wrong in (None, "https://hospital.example/other"):
        assert flow.exchange(site, code, redirect_uri=wrong).json["error"] == "invalid_grant"
    assert flow.exchange(site, code).status_code == 200


def test_nothing_secret_lies_in_the_tables(flow, site, citizen):
    request_id = flow.request_id(site)
    code = query_of(flow.decide(citizen, request_id).json["redirect_to"])["code"]
    told = flow.exchange(site, code).json
    with db.transaction() as session:
        tables = ("client", "client_secret", "request", "consent", "issuance", "token")
        dump = "".join(
            str(session.execute(text(f"SELECT to_jsonb(t)::text FROM oidc.{table} t")).all())
            for table in (*tables, "signing_key")
        )
    for secret in (site.secret, code, told["access_token"], told["refresh_token"]):
        assert secret not in dump
        assert secret.encode().hex() not in dump
    assert '"d"' not in dump


def test_a_yes_and_its_withdrawal_are_in_the_audit_trail(flow, client, site, citizen):
    flow.tokens(site, citizen)
    answer = client.delete(f"/api/v1/me/partners/{site.id}", headers=citizen.headers)
    assert answer.status_code == 204
    with db.transaction() as session:
        actions = session.scalars(
            text("SELECT action FROM audit.entry WHERE object_id = :id ORDER BY id"),
            {"id": site.id},
        ).all()
    assert actions == [
        "oidc.client_registered",
        "oidc.consent_granted",
        "oidc.consent_withdrawn",
    ]


def test_withdrawing_ends_every_token_at_once(flow, client, site, citizen):
    told = flow.tokens(site, citizen)
    [partner] = client.get("/api/v1/me/partners", headers=citizen.headers).json["items"]
    assert (partner["client_id"], partner["scopes"]) == (
        str(site.id),
        ["openid", "phone", "profile"],
    )
    code = flow.code(site, citizen)
    path = f"/api/v1/me/partners/{site.id}"
    assert client.delete(path, headers=citizen.headers).status_code == 204
    assert flow.userinfo(told["access_token"]).status_code == 401
    assert flow.refresh(site, told["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.exchange(site, code).json["error"] == "invalid_grant"
    assert client.get("/api/v1/me/partners", headers=citizen.headers).json["items"] == []
    assert client.delete(path, headers=citizen.headers).status_code == 404
    # A new yes is a new one: what was withdrawn does not come back to life.
    flow.tokens(site, citizen)
    assert flow.userinfo(told["access_token"]).status_code == 401


def test_a_yes_of_a_sign_in_that_ended_meanwhile_gives_nothing(flow, site, citizen):
    request_id = UUID(flow.request_id(site))
    with db.statement() as connection:
        known = authenticate(connection, citizen.token)
    with db.transaction() as session:
        sign_ins.end_others(session, account_id=citizen.account_id, keep=None, reason="recovered")
    said = {
        "decision": Decision(granted=True, scopes=("openid",)),
        "issuer": "https://city.example",
    }
    with pytest.raises(Unauthenticated), db.transaction() as session:
        decide(session, request_id=request_id, caller=known, **said)
