"""Whole numbers, numbers and flags, in JSON and as parameters."""

import math
import re
from typing import Any

from marshmallow import fields, validate

from citizen_cloud.web.fields.codes import COMMON

LARGEST_INT = 2_147_483_647


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
