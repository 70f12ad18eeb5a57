"""Requests as bytes against the real server with the real application."""

import json
import socket
import time
from typing import NamedTuple

import people
import pytest
from conftest import copy_of_template, run_as_superuser, settings_for
from live import Server

PROBLEM = "application/problem+json"
ME = "/api/v1/me"


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def problem(self):
        return json.loads(self.body)


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    name = copy_of_template(cluster)
    settings = settings_for(cluster, name)
    running = Server(settings, tmp_path_factory.mktemp("wire") / "log", workers=1)
    running.settings = settings
    try:
        yield running.start()
    finally:
        running.stop()
        run_as_superuser(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def token(server):
    return people.token_on(server.settings, people.citizen)


def receive(sock):
    """Read one response; HEAD's has no body, and neither has a 204."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65_536)
        assert piece, f"closed after {data!r}"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    while len(body) < int(headers.get("content-length", 0)):
        piece = sock.recv(65_536)
        if not piece:
            break
        body += piece
    return Answer(int(line.split()[1]), headers, body)


def ask(server, raw):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(raw)
        return receive(sock)


def request(path, *fields, method="GET", body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: city.example", "Connection: close", *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def assert_problem(answer, status, code):
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM), answer
    assert answer.problem["code"] == code
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["TRACE", "PURGE", "PROPFIND", "CONNECT"])
def test_methods_nobody_serves(server, method):
    path = "city.example:443" if method == "CONNECT" else ME
    answer = ask(server, request(path, method=method))
    assert answer.status in (400, 404, 405)
    assert answer.headers["content-type"] == PROBLEM


def test_trace_echoes_nothing(server):
    answer = ask(server, request(ME, "X-Secret: do-not-echo", method="TRACE"))
    assert_problem(answer, 405, "method_not_allowed")
    assert b"do-not-echo" not in answer.body


def test_a_method_override_overrides_nothing(server, token):
    fields = (f"Authorization: Bearer {token}", "X-HTTP-Method-Override: DELETE", "X-Method: PUT")
    assert ask(server, request(ME, *fields)).status == 200
    assert ask(server, request(f"{ME}?_method=DELETE", *fields)).status in (200, 422)


@pytest.mark.parametrize(
    "fields",
    [
        ("Authorization: Bearer {0}", "Authorization: Bearer {0}"),
        ("Authorization: Bearer {0}", "Authorization: Bearer other"),
        ("Authorization: Bearer {0}, Bearer {0}",),
        ("Authorization: Bearer\t{0}",),
        ("Authorization: {0}",),
        ("Proxy-Authorization: Bearer {0}",),
        ("X-Authorization: Bearer {0}",),
        ("Cookie: access_token={0}",),
    ],
)
def test_one_bearer_token_in_its_one_field_or_nobody(server, token, fields):
    answer = ask(server, request(ME, *(field.format(token) for field in fields)))
    assert_problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(server, token, scheme):
    assert ask(server, request(ME, f"Authorization: {scheme} {token}")).status == 200


def test_another_host_changes_nothing(server):
    raw = b"GET /api/v1/modules HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: worse\r\nConnection: close\r\n\r\n"
    answer = ask(server, raw)
    assert answer.status == 200
    assert b"evil" not in answer.body + str(answer.headers).encode()


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/api/v1/modules", "https://user:pass@evil.example/api/v1/modules"],
)
def test_an_absolute_target_names_no_other_host(server, target):
    answer = ask(server, request(target))
    assert answer.status in (200, 400, 404)
    assert b"evil" not in answer.body.replace(target.encode(), b"")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/../v1/modules/../../etc/passwd",
        "/docs/../../../setup.cfg",
        "/docs/%2e%2e/%2e%2e/setup.cfg",
        "/docs/..%2f..%2fsetup.cfg",
        "/docs/%5c..%5csetup.cfg",
        "/docs//etc/passwd",
        "/api/v1/bookings/%00",
        "/api/v1/bookings/%0d%0aSet-Cookie:x=1",
        "/api/v1/bookings/%ff%fe",
        "/api/v1/bookings/\xff",
        "/api/v1/%c0%ae%c0%ae/me",
        "/problems/%3Cscript%3E",
        "//evil.example/api/v1/me",
        "/%",
        "/%zz",
    ],
)
def test_crooked_paths_lead_nowhere(server, path):
    answer = ask(server, request(path))
    assert answer.status in (400, 404), answer
    assert answer.headers["content-type"] == PROBLEM
    assert "set-cookie" not in answer.headers
    # Nothing sends anybody elsewhere, and a browser takes no answer for a page.
    assert "location" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /livez\r\n\r\n", 400),
        (b"GET /livez HTTP/0.9\r\nHost: x\r\n\r\n", 505),
        (b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1 \r\nHost: x\r\n\r\n", 505),
        (b"GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n", 505),
        (b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /" + b"?a=1&" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 65_536 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_as_a_problem(server, raw, status):
    answer = ask(server, raw)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "fields",
    [
        ("Range: bytes=0-10",),
        ("Range: bytes=0-0,1-1,2-2," + "3-3," * 500 + "4-4",),
        ("If-None-Match: *",),
        ("If-Modified-Since: nonsense",),
        ("Accept-Language: " + "x," * 4000,),
        ("Accept-Encoding: gzip;q=abc, *;q=9",),
        ("Accept: " + "a/b," * 1500,),
        ("X-Forwarded-For: " + "1.1.1.1, " * 500,),
        ("X-Forwarded-For: fe80::1%eth0",),
        ("X-Forwarded-Proto: javascript", "Forwarded: for=unknown;proto=ftp"),
        ("Cookie: " + "a=b; " * 1000,),
        ("traceparent: " + "0" * 8000,),
        ("X-App-Version: " + "9" * 8000,),
        ("X-App-Version: １.０",),
        ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    ],
    ids=lambda fields: fields[0][:40],
)
def test_fields_that_are_odd_do_no_harm(server, fields):
    fields = [field.encode().decode("latin-1") for field in fields]
    answer = ask(server, request("/api/v1/modules", *fields))
    assert answer.status in (200, 304, 426), answer


def test_no_socket_is_opened(server):
    raw = b"GET /api/v1/modules HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    assert_problem(ask(server, raw), 400, "malformed")


def test_a_continue_is_sent_only_where_a_body_is_wanted(server):
    fields = ("Expect: 100-continue", "Content-Type: application/json", "Content-Length: 2")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(request("/api/v1/auth/token", *fields, method="POST"))
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(b"{}")
        assert_problem(receive(sock), 422, "invalid")


def test_requests_in_a_row_on_one_connection_are_answered_in_order(server):
    ids = [f"n{number}" for number in range(30)]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(
            b"".join(
                f"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: {one}\r\n\r\n".encode()
                for one in ids
            )
        )
        seen, data = [], b""
        while len(seen) < len(ids):
            data += sock.recv(65_536)
            seen = [
                line.partition(b": ")[2].decode()
                for line in data.split(b"\r\n")
                if line.lower().startswith(b"x-request-id:")
            ]
    assert seen == ids


def test_a_body_that_was_not_asked_for_smuggles_nothing(server):
    smuggled = b"GET /api/v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    raw = (
        f"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: {len(smuggled)}\r\n\r\n".encode()
        + smuggled
        + b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(raw)
        data = b""
        while piece := sock.recv(65_536):
            data += piece
    assert data.count(b"HTTP/1.1 200") == 2
    assert b"404" not in data


def test_a_refused_body_in_json_keeps_the_connection_for_the_next(server):
    post = "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        for body in (b"{", b"[]", b'{"a":1,"a":2}', b"\xff"):
            sock.sendall(f"{post}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert receive(sock).status in (400, 422)


def test_a_slow_sender_does_not_hold_the_others_up(server):
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(20)]
    for sock in slow:
        sock.sendall(request(ME, "Content-Length: 1000", method="POST") + b"x")
    took = []
    for _ in range(20):
        began = time.monotonic()
        assert server.status("/livez") == 200
        took.append(time.monotonic() - began)
    for sock in slow:
        sock.close()
    # The median: this machine may have others on it.
    assert sorted(took)[10] < 0.25


def test_head_is_get_without_a_body(server):
    answer = ask(server, request("/api/v1/modules", method="HEAD"))
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 2


def test_no_answer_names_the_server(server):
    for raw in (request("/livez"), request("/nothing"), b"nonsense\r\n\r\n"):
        answer = ask(server, raw)
        assert "gunicorn" not in str(answer).lower()
        assert "werkzeug" not in str(answer).lower()


def test_the_log_holds_no_token_and_no_query(server, token):
    ask(server, request(f"{ME}?access_token=13800138000", f"Authorization: Bearer {token}"))
    log = server.log.read_text()
    assert token not in log
    assert "13800138000" not in log
