"""A lean HTTP/1.1 client for load: raw sockets, keep-alive, several processes, always bounded.

It parses no more of an answer than its status and length. What it costs itself is measured with
``ceiling.py`` and printed with every table: on a small machine client and server share the cores.
"""

import multiprocessing
import os
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

CHUNK = 65_536
SLOWEST_S = 30.0
_FORK = multiprocessing.get_context("fork")


@dataclass
class Answers:
    """What came back: statuses, seconds per answer, and what did not come back."""

    seconds: float = 0.0
    statuses: Counter = field(default_factory=Counter)
    latencies: array = field(default_factory=lambda: array("f"))
    broken: int = 0
    client_cpu: float = 0.0
    sample: bytes = b""

    @property
    def count(self):
        return sum(self.statuses.values())

    @property
    def per_second(self):
        return self.count / self.seconds if self.seconds else 0.0

    def percentile(self, share):
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def add(self, other):
        self.seconds = max(self.seconds, other.seconds)
        self.statuses.update(other.statuses)
        self.latencies.extend(other.latencies)
        self.broken += other.broken
        self.client_cpu += other.client_cpu
        self.sample = self.sample or other.sample


class _Line:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("began", "need", "received", "sock")

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=SLOWEST_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.need = 0
        self.began = 0.0

    def send(self, request):
        self.received = b""
        self.need = 0
        self.began = time.perf_counter()
        self.sock.sendall(request)

    def take(self):
        """Read what is there; return the whole answer, None while it is not whole."""
        piece = self.sock.recv(CHUNK)
        if not piece:
            raise ConnectionError
        received = self.received = self.received + piece if self.received else piece
        if not self.need:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.need = end + 4 + _length(received[:end])
        return received if len(received) >= self.need else None


def _length(head):
    at = head.find(b"Content-Length: ")
    if at < 0:
        at = head.lower().find(b"content-length: ")
    if at < 0:
        return 0
    end = head.find(b"\r", at)
    return int(head[at + 16 : end if end >= 0 else None])


class Driver:
    """Some connections of one process, sending requests in turn."""

    def __init__(self, port, requests, *, connections, seconds, keep=None):
        self.port = port
        self.source = iter(requests)
        self.connections = connections
        self.seconds = seconds
        self.keep = keep
        self.answers = Answers()
        self.poller = select.epoll()
        self.lines = {}
        self.deadline = 0.0

    def run(self):
        """Send until the requests or the seconds are used up; wait for what is under way."""
        started, cpu = time.perf_counter(), time.process_time()
        self.deadline = started + self.seconds
        try:
            for request in islice(self.source, self.connections):
                self._open(request)
            while self.lines and time.perf_counter() < self.deadline + SLOWEST_S:
                for descriptor, _ in self.poller.poll(1.0):
                    self._serve(descriptor)
        finally:
            self.answers.broken += len(self.lines)
            for descriptor in list(self.lines):
                self._close(descriptor)
            self.poller.close()
        self.answers.seconds = time.perf_counter() - started
        self.answers.client_cpu = time.process_time() - cpu
        return self.answers

    def _serve(self, descriptor):
        line = self.lines[descriptor]
        try:
            answer = line.take()
            if answer is None:
                return
            now = time.perf_counter()
            self._note(answer, now - line.began)
            request = next(self.source, None) if now < self.deadline else None
            if request is not None and b"Connection: close" not in answer[:600]:
                line.send(request)
                return
        except OSError:
            self.answers.broken += 1
            request = next(self.source, None) if time.perf_counter() < self.deadline else None
        self._close(descriptor)
        if request is not None:
            self._open(request)

    def _open(self, request):
        line = _Line(self.port)
        self.lines[line.sock.fileno()] = line
        self.poller.register(line.sock, select.EPOLLIN)
        line.send(request)

    def _close(self, descriptor):
        line = self.lines.pop(descriptor)
        self.poller.unregister(descriptor)
        line.sock.close()

    def _note(self, answer, seconds):
        status = int(answer[9:12])
        answers = self.answers
        answers.statuses[status] += 1
        answers.latencies.append(seconds)
        if not answers.sample:
            answers.sample = answer
        if self.keep is not None:
            self.keep(status, answer)


def drive(port, requests, *, connections, seconds, keep=None):
    """Send requests from this process; ``keep`` gets (status, answer) of each."""
    return Driver(port, requests, connections=connections, seconds=seconds, keep=keep).run()


def run(port, requests: Sequence[bytes], *, connections, seconds, processes=1, once=False):
    """Send load from several processes; ``once`` sends each request one time at most."""
    total = Answers()
    waiting = []
    for number in range(processes):
        share = requests[number::processes] if once else requests
        source = share if once else cycle(share)
        driver = Driver(port, source, connections=connections // processes, seconds=seconds)
        here, there = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_child, args=(there, driver), daemon=True)
        process.start()
        there.close()
        waiting.append((process, here))
    for process, here in waiting:
        total.add(here.recv())
        process.join()
    return total


def _child(pipe, driver):
    """Run in a process of its own, whose epoll must be its own as well."""
    driver.poller = select.epoll()
    pipe.send(driver.run())
    pipe.close()
    os._exit(0)


def request(method, path, *, token=None, body=None, key=None, more=()):
    """Return the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if key:
        lines.append(f"Idempotency-Key: {key}")
    lines.extend(more)
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")
