"""Every kind of decision of this process, as it was assembled.

``app.py`` and the job worker install the list: this room stands below those who own the kinds.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from citizen_cloud.approvals.refusals import KindUnknown
from citizen_cloud.manifest import Contribution, DecisionKind, ServiceModule


class KindTaken(Exception):
    """Two owners offer a kind of the same name; the process does not start."""


def kinds_of(
    contributions: Iterable[Contribution], modules: Iterable[ServiceModule]
) -> tuple[DecisionKind, ...]:
    """Put the list together, from the bottom of the stairs to its top."""
    owners: tuple[Contribution | ServiceModule, ...] = (*contributions, *modules)
    return tuple(kind for owner in owners for kind in owner.decisions)


_installed: list[Mapping[str, DecisionKind]] = [MappingProxyType({})]


def install(kinds: Iterable[DecisionKind]) -> None:
    """Make a list the process's own; the last one installed serves. Raises ``KindTaken``."""
    found: dict[str, DecisionKind] = {}
    for kind in kinds:
        if kind.name in found:
            raise KindTaken(kind.name)
        found[kind.name] = kind
    _installed[:] = [MappingProxyType(found)]


def current() -> Mapping[str, DecisionKind]:
    """Return the process's list, by name."""
    return _installed[0]


def kind_of(name: str) -> DecisionKind:
    """Return one kind. Raises ``KindUnknown``."""
    found = current().get(name)
    if found is None:
        raise KindUnknown(errors=[{"pointer": "/kind", "code": "unknown"}])
    return found
