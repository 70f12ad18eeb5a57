"""Bodies and framing on the wire, against the real server settings, with raw sockets."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

UPLOAD = "multipart/form-data; boundary=b"
PROBLEM = "application/problem+json"


class Answer(NamedTuple):
    """A response and whether the server then closed the connection."""

    status: int
    headers: dict[str, str]
    body: Any
    closed: bool


class Server(NamedTuple):
    """The running server and the way to a new connection."""

    process: "subprocess.Popen[bytes]"
    port: int

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def poll(ready: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until ready, or fail."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def serve(home: Path) -> Iterator[Server]:
    """Run gunicorn with the project's settings and the telling application."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:citizen_cloud.web.gunicorn_conf"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "wire_app:application"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=home)
    server = Server(process, port)

    def up() -> bool:
        assert process.poll() is None, (home / "log").read_text()
        try:
            server.connect().close()
        except OSError:
            return False
        return True

    try:
        poll(up)
        yield server
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder the server takes for its home."""
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    """Share one server."""
    yield from serve(home)


def receive(sock: socket.socket) -> Answer:
    """Read one response and look whether the connection ends after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65_536)
        assert piece, f"closed after {data!r}"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    while len(body) < int(headers["content-length"]):
        body += sock.recv(65_536)
    closed = headers["connection"] == "close"
    if closed:
        assert sock.recv(1) == b""
    return Answer(int(line.split()[1]), headers, json.loads(body), closed)


def ask(server: Server, request: bytes, *, half_close: bool = False) -> Answer:
    """Send raw bytes on a new connection and return the answer."""
    with server.connect() as sock:
        sock.sendall(request)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return receive(sock)


def post(fields: str, body: bytes = b"", path: str = "/") -> bytes:
    """Write a POST request."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode() + body


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """Check a refusal: status, media type, members, closed connection."""
    assert (answer.status, answer.body.get("code")) == (status, code)
    assert answer.headers["content-type"] == PROBLEM
    assert answer.body["status"] == status
    assert answer.body["type"] == f"/problems/{code}"
    assert answer.body["title"]
    assert len(answer.body["trace_id"]) == 32
    assert answer.closed


def test_a_body_arrives_whole_and_the_connection_stays(server: Server) -> None:
    with server.connect() as sock:
        for body in (b"", b"x", b"y" * 99_999):
            sock.sendall(post(f"Content-Length: {len(body)}", body))
            answer = receive(sock)
            assert answer.status == 200
            assert answer.body["sha256"] == hashlib.sha256(body).hexdigest()
            assert not answer.closed
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert receive(sock).body["length"] == 0


def test_a_chunked_body_gets_its_length(server: Server) -> None:
    body = b"5\r\nhello\r\n6;e=1\r\n world\r\n0\r\n\r\n"
    answer = ask(server, post("Transfer-Encoding: chunked", body))
    assert (answer.body["announced"], answer.body["length"]) == ("11", 11)


@pytest.mark.parametrize(
    ("media_type", "length", "status"),
    [
        ("application/json", 100_001, 413),
        (UPLOAD, 100_001, 200),
        (UPLOAD, 8_000_001, 413),
        ("multipart/form-datax", 100_001, 413),
    ],
)
def test_only_uploads_may_be_long(
    server: Server, media_type: str, length: int, status: int
) -> None:
    fields = f"Content-Type: {media_type}\r\nContent-Length: {length}"
    answer = ask(server, post(fields, b"z" * length))
    assert answer.status == status
    if status == 413:
        assert_problem(answer, 413, "content_too_large")


def test_an_endless_chunked_body_is_refused(server: Server) -> None:
    body = b"20000\r\n" + b"a" * 0x20000 + b"\r\n"
    assert_problem(ask(server, post("Transfer-Encoding: chunked", body)), 413, "content_too_large")


def test_uploads_do_not_grow_the_server(server: Server) -> None:
    body = b"u" * 8_000_000
    fields = f"Content-Type: {UPLOAD}\r\nContent-Length: {len(body)}"
    peaks = [ask(server, post(fields, body)).body["peak_kib"] for _ in range(6)]
    assert peaks[-1] - peaks[1] < 16_000


def test_a_silent_sender_is_cut_off(server: Server) -> None:
    started = time.monotonic()
    answer = ask(server, post("Content-Length: 10", b"12345"))
    assert_problem(answer, 408, "request_timeout")
    assert 0.4 < time.monotonic() - started < 3


def test_a_trickling_sender_is_cut_off(server: Server) -> None:
    with server.connect() as sock:
        sock.sendall(post("Content-Length: 100"))
        started = time.monotonic()
        while time.monotonic() - started < 1.0:
            sock.sendall(b".")
            time.sleep(0.1)
        answer = receive(sock)
    assert_problem(answer, 408, "request_timeout")


def test_a_slow_but_steady_sender_is_served(server: Server) -> None:
    with server.connect() as sock:
        sock.sendall(post("Content-Length: 4000"))
        for _ in range(8):
            sock.sendall(b"." * 500)
            time.sleep(0.1)
        assert receive(sock).body["length"] == 4000


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("Content-Length: 10", b"12345"),
        ("Transfer-Encoding: chunked", b"A\r\n12345"),
    ],
)
def test_a_truncated_body_is_refused(server: Server, fields: str, body: bytes) -> None:
    answer = ask(server, post(fields, body), half_close=True)
    assert_problem(answer, 400, "body_truncated")


def test_a_compressed_body_is_refused(server: Server) -> None:
    answer = ask(server, post("Content-Encoding: gzip\r\nContent-Length: 3", b"abc"))
    assert_problem(answer, 415, "content_encoding_not_supported")


def test_refusals_speak_the_language_of_the_caller(server: Server) -> None:
    fields = "Content-Encoding: gzip\r\nContent-Length: 1\r\nAccept-Language: "
    chinese = ask(server, post("Content-Encoding: br\r\nContent-Length: 1", b"a"))
    english = ask(server, post(fields + "en-GB,zh;q=0.5", b"a"))
    assert chinese.headers["content-language"] == "zh-CN"
    assert english.headers["content-language"] == "en"
    assert english.body["title"].isascii()
    assert not chinese.body["title"].isascii()


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n b\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "http_version_not_supported"),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n",
            431,
            "header_too_large",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: 1\r\n" * 70 + b"\r\n",
            431,
            "header_too_large",
        ),
        (post("Transfer-Encoding: gzipped"), 501, "not_implemented"),
        (post("Transfer-Encoding: chunked\r\nContent-Length: 3", b"0\r\n\r\n"), 400, "malformed"),
        (post("Content-Length: 3\r\nContent-Length: 4", b"abcd"), 400, "malformed"),
        (post("Content-Length: -1"), 400, "malformed"),
        (post("Content-Length: +3", b"abc"), 400, "malformed"),
        (post("Transfer-Encoding: chunked", b"zz\r\n"), 400, "malformed"),
        (post("Transfer-Encoding: chunked", b"1\r\naXX"), 400, "malformed"),
        (post("Expect: miracles\r\nContent-Length: 0"), 400, "malformed"),
    ],
)
def test_the_parser_refuses_with_a_problem(
    server: Server, request_bytes: bytes, status: int, code: str
) -> None:
    assert_problem(ask(server, request_bytes), status, code)


def test_what_follows_a_refused_body_is_never_a_request(server: Server) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = ask(server, post("Content-Encoding: gzip\r\nContent-Length: 3", b"abc" + smuggled))
    assert answer.closed


def test_a_failure_below_flask_tells_nothing(server: Server) -> None:
    answer = ask(server, b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in json.dumps(answer.body)


def test_forwarding_headers_are_left_to_the_application(server: Server) -> None:
    fields = "X-Forwarded-Proto: https\r\nSCRIPT_NAME: /evil\r\nContent-Length: 0"
    answer = ask(server, post(fields))
    assert (answer.body["scheme"], answer.body["script"]) == ("http", "")


def test_the_log_never_quotes_a_request(server: Server, home: Path) -> None:
    ask(server, b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: 13800138000\r\n\r\n")
    assert "13800138000" not in (home / "log").read_text()


def test_nothing_listens_but_the_port(server: Server, home: Path) -> None:
    held = set()
    for pid in (server.process.pid, *children(server.process.pid)):
        held |= {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held]
    assert listening == [f"0100007F:{server.port:04X}"]
    assert not list(home.rglob("*.ctl"))


def children(pid: int) -> list[int]:
    """Return the worker processes of a master."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_settings_import_nothing_that_must_be_patched() -> None:
    code = (
        "import sys, citizen_cloud.web.gunicorn_conf\n"
        "print(sorted({'flask', 'sqlalchemy', 'psycopg', 'redis', 'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_request_on_its_way_when_a_stop_is_asked_for_is_answered(tmp_path: Path) -> None:
    running = serve(tmp_path)
    server = next(running)
    with server.connect() as kept, server.connect() as fresh:
        kept.sendall(post("Content-Length: 0"))
        receive(kept)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for line in (kept, fresh):
            line.sendall(post("Content-Length: 0"))
            answer = receive(line)
            assert answer.status == 200
            assert answer.closed
        server.process.wait(10)
    running.close()


def test_a_stop_ends_requests_in_flight_and_drops_idle_connections(tmp_path: Path) -> None:
    running = serve(tmp_path)
    server = next(running)
    with server.connect() as idle, server.connect() as busy:
        idle.sendall(post("Content-Length: 0"))
        receive(idle)
        busy.sendall(post("Content-Length: 4", b"12"))
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        busy.sendall(b"34")
        assert receive(busy).body["length"] == 4
        assert idle.recv(1) == b""
        server.process.wait(10)
    assert time.monotonic() - started < 5
    assert server.process.returncode == 0
    running.close()
