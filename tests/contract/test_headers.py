"""What every answer carries: caching, language, tracing, limits, links, and refusals as problems."""

import re

import people
import pytest
from contract_world import ABSENT, takes_json, tells_too_much

from citizen_cloud import db
from citizen_cloud.errors import Refusal
from citizen_cloud.web import limits, problems
from citizen_cloud.web.problems import register, status_of

PROBLEM = "application/problem+json"
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "trace_id"}


def is_public(operation):
    return operation["x-authz"]["access"] == "public"


def test_no_answer_to_somebody_signed_in_may_be_kept(stack):
    for operation in stack.operations:
        if not is_public(operation):
            answer = stack.call(operation, stack.right(operation))
            assert answer.headers["Cache-Control"] == "no-store", operation["operationId"]


def test_every_answer_is_safe_to_show_in_a_browser(stack):
    for operation in stack.operations:
        for actor in (stack.right(operation), stack.city["anonymous"]):
            headers = stack.call(operation, actor).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert re.fullmatch("[0-9a-f]{32}", headers["X-Trace-ID"])
            assert "Server" not in headers
            assert "Set-Cookie" not in headers


def test_every_operation_refuses_methods_it_does_not_have(stack):
    for operation in stack.operations:
        answer = stack.client.open(stack.path(operation), method="PURGE")
        assert_problem(answer, 405, "method_not_allowed")
        assert operation["method"].upper() in answer.headers["Allow"].split(", ")
        trace = stack.client.open(stack.path(operation), method="TRACE")
        assert trace.status_code == 405
        override = {"X-HTTP-Method-Override": "DELETE", **stack.city["admin"].headers}
        overridden = stack.call(operation, stack.city["anonymous"], **override)
        assert overridden.status_code != 405


def assert_problem(answer, status, code):
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM), answer.text
    assert answer.json.keys() >= MEMBERS
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert answer.json["type"] == f"/problems/{code}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not tells_too_much(answer)


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/nothing", "/api/v2/me", "/admin", "/%00"]
)
def test_an_address_nobody_serves_is_a_problem(stack, path):
    assert_problem(stack.client.get(path), 404, "not_found")


def test_a_media_type_nobody_serves_is_a_problem(stack):
    operation = next(one for one in stack.operations if one["operationId"] == "getBookingCode")
    answer = stack.call(operation, stack.city["owner"], Accept="video/mp4")
    assert_problem(answer, 406, "not_acceptable")


@pytest.mark.parametrize(
    "accept", ["application/problem+json", "*/*", "application/*", "image/png"]
)
def test_json_is_served_whatever_a_client_accepts(stack, accept):
    """Generated clients put the error's media type first; that must not make them fail."""
    for operation in stack.operations:
        if operation["operationId"] != "getBookingCode":
            answer = stack.call(operation, stack.right(operation), Accept=accept)
            assert answer.status_code < 400, operation["operationId"]


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        (None, "zh-CN", "未找到"),
        ("zh-CN", "zh-CN", "未找到"),
        ("en", "en", "Not found"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en", "Not found"),
        ("fr", "zh-CN", "未找到"),
    ],
)
def test_refusals_speak_the_callers_language(stack, header, language, title):
    headers = {"Accept-Language": header} if header else {}
    answer = stack.client.get("/api/v1/nothing", headers=headers)
    assert answer.headers["Content-Language"] == language
    assert answer.json["title"] == title


def test_every_refusal_has_words_in_both_languages():
    for code, kind in register().items():
        assert re.fullmatch("[a-z][a-z0-9_]{2,63}", code), code
        for words in (kind.title, kind.detail):
            assert words.zh, code
            assert words.en.isascii(), code
            assert not words.zh.isascii(), code


def test_a_code_means_one_thing_everywhere():
    """Two refusals with one code must be kin: same status, so that a page can explain them."""
    seen, waiting = {}, [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind is not Refusal:
            seen.setdefault(kind.code, set()).add(status_of(kind))
    assert {code: found for code, found in seen.items() if len(found) > 1} == {}


def test_a_request_id_is_echoed_where_it_is_plain(stack):
    plain = stack.client.get("/livez", headers={"X-Request-ID": "abc-123_x.y"})
    assert plain.headers["X-Request-ID"] == "abc-123_x.y"
    for wrong in ("a b", "x" * 65, "é", "<script>", "a;b"):
        answer = stack.client.get(
            "/livez", headers={"X-Request-ID": wrong.encode().decode("latin-1")}
        )
        assert "X-Request-ID" not in answer.headers


def test_a_trace_goes_on_where_the_caller_began_one(stack):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    sent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = stack.client.get("/api/v1/nothing", headers=sent)
    assert answer.headers["X-Trace-ID"] == answer.json["trace_id"] == trace
    for wrong in ("", "00-xyz", f"ff-{trace}-00f067aa0ba902b7-01", f"00-{trace}", "0" * 9000):
        other = stack.client.get("/api/v1/nothing", headers={"traceparent": wrong})
        assert re.fullmatch("[0-9a-f]{32}", other.headers["X-Trace-ID"])
        assert other.headers["X-Trace-ID"] != trace


def limited_operations(stack):
    return [one for one in stack.operations if "429" in one["responses"]]


def test_limits_are_told_where_there_are_any(stack):
    for operation in limited_operations(stack):
        headers = stack.call(operation, stack.right(operation)).headers
        assert re.fullmatch('"door";q=[0-9]+;w=[0-9]+', headers["RateLimit-Policy"])
        assert re.fullmatch('"door";r=[0-9]+;t=[0-9]+', headers["RateLimit"])
        assert int(headers["X-RateLimit-Remaining"]) < int(headers["X-RateLimit-Limit"])
        assert int(headers["X-RateLimit-Reset"]) >= 1


def test_a_used_up_limit_says_when_to_come_back(stack):
    me = stack.city["owner"]
    path = f"/api/v1/bookings/{stack.city.ids['booking_id']}/code"
    answers = [stack.client.get(path, headers=me.headers) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {200}
    assert_problem(answers[60], 429, "rate_limited")
    assert 1 <= int(answers[60].headers["Retry-After"]) <= 61
    other = stack.client.get("/api/v1/me", headers=me.headers)
    assert other.status_code == 200


def test_forged_forwarding_is_not_believed(stack):
    """Limits go by the peer: nobody gets a new allowance by inventing addresses."""
    left = []
    for number in range(4):
        forged = {"X-Forwarded-For": f"10.0.0.{number}, 1.2.3.4", "X-Real-IP": f"10.1.0.{number}"}
        answer = stack.client.post("/api/v1/auth/token", json={}, headers=forged)
        left.append(int(answer.headers.get("X-RateLimit-Remaining", -1)))
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 4


def paged(stack):
    return [
        one
        for one in stack.operations
        if {"cursor", "limit"} <= {parameter["name"] for parameter in one["parameters"]}
    ]


def test_every_list_has_the_same_pages(stack):
    for operation in paged(stack):
        answer = stack.call(operation, stack.right(operation), query="limit=1")
        assert answer.status_code == 200, operation["operationId"]
        body = answer.json
        assert len(body["items"]) <= 1
        assert ("Link" in answer.headers) is (body["next_cursor"] is not None)


def test_a_list_is_walked_by_its_links(stack):
    """Each page's link leads to the next; nothing comes twice and nothing is left out."""
    admin = stack.city["admin"]
    with stack.undone():
        for number in range(5):
            people.pharmacy(f"药店{number}")
        whole = stack.client.get(
            "/api/v1/admin/organisations?kind=pharmacy", headers=admin.headers
        ).json["items"]
        seen, path = [], "/api/v1/admin/organisations?limit=2&kind=pharmacy"
        while path:
            answer = stack.client.get(path, headers=admin.headers)
            seen += [item["id"] for item in answer.json["items"]]
            link = answer.headers.get("Link", "")
            path = link.partition(">")[0].lstrip("<")
            assert not link or link.endswith('; rel="next"')
    assert seen == [item["id"] for item in whole]


def test_a_cursor_of_one_list_opens_no_other(stack):
    admin = stack.city["admin"]
    first = stack.client.get("/api/v1/admin/audit/entries?limit=1", headers=admin.headers)
    cursor = first.json["next_cursor"]
    other = stack.client.get(f"/api/v1/admin/organisations?cursor={cursor}", headers=admin.headers)
    assert_problem(other, 400, "cursor_invalid")


def test_a_401_says_how_to_come_in(stack):
    for operation in stack.operations:
        if not is_public(operation):
            answer = stack.call(operation, stack.city["anonymous"])
            assert_problem(answer, 401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_step_up_is_asked_for_as_rfc_9470_says(stack):
    operation = next(one for one in stack.operations if one["operationId"] == "bookMasks")
    answer = stack.call(operation, stack.city["newcomer"])
    assert_problem(answer, 401, "step_up_required")
    assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
    assert answer.json["required_level"] == 2


def test_created_things_say_where_they_are(stack):
    for operation in stack.operations:
        if "201" in operation["responses"]:
            answer = stack.call(operation, stack.right(operation))
            assert answer.headers["Location"].startswith("/api/v1/"), operation["operationId"]


def test_what_did_not_change_is_not_sent_again(stack):
    """An entity tag that is still right gets 304 without a body, where that is documented."""
    documented = {one["operationId"] for one in stack.operations if "304" in one["responses"]}
    seen = set()
    for operation in stack.operations:
        first = stack.call(operation, stack.right(operation))
        if operation["method"] == "get" and "ETag" in first.headers:
            tag = {"If-None-Match": first.headers["ETag"]}
            again = stack.call(operation, stack.right(operation), **tag)
            if again.status_code == 304:
                seen.add(operation["operationId"])
                assert again.data == b""
                assert again.headers["ETag"] == first.headers["ETag"]
    assert seen == documented
    assert "listMaskOffers" in seen


def test_header_fields_of_answers_are_documented(stack):
    for operation in stack.operations:
        responses = operation["responses"]
        if "201" in responses:
            assert "Location" in responses["201"]["headers"]
        for status in {"429", "503"} & responses.keys():
            assert "Retry-After" in responses[status]["headers"]
        if "401" in responses:
            assert "WWW-Authenticate" in responses["401"]["headers"]
    for operation in paged(stack):
        assert "Link" in operation["responses"]["200"]["headers"], operation["operationId"]


def test_a_failure_of_ours_tells_nothing(stack, monkeypatch):
    """Whatever breaks inside, the caller learns a code and a trace id."""
    inside = "SELECT phone FROM accounts.account WHERE phone = '13800138000'"

    def fail(*_args, **_more):
        raise RuntimeError(inside)

    monkeypatch.setattr(db, "statement", fail)
    monkeypatch.setattr(db, "transaction", fail)
    failed = 0
    for operation in stack.operations:
        answer = stack.client.open(
            stack.path(operation),
            method=operation["method"].upper(),
            headers=stack.right(operation).headers,
            json={} if takes_json(operation) else None,
        )
        assert inside not in answer.text
        assert not tells_too_much(answer), operation["operationId"]
        if answer.status_code == 500:
            failed += 1
            assert_problem(answer, 500, "internal_error")
    assert failed > 30


def test_a_database_that_is_gone_is_503_with_a_time(stack, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def gone(*_args, **_more):
        raise OperationalError("SELECT secret FROM accounts.account", {}, Exception("gone"))

    monkeypatch.setattr(db, "statement", gone)
    answer = stack.client.get("/api/v1/me", headers=stack.city["owner"].headers)
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_the_guard_notices_what_tells_too_much(stack):
    class Answer:
        text = '{"detail": "psycopg.errors.UniqueViolation: INSERT INTO accounts.account"}'

    assert {"psycopg", "INSERT ", "accounts.account"} <= set(tells_too_much(Answer))


def test_every_documented_code_is_explained_on_its_page(stack):
    for code, kind in register().items():
        page = stack.client.get(f"/problems/{code}")
        assert page.status_code == 200
        assert kind.title.zh in page.text
    assert stack.client.get(f"/problems/{ABSENT}").status_code == 404


def test_statuses_have_one_kind_of_problem_each():
    for status, kind in problems._BY_STATUS.items():
        assert status_of(kind) == status


def test_the_limiter_is_shared_by_spellings_of_one_door(stack):
    """A trailing slash is the same door, not a second allowance."""
    assert isinstance(stack.app.extensions[limits.EXTENSION], limits.Limiter)
    first = stack.client.post("/api/v1/auth/token", json={})
    second = stack.client.post("/api/v1/auth/token/", json={})
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (first, second)]
    assert left[1] == left[0] - 1
