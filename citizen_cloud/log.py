"""Logs as JSON lines on standard error: one event a line, control characters escaped."""

import logging
import sys
import traceback
from typing import Any

import orjson
import structlog

# Names whose values never reach a log line, wherever they come from.
SECRET_NAMES = frozenset(
    {
        *("authorization", "code", "document_number", "name", "password", "phone"),
        *("refresh_token", "secret", "token", "totp"),
    }
)

MOST_CAUSES = 5
MOST_FRAMES = 50


def configure() -> None:
    """Set up structlog once per process; the standard library's loggers follow."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            place_of_error,
            redact,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def place_of_error(_logger: Any, _method: str, event: Any) -> Any:
    """Replace an error by its types and places, causes last.

    Never its words or the variables around it: they may hold a phone, a number or a key.
    """
    error = event.pop("exc_info", None)
    chain: list[dict[str, Any]] = []
    while isinstance(error, BaseException) and len(chain) < MOST_CAUSES:
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.StackSummary.extract(
                traceback.walk_tb(error.__traceback__), lookup_lines=False
            )
        ]
        chain.append({"type": type(error).__name__, "frames": places[-MOST_FRAMES:]})
        error = error.__cause__ or error.__context__
    return {**event, "exception": chain} if chain else event


def redact(_logger: Any, _method: str, event: Any) -> Any:
    """Blank members whose name says that they are secret."""
    return {key: "[redacted]" if key in SECRET_NAMES else value for key, value in event.items()}


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()
