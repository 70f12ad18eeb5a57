"""A retried POST gets the answer of the first one (draft-ietf-httpapi-idempotency-key-header).

The key's lock, its look-up, the work and the record are one transaction: either all of it
happened, or nothing did. Refusals are not stored: the same key may be tried again.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, request
from marshmallow import Schema
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.errors import IdempotencyKeyReused
from citizen_cloud.web.caller import caller
from citizen_cloud.web.parser import MULTIPART
from citizen_cloud.web.refusals import IdempotencyKeyMissing, RequestInFlight

KEY = re.compile("[!-~]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an accepted request is answered with."""

    content: Any
    status: int = 200
    location: str | None = None


def request_key(*, required: bool) -> str | None:
    """Return the Idempotency-Key of this request. Raises ``IdempotencyKeyMissing`` (400)."""
    key = request.headers.get("Idempotency-Key")
    if key is None and not required:
        return None
    if key is None or not KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    return key


def request_hash() -> bytes:
    """Return the fingerprint of what was asked: method, path, query and body.

    Keyed: what somebody said of his health is one of a few hundred bodies, and soon tried.
    """
    head = f"{request.method} {request.full_path}\n".encode()
    if request.mimetype == MULTIPART and request.files:
        parts = sorted((name, file.stream.read()) for name, file in request.files.items())
        for file in request.files.values():
            file.stream.seek(0)
        body = repr((parts, sorted(request.form.items()))).encode()
    else:
        body = request.get_data(cache=True)
    told = hashlib.sha256(head + body).hexdigest()
    return crypto.current().lasting_hash("idempotency", told)


def answer_once(schema: Schema | type[Schema], work: Callable[[Session], Answer]) -> Response:
    """Run ``work`` in one transaction; with an Idempotency-Key, at most once for that key."""
    dumper = schema() if isinstance(schema, type) else schema
    key = request_key(required=False)
    with db.transaction() as session:
        if key is None:
            return _response(dumper, work(session))
        key_hash = _key_hash(key)
        _lock(session, key_hash)
        stored = _stored(session, key_hash)
        if stored is not None:
            return stored
        answer = work(session)
        response = _response(dumper, answer)
        _store(session, key_hash, answer, response)
    return response


def replay() -> Response | None:
    """Return what this key was answered before, if it was.

    For doors that use something up before their transaction (a one-time code): a repeat must not
    be asked for a second one.
    """
    key = request_key(required=False)
    if key is None:
        return None
    with db.transaction() as session:
        return _stored(session, _key_hash(key))


def _key_hash(key: str) -> bytes:
    principal = str(caller().account_id)
    return hashlib.sha256("\n".join((principal, request.endpoint or "", key)).encode()).digest()


def _lock(session: Session, key_hash: bytes) -> None:
    number = int.from_bytes(key_hash[:8], "big", signed=True)
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": number}):
        raise RequestInFlight


def _stored(session: Session, key_hash: bytes) -> Response | None:
    row = session.execute(
        text(
            "SELECT request_hash, status, location, body FROM web.idempotent_answer "
            "WHERE key_hash = :k"
        ),
        {"k": key_hash},
    ).first()
    if row is None:
        return None
    if bytes(row.request_hash) != request_hash():
        raise IdempotencyKeyReused
    response = Response(bytes(row.body), status=row.status, mimetype="application/json")
    if row.location:
        response.headers["Location"] = row.location
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _response(dumper: Schema, answer: Answer) -> Response:
    body = orjson.dumps(dumper.dump(answer.content))
    response = Response(body, status=answer.status, mimetype="application/json")
    if answer.location:
        response.headers["Location"] = answer.location
    return response


def _store(session: Session, key_hash: bytes, answer: Answer, response: Response) -> None:
    session.execute(
        text(
            "INSERT INTO web.idempotent_answer (key_hash, account_id, endpoint, request_hash, "
            "status, location, body) VALUES (:k, :a, :e, :h, :s, :l, :b)"
        ),
        {
            "k": key_hash,
            "a": caller().account_id,
            "e": (request.endpoint or "")[:120],
            "h": request_hash(),
            "s": answer.status,
            "l": answer.location,
            "b": response.get_data(),
        },
    )
