"""An SMS gateway on this machine that misbehaves on demand."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gateway(ThreadingHTTPServer):
    """Answers as told: a status and a body, or a callable that has the socket to itself."""

    daemon_threads = True
    answer = (200, b'{"accepted": true}')

    def __init__(self):
        self.requests = []
        super().__init__(("127.0.0.1", 0), _Door)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/sms"


class _Door(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers), json.loads(body)))
        answer = self.server.answer
        if callable(answer):
            answer(self)
            return
        status, content = answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Keep the test's output clean."""


def hang_up(door):
    door.connection.close()


def stay_silent(door):
    time.sleep(0.6)
    door.close_connection = True


def drip(door):
    """Say yes, so slowly that every single wait is short."""
    door.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    try:
        for byte in b" " * 12 + b'{"accepted": true}':
            door.wfile.write(bytes([byte]))
            door.wfile.flush()
            time.sleep(0.04)
    except OSError:
        pass
    door.close_connection = True


def flood(door):
    door.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    door.wfile.write(b'{"accepted": true, "x": "' + b"x" * 200_000 + b'"}')
    door.close_connection = True


def garble(door):
    door.wfile.write(b"\x00\x01\x02 not HTTP at all\r\n\r\n")
    door.close_connection = True
