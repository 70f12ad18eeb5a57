"""Examples for the document, made from the schemas' own examples, so that they cannot go stale."""

from typing import Any

from marshmallow import Schema, fields

UUID_EXAMPLE = "01936d5e-7c1a-7b3e-9f10-2f6f0a3c8d11"
_BY_TYPE: tuple[tuple[type[fields.Field[Any]], Any], ...] = (
    (fields.UUID, UUID_EXAMPLE),
    (fields.AwareDateTime, "2026-03-02T09:00:00.000+08:00"),
    (fields.Date, "2026-03-02"),
    (fields.Time, "09:00"),
    (fields.Boolean, True),
    (fields.Integer, 1),
    (fields.Float, 1.0),
    (fields.String, "示例"),
    (fields.Dict, {}),
)


def example_of(schema: Schema, *, incoming: bool) -> dict[str, Any]:
    """Return an example object; the tests load every incoming one back."""
    members = schema.load_fields if incoming else schema.dump_fields
    return {
        field.data_key or name: of_field(field, incoming=incoming)
        for name, field in members.items()
        if not field.metadata.get("no_example")
    }


def of_field(field: "fields.Field[Any]", *, incoming: bool) -> Any:
    """Return the example of one field: its own, its first choice, or its type's."""
    if "example" in field.metadata:
        return field.metadata["example"]
    if isinstance(field, fields.Nested):
        nested = example_of(field.schema, incoming=incoming)
        return [nested] if field.many else nested
    if isinstance(field, fields.List):
        return [of_field(field.inner, incoming=incoming)]
    for validator in field.validators:
        choices = getattr(validator, "choices", None)
        if choices:
            return next(iter(choices))
    return next((value for kind, value in _BY_TYPE if isinstance(field, kind)), None)
