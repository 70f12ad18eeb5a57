"""Events of the outbox as their handlers get them, one by one or many together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Event:
    """An outbox event as handlers get it; ``secret`` is opened for them."""

    id: UUID
    name: str
    payload: Mapping[str, Any]
    secret: Mapping[str, Any] | None
    created_at: datetime


Handler = Callable[[Session, Event, datetime], None]


@dataclass(frozen=True)
class Together:
    """A handler that takes many events of one name at once, in a few statements for all of them.

    It handles all of them or raises: then they are handed over in halves, down to the one that is
    the cause, so it must be as idempotent as any other. As a ``Handler`` it takes a single event.
    """

    handle_all: Callable[[Session, Sequence[Event], datetime], None]

    def __call__(self, session: Session, event: Event, now: datetime) -> None:
        """Handle one event."""
        self.handle_all(session, (event,), now)


@dataclass(frozen=True)
class Alone:
    """A handler that may take long: its event has a transaction, and the loop, to itself.

    What others are told is neither held up by it nor locked meanwhile.
    """

    handle: Handler

    def __call__(self, session: Session, event: Event, now: datetime) -> None:
        """Handle one event."""
        self.handle(session, event, now)
