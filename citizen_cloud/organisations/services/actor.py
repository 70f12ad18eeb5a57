"""Who does it, for the audit."""

from typing import NamedTuple
from uuid import UUID


class Actor(NamedTuple):
    """An account of some kind, or the system itself, which has no id."""

    kind: str
    id: UUID | None
