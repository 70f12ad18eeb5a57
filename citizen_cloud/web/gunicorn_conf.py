"""gunicorn's settings and worker: ``gunicorn -c python:citizen_cloud.web.gunicorn_conf``.

This module is imported by the master, before gevent patches the worker: it must not import Flask,
SQLAlchemy or anything that takes locks. The application is loaded in each worker, after the patch.
"""

import mmap
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import gevent
from gunicorn.http import errors, wsgi
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker
from prometheus_client import multiprocess

# No answer says what software serves it, and of which version.
wsgi.SERVER = "citizen-cloud"
LINGER_S = 2.0
LINGER_STEP = 65_536
# A request may be on its way when a worker is told to go: closing at once would lose it.
PARTING_S = 1.0
# How long a worker that is to be replaced goes on for want of a successor; and when told again.
HANDOVER_S = 30.0
HURRY_S = 10.0
HANDOVER_STEP_S = 0.05
# Shared by master and workers: how often it was reloaded, the newest generation that serves.
RELOADS, SERVING = 0, 1
_page = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")
# First match counts; what is not here is not the client's fault.
STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.InvalidResponseHeader, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.InvalidResponseHeaderName, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.ConfigurationProblem, HTTPStatus.INTERNAL_SERVER_ERROR),
    (errors.LimitRequestLine, HTTPStatus.REQUEST_URI_TOO_LONG),
    (errors.LimitRequestHeaders, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    (errors.UnsupportedTransferCoding, HTTPStatus.NOT_IMPLEMENTED),
    (errors.InvalidHTTPVersion, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
    (errors.ParseException, HTTPStatus.BAD_REQUEST),
)


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gevent's worker with refusals as problem+json and bounded waits in every direction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[gevent.Greenlet[..., Any], gevent.Timeout] = {}
        self.generation = _page[RELOADS]
        self._leaves_at: float | None = None

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Bound the wait for a request and its head, and remember who waits."""
        patience = self.cfg.keepalive if self.alive else PARTING_S
        timer = gevent.Timeout(patience, False)  # noqa: FBT003 - gevent's "be silent"
        greenlet = gevent.getcurrent()
        self._waiting[greenlet] = timer
        try:
            with timer:
                yield
        finally:
            del self._waiting[greenlet]

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Leave when a successor serves, or in time; at once when there is none to come.

        gunicorn tells the old workers to go while the new ones have yet to load the application.
        """
        now = time.monotonic()
        if self._leaves_at is not None:
            self._leaves_at = min(self._leaves_at, now + HURRY_S)
            return
        self._leaves_at = now + HANDOVER_S if self.generation < _page[RELOADS] else now
        gevent.spawn(self._hand_over, sig, frame)

    def _hand_over(self, sig: int, frame: Any) -> None:
        while _page[SERVING] <= self.generation and time.monotonic() < (self._leaves_at or 0):
            gevent.sleep(HANDOVER_STEP_S)
        self._leave(sig, frame)

    def _leave(self, sig: int, frame: Any) -> None:
        """Stop gracefully: end requests in flight and on their way, do not wait for idle peers."""
        super().handle_exit(sig, frame)
        gevent.spawn_later(PARTING_S, self._dismiss, list(self._waiting.items()))

    def _dismiss(self, idle: "list[tuple[gevent.Greenlet[..., Any], gevent.Timeout]]") -> None:
        for greenlet, timer in idle:
            # Who asked meanwhile has another timer, or is being answered.
            if self._waiting.get(greenlet) is timer:
                gevent.kill(greenlet, timer)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection; a peer that takes no answer for ``timeout`` seconds loses it."""
        client.settimeout(self.cfg.timeout)
        AsyncWorker.handle(self, listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve a request; ``abandon`` of its input closes the connection after the answer."""
        if req.version >= (1, 1) and not any(name == "HOST" for name, _ in req.headers):
            raise errors.InvalidHeader("HOST", req=req)
        req.body.abandon = req.force_close
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            # The peer does not read; there is nobody left to tell.
            raise StopIteration from None
        finally:
            if req.must_close:
                linger(sock)

    def handle_error(self, req: Any, client: Any, _addr: Any, exc: BaseException) -> None:
        """Answer what never became a request, or failed below the application."""
        status = status_of(exc)
        # Never the words: they quote the request, which may hold a token or a phone.
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("error below the application: %s", type(exc).__name__)
        else:
            self.log.info("refused by the parser: %s", type(exc).__name__)
        request = req or getattr(exc, "req", None)
        languages = [v for n, v in getattr(request, "headers", ()) if n == "ACCEPT-LANGUAGE"]
        line, headers, body = self.wsgi.refused(status, ",".join(languages))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        answer = f"HTTP/1.1 {line}\r\n{head}Connection: close\r\n\r\n".encode("latin-1") + body
        try:
            client.sendall(answer)
        except OSError as error:
            self.log.debug("refusal not delivered: %s", error)
        linger(client)


def status_of(exc: BaseException) -> HTTPStatus:
    """Return the status for an exception that reached the server."""
    for kind, status in STATUS:
        if isinstance(exc, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def linger(sock: Any) -> None:
    """Let the peer read the answer: closing with bytes unread resets the connection under it."""
    with gevent.Timeout(LINGER_S, False):  # noqa: FBT003 - gevent's "be silent"
        try:
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(LINGER_STEP):
                pass
        except OSError:
            return


def on_reload(_server: Any) -> None:
    """Begin a generation of workers; called in the master, before they are made."""
    _page[RELOADS] += 1


def post_worker_init(worker: Worker) -> None:
    """Say that a worker of this generation serves: its application is loaded."""
    _page[SERVING] = max(_page[SERVING], worker.generation)


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the gauges of a worker that ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


bind = os.environ.get("CITIZEN_CLOUD_BIND", "127.0.0.1:8000")
worker_class = f"{__name__}.Worker"
worker_connections = 1000
preload_app = False
# Silent for this long means stuck: the heartbeat is a greenlet of its own.
timeout = 30
graceful_timeout = 15
# Longer than a person between two taps; the head of a request has to arrive within it as well.
keepalive = 20
limit_request_line = 4096
limit_request_fields = 64
limit_request_field_size = 8190
# A heartbeat file on a busy disk would get healthy workers killed.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# Nothing but the API port: gunicorn would open a control socket under the home folder.
control_socket_disable = True
# The application alone decides whom to believe about forwarding (CITIZEN_CLOUD_TRUSTED_PROXIES).
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
accesslog = None
errorlog = "-"
loglevel = "info"
