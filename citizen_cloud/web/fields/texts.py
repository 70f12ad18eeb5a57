"""Words, names, choices and ids."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, ValidationError, fields, validate

from citizen_cloud.web.fields.codes import COMMON

# C0 and C1 controls, surrogates, zero-width, bidi controls, BOM, line and paragraph separators
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
# The same for the document: what JSON Schema (ECMA 262) can say of it.
PLAIN = (
    r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]*$"
)


class Str(fields.String):
    """Text of bounded length, NFC, without control or invisible characters."""

    default_error_messages = {**COMMON, "invalid": "string_required"}  # noqa: RUF012

    def __init__(
        self,
        *,
        max_length: int = 200,
        min_length: int = 1,
        pattern: str | None = None,
        **kwargs: Any,
    ) -> None:
        checks: list[Any] = [validate.Length(min=min_length, max=max_length, error="length")]
        if pattern is not None:
            checks.append(
                validate.Regexp(re.compile(f"(?:{pattern})\\Z", re.ASCII), error="pattern")
            )
            kwargs["metadata"] = {**kwargs.get("metadata", {}), "pattern": f"^{pattern}$"}
        super().__init__(validate=checks, **kwargs)

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        if getattr(self.root, "unknown", EXCLUDE) == RAISE:
            self.metadata = {"pattern": PLAIN, **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if FORBIDDEN.search(value):
            raise ValidationError("control_character")
        return unicodedata.normalize("NFC", value)


class OneOf(fields.String):
    """One of a few words."""

    default_error_messages = {**COMMON, "invalid": "string_required"}  # noqa: RUF012

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(validate=validate.OneOf(choices, error="not_one_of"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return value


class Uuid(fields.UUID):
    """A UUID in its usual form."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid_uuid": "uuid_required",
        "invalid": "uuid_required",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str) or len(value) != len(str(UUID(int=0))):
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Both(fields.Field[dict[str, str]]):
    """Words in both languages: ``{"zh": …, "en": …}``."""

    default_error_messages = {**COMMON, "invalid": "object_required"}  # noqa: RUF012

    def __init__(self, *, max_length: int = 200, **kwargs: Any) -> None:
        part = {"type": "string", "minLength": 1, "maxLength": max_length}
        kwargs["metadata"] = {
            "type": "object",
            "properties": {"zh": part, "en": part},
            "required": ["zh", "en"],
            "example": {"zh": "成人口罩预约", "en": "Masks for adults"},
            **kwargs.get("metadata", {}),
        }
        self._part = Str(max_length=max_length)
        super().__init__(**kwargs)

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        if getattr(self.root, "unknown", EXCLUDE) == RAISE:
            # A new mapping: the declared field is shared with answers, which may grow.
            self.metadata = {**self.metadata, "additionalProperties": False}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, str]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        errors: dict[str, list[str]] = {}
        for language in ("zh", "en"):
            try:
                self._part.deserialize(value.get(language))
            except ValidationError as error:
                errors[language] = [str(error.messages[0])]
        errors.update({key: ["unknown_field"] for key in value if key not in ("zh", "en")})
        if errors:
            raise ValidationError(errors)
        return {key: unicodedata.normalize("NFC", text) for key, text in value.items()}
