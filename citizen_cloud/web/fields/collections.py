"""Lists and nested objects."""

from typing import Any

from marshmallow import fields, validate

from citizen_cloud.web.fields.codes import COMMON


def ListOf(item: Any, *, max_length: int, min_length: int = 0, **kwargs: Any) -> fields.List[Any]:  # noqa: N802
    """Return a list field with a bounded length."""
    return fields.List(
        item,
        validate=validate.Length(min=min_length, max=max_length, error="length"),
        error_messages={**COMMON, "invalid": "list_required"},
        **kwargs,
    )


def Part(schema: Any, **kwargs: Any) -> fields.Nested:  # noqa: N802
    """Return a nested object field."""
    messages: dict[str, Any] = {**COMMON, "type": "object_required", "invalid": "object_required"}
    return fields.Nested(schema, error_messages=messages, **kwargs)
