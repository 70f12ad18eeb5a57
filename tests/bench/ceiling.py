"""How fast the load client itself can go: a process that answers with fixed bytes."""

import multiprocessing
import select
import socket

from bench import load

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
_FORK = multiprocessing.get_context("fork")


def measure(*, seconds=2.0, connections=16):
    """Return requests/s and the client's CPU seconds per request against fixed answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        port = listener.getsockname()[1]
        process = _FORK.Process(target=_answer, args=(listener,), daemon=True)
        process.start()
        try:
            found = load.run(
                port, [load.request("GET", "/")], connections=connections, seconds=seconds
            )
        finally:
            process.terminate()
            process.join()
    return found.per_second, found.client_cpu / max(1, found.count)


def _answer(listener):
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    peers = {}
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == listener.fileno():
                peer, _ = listener.accept()
                peers[peer.fileno()] = peer
                poller.register(peer, select.EPOLLIN)
            elif peers[descriptor].recv(4096):
                peers[descriptor].send(ANSWER)
            else:
                poller.unregister(descriptor)
                peers.pop(descriptor).close()
