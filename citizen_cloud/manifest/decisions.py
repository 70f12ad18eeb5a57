"""What an owner says of things that no single person may decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What somebody wants done, and on which evidence. ``unit_id`` is the proposer's authority."""

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    reason: str
    evidence_reference: str
    # Empty where a rule asks by itself, as for a batch above its cap.
    proposed_by: UUID | None
    unit_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How many people of different units must agree, and what they are shown before they do.

    ``summary`` holds counts and ids, never names, documents or phones.
    """

    approvals: int = 2
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Onlooker:
    """Who reads a proposal or would decide on it; ``unit_id`` is an approver's authority."""

    account_id: UUID
    kind: str
    unit_id: UUID | None = None


Shows = Callable[[Session, Proposal, Onlooker, datetime | None], Mapping[str, Any]]
Bars = Callable[[Session, Proposal, Onlooker], bool]
Keeps = Callable[[Session, Proposal], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class DecisionKind:
    """One thing that needs a proposal and at least two approvers of different units.

    ``check`` runs when it is proposed and again before it is applied, and raises a ``Refusal``
    where it cannot be; the larger number of approvals of the two counts. ``apply`` runs in the
    transaction of the last approval: both happen, or neither. ``payload`` is the marshmallow
    schema of the proposal's own part.
    """

    name: str
    title: Text
    # Who may propose it
    permission: str
    payload: type[Any]
    # The closed list a proposal names one of
    reasons: Mapping[str, Text]
    check: Callable[[Session, Proposal, datetime], Terms]
    apply: Callable[[Session, Proposal, datetime], Mapping[str, Any]]
    # An open proposal ends by itself
    life: timedelta = timedelta(hours=72)
    # What is written down of a payload that passed the check: people by their ids alone
    keeps: Keeps | None = None
    # Whether it is an approver's own affair, or the authority's whose doing it is
    bars: Bars | None = None
    # What is read of a payload that names people: masked, each look noted. Else it is read as it is
    shows: Shows | None = None
