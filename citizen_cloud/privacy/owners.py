"""Everybody who holds personal data, as the process that serves or works was assembled.

``app.py`` and the job worker install the list: this room stands below them and above all rooms, and
knows no module by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from citizen_cloud.manifest import (
    BookingPolicy,
    Contribution,
    PersonalData,
    ServiceModule,
    Sunset,
)
from citizen_cloud.privacy.rules import room_title
from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One room or module with what it says of the data it holds."""

    name: str
    title: Text
    data: PersonalData


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a module says of its own end, its doors by the names of their blueprints."""

    name: str
    title: Text
    sunset: Sunset
    doors: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Owners:
    """The owners from the bottom of the stairs to its top; whoever cannot answer, with the reason.

    A module that stands aside may hold data all the same: a bundle says so, and no account is
    erased meanwhile.
    """

    owners: tuple[Owner, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, BookingPolicy] = field(default_factory=dict)
    endings: Mapping[str, Ending] = field(default_factory=dict)
    # Every room and module of the process, whether it holds personal data or not.
    known: frozenset[str] = frozenset()


def owners_of(
    contributions: Iterable[Contribution],
    modules: Iterable[ServiceModule],
    absent: Mapping[str, str],
) -> Owners:
    """Put the list together."""
    contributions, modules = tuple(contributions), tuple(modules)
    rooms = tuple(
        Owner(name=room.name, title=room_title(room.name), data=room.personal_data)
        for room in contributions
        if room.personal_data is not None
    )
    services = tuple(
        Owner(name=module.name, title=module.title, data=module.personal_data)
        for module in modules
        if module.personal_data is not None
    )
    return Owners(
        owners=(*rooms, *services),
        absent=dict(absent),
        policies={m.name: m.bookings for m in modules if m.bookings is not None},
        endings={
            m.name: Ending(
                name=m.name,
                title=m.title,
                sunset=m.sunset,
                doors=frozenset(blueprint.name for blueprint in m.blueprints),
            )
            for m in modules
            if m.sunset is not None
        },
        known=frozenset({*(room.name for room in contributions), *(m.name for m in modules)}),
    )


_installed: list[Owners] = [Owners()]


def install(found: Owners) -> None:
    """Make a list the process's own; the last one installed serves."""
    _installed[:] = [found]


def current() -> Owners:
    """Return the process's list."""
    return _installed[0]
