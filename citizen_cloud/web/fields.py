"""Bounded, strict fields: nothing is guessed, everything has a limit.

Every message is a code; ``words.py`` says it in the caller's language.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from citizen_cloud.clock import local

COMMON = {"required": "required", "null": "null", "validator_failed": "invalid"}
# C0 and C1 controls, surrogates, zero-width, bidi controls, BOM, line and paragraph separators
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]"
)
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LARGEST_INT = 2_147_483_647


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


class Int(fields.Integer):
    """A whole JSON number within bounds; ``"12"``, ``12.0`` and ``true`` are not."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid": "integer_required",
        "too_large": "out_of_range",
    }

    def __init__(self, *, minimum: int = 0, maximum: int = LARGEST_INT, **kwargs: Any) -> None:
        check = validate.Range(min=minimum, max=maximum, error="out_of_range")
        super().__init__(validate=check, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


class QueryInt(Int):
    """A whole number as a query parameter: ASCII digits only."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch("-?[0-9]{1,10}", value):
            raise self.make_error("invalid")
        return int(value)


class Number(fields.Float):
    """A finite JSON number within bounds."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid": "number_required",
        "special": "number_required",
        "too_large": "out_of_range",
    }

    def __init__(self, *, minimum: float, maximum: float, **kwargs: Any) -> None:
        check = validate.Range(min=minimum, max=maximum, error="out_of_range")
        super().__init__(validate=check, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        if not math.isfinite(value):
            raise self.make_error("special")
        return float(value)


class Flag(fields.Boolean):
    """``true`` or ``false`` and nothing like it."""

    default_error_messages = {**COMMON, "invalid": "boolean_required"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class QueryFlag(fields.Boolean):
    """``true`` or ``false`` as a query or form parameter."""

    default_error_messages = {**COMMON, "invalid": "boolean_required"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid")
        return bool(value == "true")


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


class Day(fields.Date):
    """A calendar day, local to the venue."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid": "date_required",
        "format": "date_required",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise self.make_error("invalid", input=value, obj_type="date")
        day = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST.date() <= day <= LATEST.date():
            raise ValidationError("out_of_range")
        return day


class WallTime(fields.Time):
    """A time of the local day, HH:MM."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid": "time_required",
        "format": "time_required",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
            "maxLength": 5,
            "format": None,
            **kwargs.get("metadata", {}),
        }
        super().__init__(format="%H:%M", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise self.make_error("invalid", input=value, obj_type="time")
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(fields.AwareDateTime):
    """An RFC 3339 instant with its offset, between 2000 and 2100; goes out with +08:00."""

    default_error_messages = {  # noqa: RUF012
        **COMMON,
        "invalid": "instant_required",
        "format": "instant_required",
        "invalid_awareness": "timezone_required",
    }

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else local(value).isoformat(timespec="milliseconds")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or len(value) > 40 or value[10:11] not in "Tt":  # noqa: PLR2004
            raise self.make_error("invalid", input=value, obj_type="instant")
        try:
            instant = super()._deserialize(value, attr, data, **kwargs)
            is_inside = EARLIEST <= instant <= LATEST
        except OverflowError as error:
            raise ValidationError("out_of_range") from error
        if not is_inside:
            raise ValidationError("out_of_range")
        return instant.astimezone(UTC)


class Both(fields.Field[dict[str, str]]):
    """Words in both languages: ``{"zh": …, "en": …}``."""

    default_error_messages = {**COMMON, "invalid": "object_required"}  # noqa: RUF012

    def __init__(self, *, max_length: int = 200, **kwargs: Any) -> None:
        part = {"type": "string", "minLength": 1, "maxLength": max_length}
        kwargs["metadata"] = {
            "type": "object",
            "properties": {"zh": part, "en": part},
            "required": ["zh", "en"],
            "additionalProperties": False,
            "example": {"zh": "成人口罩预约", "en": "Masks for adults"},
            **kwargs.get("metadata", {}),
        }
        self._part = Str(max_length=max_length)
        super().__init__(**kwargs)

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
