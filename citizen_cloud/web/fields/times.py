"""Days, wall times and instants."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from citizen_cloud.clock import written
from citizen_cloud.web.fields.codes import COMMON

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


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
        return None if value is None else written(value)

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
