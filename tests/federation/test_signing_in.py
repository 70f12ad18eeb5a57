"""From a first login at a provider to signing in with it, over HTTP."""

import people
import pytest
import stubs
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.federation import providers

STEPS = ["wechat", "alipay", "oidc"]


@pytest.mark.parametrize("provider", STEPS)
def test_first_login_then_code_then_real_name_then_link_then_sign_in(world, rows, provider):
    ticket = world.ticket(provider, "u-1")
    mine = world.by_code()
    token = mine["access_token"]
    # The phone alone is not enough, nor is the ticket used up by asking too early.
    early = world.link(token, ticket)
    assert (early.status_code, early.json["code"]) == (401, "step_up_required")
    world.prove(mine)
    linked = world.link(token, ticket)
    assert linked.status_code == 201
    assert linked.headers["Location"].endswith(linked.json["id"])
    again = world.through(provider, "u-1")
    assert again.status_code == 200
    assert again.json.keys() == mine.keys()
    account = world.me(token).json["account_id"]
    assert world.me(again.json["access_token"]).json["account_id"] == account
    amr = rows("SELECT amr FROM accounts.sign_in ORDER BY id DESC LIMIT 1")
    assert amr == [{"amr": provider}]
    audited = {row["action"] for row in rows("SELECT action FROM audit.entry")}
    assert audited >= {"federation.linked", "accounts.signed_in"}


def test_a_new_device_stands_at_level_one_until_the_document_is_shown(world):
    someone, _ = world.linked("wechat", "u-1")
    token = world.through("wechat", "u-1").json["access_token"]
    me = world.me(token).json
    assert (me["level"], me["real_name"]) == (1, "unconfirmed")
    world.prove({"access_token": token}, number=someone.document_number)
    assert world.me(token).json["level"] == 2


def test_a_registered_device_is_recognised_and_keeps_its_level(world):
    mine = world.by_code()
    world.prove(mine)
    token, device = mine["access_token"], mine["device"]
    assert world.link(token, world.ticket("wechat", "u-1")).status_code == 201
    again = world.through("wechat", "u-1", device=device).json
    assert again["device"] == {"id": device["id"]}
    assert world.me(again["access_token"]).json["level"] == 2


def test_the_tokens_refresh_and_sign_out_like_any_others(world):
    world.linked("wechat", "u-1")
    mine = world.through("wechat", "u-1").json
    grant = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
    renewed = world.ask("POST", "/auth/token", grant).json
    token = renewed["access_token"]
    assert world.me(token).status_code == 200
    assert world.ask("POST", "/auth/logout", token=token).status_code == 204
    assert world.me(token).status_code == 401


@pytest.mark.parametrize("provider", STEPS)
def test_a_suspended_account_is_told_so_and_gets_no_token(world, provider):
    someone, _ = world.linked(provider, "u-1")
    set_status(someone, "suspended")
    answer = world.through(provider, "u-1")
    assert (answer.status_code, answer.json["code"]) == (403, "account_suspended")


def test_an_identity_of_a_closed_account_is_nobodys_and_may_be_linked_anew(world):
    someone, _ = world.linked("wechat", "u-1")
    set_status(someone, "closed")
    other, _ = world.linked("wechat", "u-1")
    token = world.through("wechat", "u-1").json["access_token"]
    assert world.me(token).json["account_id"] == str(other.account_id)


def set_status(someone, status):
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.account SET status = :status WHERE id = :id"),
            {"status": status, "id": someone.account_id},
        )


def test_a_silent_login_is_not_fresh_and_one_the_upstream_just_saw_is(world):
    """A phone left on a table logs in to WeChat by itself; that opens no door marked fresh."""
    someone, _ = world.linked("wechat", "u-1")
    token = world.through("wechat", "u-1").json["access_token"]
    world.prove({"access_token": token}, number=someone.document_number)
    answer = world.link(token, world.ticket("alipay", "u-1"))
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert answer.json["max_age_s"] == 300
    other, _ = world.linked("oidc", "u-2")
    now = int(stubs.time.time())
    for auth_time, wanted in ((now - 5, 201), (now - 600, 401)):
        mine = world.through("oidc", "u-2", auth_time=auth_time).json
        world.prove(mine, number=other.document_number)
        ticket = world.ticket("wechat", f"u-{wanted}")
        assert world.link(mine["access_token"], ticket).status_code == wanted


def test_a_silent_login_proves_a_document_and_does_not_count_as_showing_it(world, rows):
    """An unlocked phone is logged in at the upstream as well."""
    mine = world.by_code()
    number = world.prove(mine)
    claims = {"acr": "2", "document_number": number, "name": "王小明"}
    now = int(stubs.time.time())
    for auth_time, is_shown in ((now - 600, False), (now - 5, True)):
        came = world.through("oidc", "u-1", auth_time=auth_time, **claims)
        assert came.status_code == 200, came.json
        assert world.me(came.json["access_token"]).json["level"] == 2
        (row,) = rows(
            "SELECT statement_timestamp() - proven_at < interval '5 minutes' AS is_shown FROM accounts.device "
            "ORDER BY id DESC LIMIT 1"
        )
        assert row["is_shown"] is is_shown


@pytest.mark.parametrize("provider", STEPS)
def test_a_wrong_code_gets_one_generic_answer(world, provider):
    body = {"provider": provider, "code": "never-given"}
    if provider == "oidc":
        started = world.ask("POST", "/auth/federated/start", {"provider": provider}).json
        body["state"] = started["state"]
    answer = world.ask("POST", "/auth/federated/token", body)
    assert answer.status_code == 401
    shown = {k: v for k, v in answer.json.items() if k != "trace_id"}
    assert shown == {
        "type": "/problems/federated_code_invalid",
        "title": "第三方登录失败",
        "status": 401,
        "detail": "授权码错误、已使用或已过期，请重新发起登录。",
        "instance": "/api/v1/auth/federated/token",
        "code": "federated_code_invalid",
    }


@pytest.mark.parametrize("provider", STEPS)
def test_a_provider_that_is_down_is_503_and_nothing_else_is(world, provider):
    stub = getattr(world.stubs, "openid" if provider == "oidc" else provider)
    body = {"provider": provider, "code": "a-code"}
    if provider == "oidc":
        started = world.ask("POST", "/auth/federated/start", {"provider": provider}).json
        body["state"] = started["state"]
    stub.instead = stubs.status(500)
    answer = world.ask("POST", "/auth/federated/token", body)
    assert (answer.status_code, answer.json["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"] == "30"
    assert world.ask("GET", "/auth/providers").status_code == 200
    assert world.by_code()


def test_what_is_not_configured_is_not_there(world):
    providers.install([])
    assert world.ask("GET", "/auth/providers").json == {"items": []}
    for path, body in (
        ("/auth/federated/start", {"provider": "oidc"}),
        ("/auth/federated/token", {"provider": "wechat", "code": "x"}),
    ):
        answer = world.ask("POST", path, body)
        assert (answer.status_code, answer.json["code"]) == (404, "provider_unknown")


def test_the_list_names_the_providers_in_both_languages(world):
    items = world.ask("GET", "/auth/providers").json["items"]
    assert [(one["provider"], one["kind"]) for one in items] == [
        ("wechat", "mini_program"),
        ("alipay", "mini_program"),
        ("oidc", "redirect"),
    ]
    assert items[0]["title"] == {"zh": "微信", "en": "WeChat"}
    assert items[2]["title"]["zh"] == "国家政务服务平台"


def test_mini_programs_have_no_start_and_redirects_need_one(world):
    answer = world.ask("POST", "/auth/federated/start", {"provider": "wechat"})
    assert (answer.status_code, answer.json["code"]) == (422, "start_not_needed")
    for body, fault in (
        ({"provider": "oidc", "code": "x"}, "required"),
        ({"provider": "wechat", "code": "x", "state": "s" * 43}, "unknown_field"),
    ):
        answer = world.ask("POST", "/auth/federated/token", body)
        assert answer.status_code == 422
        faults = [(one["pointer"], one["code"]) for one in answer.json["errors"]]
        assert faults == [("/state", fault)]


# The start: a state is somebody's, once, for ten minutes.


def started(world, subject="u-1"):
    begun = world.ask("POST", "/auth/federated/start", {"provider": "oidc"}).json
    code, state = world.stubs.openid.authorize(begun["authorize_url"], subject)
    return {"provider": "oidc", "code": code, "state": state}


def test_a_state_is_used_up_by_its_first_use(world):
    world.linked("oidc", "u-1")
    body = started(world)
    assert world.ask("POST", "/auth/federated/token", body).status_code == 200
    code, _ = world.stubs.openid.authorize(
        world.ask("POST", "/auth/federated/start", {"provider": "oidc"}).json["authorize_url"],
        "u-1",
    )
    for again in (body, {**body, "code": code}, {**body, "state": "x" * 43}):
        answer = world.ask("POST", "/auth/federated/token", again)
        assert (answer.status_code, answer.json["code"]) == (401, "federated_code_invalid")


def test_a_code_of_another_start_is_refused(world):
    world.linked("oidc", "u-1")
    mine, theirs = started(world), started(world)
    answer = world.ask("POST", "/auth/federated/token", {**mine, "code": theirs["code"]})
    assert (answer.status_code, answer.json["code"]) == (401, "federated_code_invalid")


def test_a_start_is_over_after_ten_minutes(world):
    world.linked("oidc", "u-1")
    body = started(world)
    with db.transaction() as session:
        session.execute(
            text("UPDATE federation.attempt SET expires_at = expires_at - interval '10 minutes'")
        )
    assert world.ask("POST", "/auth/federated/token", body).status_code == 401


def test_neither_state_nor_verifier_nor_subject_lies_in_clear(world, rows):
    body = started(world, "subject-in-clear")
    ticket = world.ticket("wechat", "openid-in-clear")
    world.linked("alipay", "alipay-in-clear")
    kept = str(rows("SELECT to_jsonb(a)::text AS a FROM federation.attempt a"))
    kept += str(rows("SELECT to_jsonb(i)::text AS i FROM federation.identity i"))
    kept += str(rows("SELECT payload::text AS p FROM audit.entry"))
    for secret in (body["state"], ticket, "openid-in-clear", "alipay-in-clear"):
        assert secret not in kept
        assert secret.encode().hex() not in kept


def test_the_session_key_of_wechat_is_neither_kept_nor_shown(world, rows):
    answer = world.through("wechat", "u-1")
    key = world.stubs.wechat.session_key
    assert key not in answer.text
    kept = str(rows("SELECT to_jsonb(a)::text AS a FROM federation.attempt a"))
    assert key not in kept
    assert key.encode().hex() not in kept


def test_many_tries_from_one_address_are_stopped(world):
    """The limit counts wrong codes and right ones alike."""
    seen = [
        world.ask("POST", "/auth/federated/token", {"provider": "wechat", "code": "x"}).status_code
        for _ in range(61)
    ]
    assert seen == [401] * 60 + [429]


# An upstream that proves documents itself.


def vouched(number, name="王小明", level="L2"):
    return {"assurance_level": level, "document_number": number, "name": name}


def test_a_person_who_is_known_signs_in_at_once_at_the_documents_level(world, rows):
    mine = world.by_code()
    number = world.prove(mine)
    answer = world.through("oidc", "gov-1", **vouched(number))
    assert answer.status_code == 200
    me = world.me(answer.json["access_token"]).json
    assert me["account_id"] == world.me(mine["access_token"]).json["account_id"]
    assert (me["level"], me["real_name"]) == (2, "confirmed")
    assert rows("SELECT count(*) AS n FROM accounts.person") == [{"n": 1}]
    # From now on also without the document.
    assert world.through("oidc", "gov-1").status_code == 200
    kinds = rows("SELECT kind FROM messages.message")
    assert kinds == [{"kind": "federation.linked"}]


@pytest.mark.parametrize(
    "kind", ["nobody", "another name", "level 1", "bad number", "another type"]
)
def test_a_mismatch_reveals_nothing_and_makes_nobody(world, rows, kind):
    mine = world.by_code()
    number = world.prove(mine)
    claims = {
        "nobody": vouched(people.document()),
        "another name": vouched(number, "李四光"),
        "level 1": vouched(number, level="L1"),
        "bad number": vouched("123"),
        "another type": {**vouched(number), "document_type": "passport"},
    }[kind]
    before = rows("SELECT count(*) AS n FROM accounts.person")
    answer = world.through("oidc", "gov-1", **claims)
    assert answer.status_code == 409
    members = {"type", "title", "status", "detail", "instance", "code", "trace_id"}
    assert answer.json.keys() == members | {"link_ticket", "expires_at"}
    assert rows("SELECT count(*) AS n FROM accounts.person") == before
    assert rows("SELECT count(*) AS n FROM federation.identity") == [{"n": 0}]


def test_without_consent_to_the_real_name_nothing_is_linked_by_itself(world):
    someone = people.citizen()
    answer = world.through("oidc", "gov-1", **vouched(someone.document_number))
    assert answer.json["code"] == "link_required"


def test_a_withdrawn_consent_leaves_the_link_and_proves_nothing_more(world):
    mine = world.by_code()
    number = world.prove(mine)
    assert world.through("oidc", "gov-1", **vouched(number)).status_code == 200
    no = {"purpose": "real_name", "version": 1, "granted": False}
    assert world.ask("POST", "/me/consents", no, mine["access_token"]).status_code == 200
    answer = world.through("oidc", "gov-1", **vouched(number))
    assert world.me(answer.json["access_token"]).json["level"] == 1


def test_a_known_person_whose_account_is_suspended_looks_like_a_stranger(world, rows):
    mine = world.by_code()
    number = world.prove(mine)
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.account SET status = 'suspended'"))
    answer = world.through("oidc", "gov-1", **vouched(number))
    assert answer.json["code"] == "link_required"
    assert rows("SELECT count(*) AS n FROM federation.identity") == [{"n": 0}]


def test_an_account_with_another_identity_there_is_not_linked_a_second_time(world, rows):
    mine = world.by_code()
    number = world.prove(mine)
    assert world.through("oidc", "gov-1", **vouched(number)).status_code == 200
    answer = world.through("oidc", "gov-2", **vouched(number))
    assert answer.json["code"] == "link_required"
    assert rows("SELECT count(*) AS n FROM federation.identity") == [{"n": 1}]
    late = world.link(mine["access_token"], answer.json["link_ticket"])
    assert late.json["code"] == "provider_already_linked"


def test_a_ticket_of_a_vouched_document_is_for_that_person_only(world):
    stranger, right = people.citizen(), people.citizen()
    ticket = world.ticket("oidc", "gov-1", **vouched(right.document_number))
    answer = world.link(stranger.token, ticket)
    assert (answer.status_code, answer.json["code"]) == (422, "link_ticket_invalid")
    assert world.link(right.token, ticket).status_code == 201


def test_a_subject_given_to_its_next_holder_opens_the_old_account_no_more(world, rows):
    someone, _ = world.linked("oidc", "gov-1")
    old = world.through("oidc", "gov-1").json["access_token"]
    answer = world.through("oidc", "gov-1", **vouched(people.document()))
    assert answer.json["code"] == "link_required"
    assert world.me(old).status_code == 401
    assert world.me(someone.token).status_code == 200
    assert world.through("oidc", "gov-1").json["code"] == "link_required"
    kinds = [row["kind"] for row in rows("SELECT kind FROM messages.message ORDER BY id")]
    assert kinds == ["federation.linked", "federation.removed"]


def test_another_document_type_says_nothing_about_the_holder(world):
    world.linked("oidc", "gov-1")
    claims = {**vouched("E12345678"), "document_type": "passport"}
    answer = world.through("oidc", "gov-1", **claims)
    assert answer.status_code == 200
    assert world.me(answer.json["access_token"]).json["level"] == 1
