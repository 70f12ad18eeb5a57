"""Open, pause and close campaigns; one rationing per product class and day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import Conflict, Invalid, NotFound, StaleVersion
from citizen_cloud.modules.masks.queries import campaigns as queries
from citizen_cloud.modules.masks.queries.campaigns import COLUMNS, CampaignRow
from citizen_cloud.modules.masks.rules.eligibility import eligibility
from citizen_cloud.modules.masks.rules.rationing import PROFILES
from citizen_cloud.modules.masks.rules.refusals import CampaignOver, RationingConflict
from citizen_cloud.modules.masks.services.slots import align
from citizen_cloud.text import Text

# What a state may become. Closed is for good; a campaign that was seen is no draft again.
NEXT: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"open", "closed"}),
    "open": frozenset({"paused", "closed"}),
    "paused": frozenset({"open", "closed"}),
}
HOURS = {
    "morning_from": time(8),
    "morning_until": time(12),
    "afternoon_from": time(13),
    "afternoon_until": time(18),
}


@dataclass(frozen=True, kw_only=True)
class NewCampaign:
    """A campaign to be; ``conditions`` and ``hours`` overlay what the profile and custom say."""

    title: Text
    product_class: str
    profile: str
    starts_on: date
    ends_on: date
    opens_at: datetime
    closes_at: datetime
    status: str = "draft"
    conditions: Mapping[str, Any] = field(default_factory=dict)
    hours: Mapping[str, time] = field(default_factory=dict)


def lock_class(session: Session, product_class: str) -> None:
    """Let one at a time change what is offered of a class; bookings do not wait for it."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"masks.class:{product_class}"},
    )


_CREATE = text(
    f"""
    INSERT INTO masks.campaign AS c
           (title, product_class, profile, eligibility, starts_on, ends_on, opens_at, closes_at,
            morning_from, morning_until, afternoon_from, afternoon_until, status)
    VALUES (cast(:title AS jsonb), :product_class, :profile, cast(:eligibility AS jsonb),
            :starts_on, :ends_on, :opens_at, :closes_at,
            :morning_from, :morning_until, :afternoon_from, :afternoon_until, :status)
    RETURNING {COLUMNS}
    """  # noqa: S608
)


def create_campaign(session: Session, *, new: NewCampaign, actor: Actor) -> CampaignRow:
    """Add a campaign. Raises ``Invalid``, and ``RationingConflict`` for a second rationing.

    Two profiles on the same days would be two allowances of one class: a double share.
    """
    _check_order(new)
    lock_class(session, new.product_class)
    _check_rationing(session, new)
    terms = eligibility(PROFILES[new.profile], new.product_class, new.conditions)
    values = {
        "title": json.dumps(new.title.as_json(), ensure_ascii=False),
        "eligibility": json.dumps(terms.as_json()),
        **{name: getattr(new, name) for name in _PLAIN},
        **HOURS,
        **new.hours,
    }
    made = CampaignRow(**session.execute(_CREATE, values).mappings().one())
    _audit(session, actor, "masks.campaign_created", made)
    return made


def _check_rationing(session: Session, new: NewCampaign) -> None:
    """Refuse a second profile, also beside a closed campaign whose shares are still collected."""
    days: dict[str, Any] = {
        "product_class": new.product_class,
        "first": new.starts_on,
        "last": new.ends_on,
    }
    others = [*queries.covering(session, **days), *queries.closed_but_taken(session, **days)]
    clash = next((other for other in others if other.profile != new.profile), None)
    if clash is not None:
        raise RationingConflict(campaign_id=str(clash.id), profile=clash.profile)


_PLAIN = (
    "product_class", "profile", "starts_on", "ends_on", "opens_at", "closes_at", "status",
)  # fmt: skip


def _check_order(new: NewCampaign) -> None:
    pairs = (
        ("ends_on", new.starts_on > new.ends_on),
        ("closes_at", new.opens_at >= new.closes_at),
    )
    errors = [
        {"pointer": f"/{name}", "code": "wrong_order"} for name, is_wrong in pairs if is_wrong
    ]
    if errors:
        raise Invalid(errors=errors)


_SHARE = text(
    f"SELECT {COLUMNS} FROM masks.campaign c WHERE c.id = :id FOR SHARE"  # noqa: S608
)


def shared(session: Session, campaign_id: UUID) -> CampaignRow | None:
    """Return a campaign and keep its state as it is until the transaction ends."""
    row = session.execute(_SHARE, {"id": campaign_id}).mappings().first()
    return CampaignRow(**row) if row else None


_LOCK = text(
    f"SELECT {COLUMNS} FROM masks.campaign c WHERE c.id = :id FOR NO KEY UPDATE"  # noqa: S608
)
_CHANGE = text(
    f"""
    UPDATE masks.campaign AS c
       SET title = coalesce(cast(:title AS jsonb), c.title), status = :status,
           version = c.version + 1
     WHERE c.id = :id RETURNING {COLUMNS}
    """  # noqa: S608
)


def change_campaign(
    session: Session,
    *,
    campaign_id: UUID,
    title: Text | None,
    status: str | None,
    expected_version: int | None,
    actor: Actor,
) -> CampaignRow:
    """Rename a campaign or bring it into a state; its slots open and close with it.

    Bookings stay: what is booked can be collected also while no new booking is taken. Raises
    ``NotFound``, ``StaleVersion``, ``CampaignOver``, and ``Conflict`` for a step that is not one.
    """
    row = session.execute(_LOCK, {"id": campaign_id}).mappings().first()
    if row is None:
        raise NotFound
    found = CampaignRow(**row)
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(version=found.version)
    wanted = status or found.status
    if found.status == "closed":
        raise CampaignOver
    if wanted != found.status and wanted not in NEXT[found.status]:
        raise Conflict(status_now=found.status)
    if wanted == found.status and title in (None, Text(**found.title)):
        return found
    words = None if title is None else json.dumps(title.as_json(), ensure_ascii=False)
    values = {"id": campaign_id, "title": words, "status": wanted}
    changed = CampaignRow(**session.execute(_CHANGE, values).mappings().one())
    _audit(session, actor, "masks.campaign_changed", changed, before=found.status)
    align(session, "campaign", [campaign_id], actor=actor)
    return changed


def _audit(
    session: Session, actor: Actor, action: str, row: CampaignRow, before: str | None = None
) -> None:
    payload = {"status": row.status, "profile": row.profile, "product_class": row.product_class}
    record(
        session,
        Act(
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            object_type="masks.campaign",
            object_id=row.id,
            payload=payload | ({"before": before} if before else {}),
        ),
    )
