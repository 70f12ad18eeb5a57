"""What time it is, and the city's day; the only place that asks."""

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Anything that returns the present instant, aware, in UTC."""

    def __call__(self) -> datetime:
        """Return the present instant."""
        ...


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def local(instant: datetime) -> datetime:
    """Return the instant with the city's offset (+08:00)."""
    return instant.astimezone(CITY)


def written(instant: datetime) -> str:
    """Return the instant as every answer writes it: RFC 3339 with the city's offset."""
    return instant.astimezone(CITY).isoformat(timespec="milliseconds")


def local_day(instant: datetime) -> date:
    """Return the city's calendar day of an instant."""
    return instant.astimezone(CITY).date()
