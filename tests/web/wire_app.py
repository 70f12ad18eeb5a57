"""A WSGI application that tells what it received, served under the real gunicorn settings."""

import hashlib
import json
import resource
from collections.abc import Iterable
from typing import TYPE_CHECKING

from citizen_cloud.config import Settings
from citizen_cloud.web.body import BoundedBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SETTINGS = Settings(
    environment="embedded",
    database_url="",
    database_owner_url="",
    redis_url=None,
    token_keys="",
    field_keys="",
    lookup_keys="",
    quota_key="",
    credential_keys="",
    trust_keys="",
    max_body_bytes=100_000,
    max_upload_bytes=8_000_000,
    body_timeout_s=0.5,
)


def echo(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer the length and digest of the body; ``/fail`` fails."""
    if environ["PATH_INFO"] == "/fail":
        message = "secret inside"
        raise RuntimeError(message)
    body = environ["wsgi.input"].read()
    answer = json.dumps(
        {
            "announced": environ.get("CONTENT_LENGTH"),
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "script": environ["SCRIPT_NAME"],
            "scheme": environ["wsgi.url_scheme"],
        }
    ).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


application = BoundedBody(echo, SETTINGS)
