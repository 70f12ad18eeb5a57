"""The blueprint every room uses: strict parsing, one tag, and doors documented from their marks."""

from collections.abc import Callable
from copy import deepcopy
from http import HTTPStatus
from typing import Any, TypeVar, cast

import flask_smorest
from apispec.utils import deepupdate
from flask.views import MethodView
from marshmallow import Schema

from citizen_cloud.errors import Refusal
from citizen_cloud.web.examples import example_of, of_field
from citizen_cloud.web.marks import Access
from citizen_cloud.web.parser import MULTIPART, Parser
from citizen_cloud.web.problems import MEDIA_TYPE, status_of
from citizen_cloud.web.schemas import ProblemSchema

API_ROOT = "/api/v1"
View = TypeVar("View", bound=Callable[..., Any])
Resource = TypeVar("Resource", bound=type[MethodView])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A group of operations under one tag."""

    ARGUMENTS_PARSER = Parser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {  # noqa: RUF012
        **flask_smorest.Blueprint.DEFAULT_LOCATION_CONTENT_TYPE_MAPPING,
        "multipart": MULTIPART,
    }

    def __init__(
        self, name: str, *, url_prefix: str = "", description: str, root: bool = False
    ) -> None:
        """Group operations under the API's root, or, with ``root``, under the host's own.

        Only ``/.well-known`` needs the latter (RFC 8615).
        """
        prefix = url_prefix if root else API_ROOT + url_prefix
        super().__init__(name, name, url_prefix=prefix, description=description)
        documenters: list[Any] = self.__dict__["_prepare_doc_cbks"]
        self.__dict__["_prepare_doc_cbks"] = [
            self._prepare_examples,
            *documenters,
            self._prepare_access,
        ]

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """Read one part of the request by a schema and pass it to the view.

        With ``required=False`` a request without a body counts as one with ``{}``.
        """
        read = _instance(schema)
        read.may_be_absent = not options.get("required", True)  # type: ignore[attr-defined]
        return cast("Callable[[View], View]", super().arguments(read, **options))

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """Answer with a status, dumped by a schema."""
        return cast("Callable[[View], View]", super().response(status, schema, **options))

    def alt_response(self, status: int, **options: Any) -> Callable[[View], View]:
        """Document another answer."""
        return cast("Callable[[View], View]", super().alt_response(status, **options))

    def route(self, rule: str, **options: Any) -> Callable[[Resource], Resource]:
        """Serve a resource at a path below the blueprint's."""
        return cast("Callable[[Resource], Resource]", super().route(rule, **options))

    def operation(
        self, operation_id: str, *refusals: type[Refusal], key: bool | None = None
    ) -> Callable[[View], View]:
        """Name an operation and list its own refusals.

        ``key`` documents the Idempotency-Key header: True required, False optional.
        """

        def mark(view: View) -> View:
            apidoc = deepcopy(getattr(view, "_apidoc", {}))
            apidoc["operation"] = {
                "id": operation_id,
                "refusals": refusals,
                "access": getattr(view, "_access", Access()),
                "key": key,
            }
            view._apidoc = apidoc  # type: ignore[attr-defined]  # noqa: SLF001
            return view

        return mark

    @staticmethod
    def _prepare_examples(
        doc: dict[str, Any], doc_info: dict[str, Any], **_: Any
    ) -> dict[str, Any]:
        """Give every body and parameter an example before smorest resolves the schemas."""
        for argument in doc_info.get("arguments", {}).get("parameters", []):
            schema = _instance(argument["schema"])
            if argument["in"] in ("json", "multipart"):
                argument.setdefault("example", example_of(schema, incoming=True))
            else:
                for field in schema.load_fields.values():
                    example = of_field(field, incoming=True)
                    field.metadata = {"example": example, **field.metadata}
        for responses in doc_info.get("response", {}).get("responses", {}).values():
            for response in responses:
                schema = response.get("schema")
                if isinstance(schema, Schema) and "example" not in response:
                    one = example_of(schema, incoming=False)
                    response["example"] = [one] if schema.many else one
        return doc

    @staticmethod
    def _prepare_access(
        doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_: Any
    ) -> dict[str, Any]:
        """Write operationId, security, x-authz and the refusals from the marks."""
        operation = doc_info.get("operation")
        if operation is None:
            return doc
        access: Access = operation["access"]
        statuses = _refusal_codes(operation, doc, method)
        extra: dict[str, Any] = {
            "operationId": operation["id"],
            "security": [] if access.public else [{"bearer": []}],
            "x-authz": _authz(access),
            "responses": {
                str(status): _problem_response(status, codes) for status, codes in statuses.items()
            },
        }
        parameters = [_KEY_HEADER | {"required": operation["key"]}] * (operation["key"] is not None)
        doc.setdefault("parameters", []).extend(parameters)
        doc.get("responses", {}).pop("422", None)
        doc.get("responses", {}).pop(422, None)
        return cast("dict[str, Any]", deepupdate(doc, extra))


_KEY_HEADER: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "1 to 64 visible ASCII characters; the same key gives the same result",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]{1,64}$"},
    "example": "5f0c2a34-9d1e-4f7c-8a46-1a2b3c4d5e6f",
}


def _instance(schema: Any) -> Schema:
    return cast("Schema", schema() if isinstance(schema, type) else schema)


def _authz(access: Access) -> dict[str, Any]:
    if access.public:
        return {"access": "public"}
    if access.permission:
        return {"access": "permission", "permission": access.permission}
    return {"access": "signed_in", "level": access.level}


def _refusal_codes(
    operation: dict[str, Any], doc: dict[str, Any], method: str
) -> dict[int, list[str]]:
    """Return the problem codes of an operation by status: its own, and what its shape implies."""
    access: Access = operation["access"]
    has_body = "requestBody" in doc
    has_key = operation["key"] is not None
    implied = (
        (True, 400, "malformed"),
        (True, 500, "internal_error"),
        (True, 503, "module_off"),
        (True, 503, "unavailable"),
        (not access.public, 401, "unauthenticated"),
        (access.level > 1, 401, "step_up_required"),
        (not access.public, 403, "forbidden"),
        (bool(access.limits), 429, "rate_limited"),
        (has_body, 408, "request_timeout"),
        (has_body, 413, "content_too_large"),
        (method != "get", 415, "unsupported_media_type"),
        (has_body or bool(doc.get("parameters")), 422, "invalid"),
        (operation["key"] is True, 400, "idempotency_key_required"),
        (has_key, 409, "request_in_flight"),
        (has_key, 422, "idempotency_key_reused"),
        *((True, status_of(refusal), refusal.code) for refusal in operation["refusals"]),
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
