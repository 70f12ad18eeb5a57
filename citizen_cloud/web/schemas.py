"""The bases of every schema, the problem, and a page's query."""

from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema

from citizen_cloud.web.fields import Int, ListOf, Part, QueryInt, Str


class Incoming(Schema):
    """What callers send: an unknown field is refused."""

    error_messages: ClassVar[dict[str, str]] = {  # type: ignore[misc]
        "unknown": "unknown_field",
        "type": "object_required",
    }

    class Meta:
        """Refuse what is not declared."""

        unknown = RAISE


class Outgoing(Schema):
    """What callers get: fields may be added later without breaking them."""

    class Meta:
        """Keep ``additionalProperties`` out of the document."""

        unknown = EXCLUDE


class FaultSchema(Outgoing):
    """One value that breaks a rule."""

    pointer = Str(
        max_length=300,
        min_length=0,
        metadata={"description": "JSON Pointer (RFC 6901) into what was sent", "example": "/phone"},
    )
    code = Str(max_length=64, metadata={"example": "phone_invalid"})
    message = Str(max_length=300, metadata={"example": "手机号码不正确"})


class ProblemSchema(Outgoing):
    """A refusal (RFC 9457)."""

    type = Str(
        required=True,
        max_length=200,
        metadata={"description": "Where the problem is explained", "example": "/problems/invalid"},
    )
    title = Str(required=True, max_length=200, metadata={"example": "提交的内容有误"})
    status = Int(required=True, minimum=400, maximum=599, metadata={"example": 422})
    detail = Str(max_length=1000, metadata={"example": "请检查标出的内容后重新提交。"})
    instance = Str(max_length=500, metadata={"example": "/api/v1/auth/otp"})
    code = Str(
        required=True,
        max_length=64,
        metadata={"description": "Stable word for programs", "example": "invalid"},
    )
    errors = ListOf(Part(FaultSchema), max_length=1000)
    trace_id = Str(max_length=64, metadata={"example": "4bf92f3577b34da6a3ce929d0e0e4736"})


class PageQuery(Incoming):
    """Keyset paging: pass ``next_cursor`` of one page as ``cursor`` of the next."""

    limit = QueryInt(
        minimum=1,
        maximum=100,
        load_default=20,
        metadata={"description": "How many entries a page holds", "example": 20},
    )
    cursor = Str(
        max_length=500,
        metadata={"description": "Where the page before ended; opaque", "example": "eyJhIjoxfQ"},
    )


def page_of(item: type[Schema]) -> type[Schema]:
    """Return the schema of a page of items: ``{items, next_cursor}``."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    members: dict[str, Any] = {
        "items": ListOf(Part(item), max_length=100, required=True),
        "next_cursor": Str(
            max_length=500,
            required=True,
            allow_none=True,
            metadata={"description": "Absent (null) on the last page", "example": None},
        ),
        "__doc__": "One page of a list.",
    }
    return type(name, (Outgoing,), members)
