"""What the document says of an operation besides its schemas: who may, and every refusal."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Self, cast

from apispec.utils import deepupdate
from marshmallow import Schema

from citizen_cloud.errors import Refusal, StaleVersion
from citizen_cloud.web.examples import UUID_EXAMPLE
from citizen_cloud.web.marks import Access
from citizen_cloud.web.parser import ON_BEHALF_OF
from citizen_cloud.web.problems import MEDIA_TYPE, status_of
from citizen_cloud.web.schemas import ProblemSchema
from citizen_cloud.web.step_up import FRESH_S

KEY_HEADER: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "1 to 64 visible ASCII characters; the same key gives the same result",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$"},
    "example": "5f0c2a34-9d1e-4f7c-8a46-1a2b3c4d5e6f",
}
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "description": "The ETag that was read; a change made in between answers 412",
    "required": False,
    "schema": {"type": "string", "maxLength": 12, "pattern": '^(\\*|"v[0-9]{1,9}")$'},
    "example": '"v1"',
}
ON_BEHALF: dict[str, Any] = {
    "in": "query",
    "name": ON_BEHALF_OF,
    "description": "The `person_id` of a dependant (`GET /me/dependants`) for whom this is done; "
    "the person sees it. Without a link that covers the service: 403 `proxy_not_permitted`",
    "required": False,
    "schema": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36},
    "example": UUID_EXAMPLE,
}
SECONDS: dict[str, Any] = {
    "description": "Seconds until it is worth trying again",
    "schema": {"type": "integer", "minimum": 1, "maximum": 86_400},
}
# What answers say beside their body, by status.
ANSWER_FIELDS: dict[str, dict[str, Any]] = {
    "201": {
        "Location": {
            "description": "Where the new thing is",
            "schema": {"type": "string", "maxLength": 500},
        }
    },
    "401": {
        "WWW-Authenticate": {
            "description": "Bearer (RFC 6750); asks for more proof as RFC 9470 says",
            "schema": {"type": "string", "maxLength": 200},
        }
    },
    "429": {"Retry-After": SECONDS},
    "503": {"Retry-After": SECONDS},
}
LINK: dict[str, Any] = {
    "description": 'The next page: `<...>; rel="next"` (RFC 8288); absent on the last',
    "schema": {"type": "string", "maxLength": 2_000},
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation as its marks describe it."""

    id: str
    refusals: tuple[type[Refusal], ...]
    access: Access
    key: bool | None
    has_path: bool = False

    def at(self, *, has_path: bool) -> Self:
        """Return the operation at a path with places in it, or without."""
        return replace(self, has_path=has_path)


def path_parameter(kind: str | None, name: str) -> dict[str, Any]:
    """Return the description of a place in a path."""
    example = UUID_EXAMPLE if kind == "uuid" else "example"
    return {"in": "path", "name": name, "required": True, "example": example}


def completed(doc: dict[str, Any], operation: Operation, method: str) -> dict[str, Any]:
    """Return an operation's document with name, access, header fields and refusals."""
    responses = doc.get("responses", {})
    # smorest's own, which names no codes.
    responses.pop("422", None)
    responses.pop(422, None)
    statuses = _codes(operation, doc, method)
    doc.setdefault("parameters", []).extend(_further_parameters(operation))
    extra: dict[str, Any] = {
        "operationId": operation.id,
        "security": [] if operation.access.public else [{"bearer": []}],
        "x-authz": _with_age(operation.access),
        "responses": {
            str(status): _problem_response(status, codes) for status, codes in statuses.items()
        },
    }
    whole = cast("dict[str, Any]", deepupdate(doc, extra))
    _add_answer_fields(whole)
    return whole


def _add_answer_fields(doc: dict[str, Any]) -> None:
    """Describe the header fields of answers; a list's page names the next one."""
    is_paged = any(one.get("name") == "cursor" for one in _query_of(doc))
    for status, response in doc["responses"].items():
        fields = {**ANSWER_FIELDS.get(str(status), {})}
        if is_paged and str(status) == "200":
            fields["Link"] = LINK
        if fields:
            response["headers"] = fields


def _query_of(doc: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the query parameters, those that are still a schema taken apart."""
    found: list[dict[str, Any]] = []
    for parameter in doc.get("parameters", ()):
        schema = parameter.get("schema")
        if isinstance(schema, Schema | type):
            members = (schema() if isinstance(schema, type) else schema).load_fields
            found += [{"name": name} for name in members]
        else:
            found.append(parameter)
    return found


def _further_parameters(operation: Operation) -> list[dict[str, Any]]:
    """Return what the marks add: whom it is done for, and the header fields."""
    fields = [] if operation.access.acts_for is None else [dict(ON_BEHALF)]
    if operation.key is not None:
        fields.append(KEY_HEADER | {"required": operation.key})
    if any(issubclass(refusal, StaleVersion) for refusal in operation.refusals):
        fields.append(dict(IF_MATCH))
    return fields


def _authz(access: Access) -> dict[str, Any]:
    if access.public:
        return {"access": "public"}
    if access.permission:
        return {"access": "permission", "permission": access.permission}
    return {"access": "signed_in", "level": access.level}


def _with_age(access: Access) -> dict[str, Any]:
    """Return who may pass, and how old the proof may be where that counts."""
    asked = _authz(access)
    if access.acts_for is not None:
        asked["on_behalf_of"] = access.acts_for
    return {**asked, "max_age_s": FRESH_S} if access.fresh else asked


def _codes(operation: Operation, doc: dict[str, Any], method: str) -> dict[int, list[str]]:
    """Return the problem codes of an operation by status: its own, and what its shape implies."""
    access = operation.access
    has_body = "requestBody" in doc
    has_key = operation.key is not None
    by_proxy = access.acts_for is not None
    implied = (
        (True, 400, "malformed"),
        (True, 500, "internal_error"),
        (True, 503, "module_off"),
        (True, 503, "unavailable"),
        (not access.public, 401, "unauthenticated"),
        (access.level > 1 or access.fresh or by_proxy, 401, "step_up_required"),
        (not access.public, 403, "forbidden"),
        (by_proxy, 403, "proxy_not_permitted"),
        (operation.has_path, 404, "not_found"),
        (not access.any_version, 426, "client_too_old"),
        (bool(access.limits), 429, "rate_limited"),
        (has_body, 408, "request_timeout"),
        (has_body, 413, "content_too_large"),
        (method != "get", 415, "unsupported_media_type"),
        (has_body or by_proxy or bool(doc.get("parameters")), 422, "invalid"),
        (operation.key is True, 400, "idempotency_key_required"),
        (has_key, 409, "request_in_flight"),
        (has_key, 422, "idempotency_key_reused"),
        *((True, status_of(refusal), refusal.code) for refusal in operation.refusals),
    )
    codes: dict[int, list[str]] = {}
    for applies, status, code in implied:
        if applies:
            codes.setdefault(status, []).append(code)
    return codes


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    unique = list(dict.fromkeys(codes))
    return {
        "description": f"{HTTPStatus(status).phrase}: " + ", ".join(f"`{code}`" for code in unique),
        "content": {
            MEDIA_TYPE: {
                "schema": ProblemSchema,
                "example": {
                    "type": f"/problems/{unique[0]}",
                    "title": unique[0].replace("_", " "),
                    "status": status,
                    "code": unique[0],
                    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                },
            }
        },
    }
