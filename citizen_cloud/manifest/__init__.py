"""The plug-in contract: what a service declares about itself, as frozen data.

A module offers one ``ServiceModule`` through the entry-point group ``citizen_cloud.modules``.
Core rooms offer a ``Contribution``. Nothing here runs; ``app.py`` and the registry read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.manifest.decisions import DecisionKind, Onlooker, Proposal, Terms
from citizen_cloud.manifest.events import Alone, Event, Handler, Together
from citizen_cloud.manifest.personal_data import Blind, PersonalData, Sealed, Subject
from citizen_cloud.manifest.sunset import Sunset
from citizen_cloud.text import Text

if TYPE_CHECKING:
    from flask import Blueprint

__all__ = [
    "Action",
    "Alone",
    "Blind",
    "BookingFacts",
    "BookingPolicy",
    "Contribution",
    "DecisionKind",
    "Event",
    "Handler",
    "Job",
    "ModuleState",
    "Onlooker",
    "Permission",
    "PersonalData",
    "Proposal",
    "Role",
    "Sealed",
    "ServiceModule",
    "Setting",
    "Subject",
    "Sunset",
    "Terms",
    "Tile",
    "Together",
]

ModuleState = Literal["draft", "active", "read_only", "draining", "off", "sunset"]
Role = Literal["staff", "manager", "admin", "auditor"]


class Action(StrEnum):
    """What a citizen may do with a booking now."""

    SHOW = "show"
    CANCEL = "cancel"
    CONFIRM = "confirm"


@dataclass(frozen=True, kw_only=True)
class BookingFacts:
    """A booking as policies see it."""

    id: UUID
    module: str
    organisation_id: UUID
    slot_id: UUID
    person_id: UUID
    booked_by: UUID
    quantity: int
    status: str
    held_until: datetime | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookingPolicy:
    """What citizens may do with this module's bookings.

    ``actions`` is pure and is asked for every row of a list; ``cancel_policy`` may read and
    raises a ``Refusal`` where the module's own rule forbids a cancellation now.
    ``credential`` names the code type of a booking; empty where there is no code to show.
    """

    actions: Callable[[BookingFacts, datetime], tuple[Action, ...]]
    cancel_policy: Callable[[Session, BookingFacts, datetime], None]
    credential: str | None = None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A module's place on the home screen. ``badge`` gets (session, account id, now)."""

    icon: str
    path: str
    badge: Callable[[Session, UUID, datetime], int] | None = None


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One thing that may be done, and the roles that may.

    ``serves`` marks what is done for a citizen in person: whoever looks after the platform or
    audits it never holds that.
    """

    name: str
    title: Text
    roles: frozenset[Role]
    serves: bool = False

    @property
    def is_apart(self) -> bool:
        """Return whether nobody who looks after the platform would serve by it."""
        return not (self.serves and self.roles & {"admin", "auditor"})


@dataclass(frozen=True, kw_only=True)
class Job:
    """Scheduled work; ``run`` opens its own transactions.

    ``cron`` has five fields, or six: the sixth, at the end, is the seconds.
    """

    name: str
    cron: str
    run: Callable[[datetime], object]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value an administrator may change at run time, within its bounds."""

    name: str
    title: Text
    kind: Literal["integer", "boolean", "string"]
    default: int | bool | str
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What a core room adds to the machinery."""

    name: str
    permissions: tuple[Permission, ...] = ()
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    decisions: tuple[DecisionKind, ...] = ()
    jobs: tuple[Job, ...] = ()
    personal_data: PersonalData | None = None
    sealed: tuple[Sealed, ...] = ()
    blind: tuple[Blind, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceModule:
    """A plug-in service. ``name`` is its entry point, schema, permission prefix and branch."""

    name: str
    title: Text
    version: str
    blueprints: "tuple[Blueprint, ...]"
    permissions: tuple[Permission, ...] = ()
    tile: Tile | None = None
    bookings: BookingPolicy | None = None
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    decisions: tuple[DecisionKind, ...] = ()
    jobs: tuple[Job, ...] = ()
    settings: tuple[Setting, ...] = ()
    personal_data: PersonalData | None = None
    sealed: tuple[Sealed, ...] = ()
    blind: tuple[Blind, ...] = ()
    # How it ends; a module without it can be switched to sunset, and is never purged
    sunset: Sunset | None = None
    # Further URL roots beyond /api/v1/<segment>, /api/v1/me/<noun> and /api/v1/open/<segment>
    url_roots: tuple[str, ...] = ()
    # Folder of the module's alembic versions; empty for a module without tables
    migrations: str | None = None
    initial_state: ModuleState = "off"

    @property
    def code_types(self) -> frozenset[str]:
        """The types of codes that are this module's and no other's."""
        of_bookings = self.bookings.credential if self.bookings is not None else None
        return frozenset({of_bookings} if of_bookings else ()) | (
            self.sunset.credentials if self.sunset is not None else frozenset()
        )

    @property
    def segment(self) -> str:
        """The module's part of a URL."""
        return self.name.replace("_", "-")
