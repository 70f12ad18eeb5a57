"""Logs as JSON lines on standard error: one event a line, control characters escaped."""

import logging
import sys
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


def configure() -> None:
    """Set up structlog once per process; the standard library's loggers follow."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            redact,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: Any, _method: str, event: Any) -> Any:
    """Blank members whose name says that they are secret."""
    return {key: "[redacted]" if key in SECRET_NAMES else value for key, value in event.items()}


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()
