"""What an owner of tables says of the data it holds about people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose data is meant: an account, the person behind it, or a person without an account."""

    account_id: UUID | None = None
    person_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A column of sealed values, and what binds each to its row.

    ``place`` is filled from the row's own columns: ``accounts.account:phone:{id}``.
    """

    table: str
    column: str
    place: str


def _as_it_is(opened: str, row: Mapping[str, Any]) -> str:
    del row
    return opened


@dataclass(frozen=True, kw_only=True)
class Blind:
    """A column by which sealed values are found: a keyed hash of what ``sealed`` holds.

    ``kind`` may name columns of the row, as ``place`` does; ``value`` makes what is hashed from
    the opened value and the row. Blind indexes hold no name of their key, so a rotation computes
    them again and compares.
    """

    table: str
    column: str
    kind: str
    sealed: str
    value: Callable[[str, Mapping[str, Any]], str] = _as_it_is


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """What is held about people, why, on which ground, how long, and in which tables.

    ``tables`` names every table with a person or account key (``schema.table``); ``kept`` says
    what stays after erasure, under no name, and why. The erasure certificate repeats it.
    """

    categories: tuple[Text, ...]
    purpose: Text
    legal_basis: Text
    retention_days: int
    tables: frozenset[str]
    export: Callable[[Session, Subject], dict[str, Any]]
    erase: Callable[[Session, Subject, datetime], int]
    kept: tuple[Text, ...] = ()
