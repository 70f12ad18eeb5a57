"""What one part of the module holds about people; ``cards`` puts the parts together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.manifest import Subject
from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The tables of one part, and how their rows are exported and forgotten."""

    name: str
    category: Text
    tables: frozenset[str]
    export: Callable[[Session, Subject], dict[str, Any]]
    erase: Callable[[Session, Subject, datetime], int]
    kept: tuple[Text, ...] = ()
