"""The blueprint every room uses: strict parsing, one tag, and doors documented from their marks."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar, cast

import flask_smorest
from flask.views import MethodView
from marshmallow import Schema

from citizen_cloud.errors import Refusal
from citizen_cloud.web.examples import example_of, of_field
from citizen_cloud.web.marks import Access
from citizen_cloud.web.operation import Operation, completed, path_parameter
from citizen_cloud.web.parser import MULTIPART, Parser

API_ROOT = "/api/v1"
PLACES = re.compile(r"<(?:([a-z]+)[^<>:]*:)?(\w+)>", re.ASCII)
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

    def header(self, parameter: dict[str, Any]) -> Callable[[View], View]:
        """Document a header field that the view reads by itself."""
        return cast("Callable[[View], View]", super().doc(parameters=[parameter]))

    def route(self, rule: str, **options: Any) -> Callable[[Resource], Resource]:
        """Serve a resource at a path below the blueprint's."""
        return cast("Callable[[Resource], Resource]", super().route(rule, **options))

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Serve a path, and document each place in it with an example."""
        given = options.pop("parameters", None) or []
        known = {parameter["name"] for parameter in given}
        places = [match.groups() for match in PLACES.finditer(rule)]
        added = [path_parameter(kind, name) for kind, name in places if name not in known]
        super().add_url_rule(rule, *args, parameters=[*given, *added], **options)
        for documented in self._docs[self._endpoints[-1]].values():
            if isinstance(documented, dict) and "operation" in documented:
                documented["operation"] = documented["operation"].at(has_path=bool(places))

    def operation(
        self, operation_id: str, *refusals: type[Refusal], key: bool | None = None
    ) -> Callable[[View], View]:
        """Name an operation and list its own refusals.

        ``key`` documents the Idempotency-Key header: True required, False optional.
        """

        def mark(view: View) -> View:
            apidoc = deepcopy(getattr(view, "_apidoc", {}))
            apidoc["operation"] = Operation(
                id=operation_id,
                refusals=refusals,
                access=getattr(view, "_access", Access()),
                key=key,
            )
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
                if "examples" not in argument:  # a union shows one example each
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
        operation: Operation | None = doc_info.get("operation")
        return doc if operation is None else completed(doc, operation, method)


def _instance(schema: Any) -> Schema:
    return cast("Schema", schema() if isinstance(schema, type) else schema)
