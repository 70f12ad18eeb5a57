"""An application that takes its time to load, as a large one on a busy machine does."""

import os
import time

LOADING_S = 2.5

time.sleep(LOADING_S)


def application(environ, start_response):
    """Say which process answers."""
    body = str(os.getpid()).encode()
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


# The worker asks its application for the words of a refusal.
application.refused = None
