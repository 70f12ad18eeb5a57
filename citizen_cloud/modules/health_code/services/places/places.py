"""Open places, change them and close them."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.modules.health_code.queries.places import COLUMNS, PlaceRow
from citizen_cloud.modules.health_code.queries.places import place as find_place
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Grant

SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class NewPlace:
    """A place to be, with the rules of its door."""

    organisation_id: UUID
    name: Text
    area_code: str
    max_status_age_s: int = 21_600
    accepts_thin: bool = True
    accepts_paper: bool = True
    needs_nonce: bool = False
    admits_yellow: bool = True


_CREATE = text(
    f"""
    INSERT INTO health_code.place AS p
           (id, organisation_id, name, area_code, max_status_age_s, accepts_thin, accepts_paper,
            needs_nonce, admits_yellow, secret_sealed)
    VALUES (:id, :organisation_id, cast(:name AS jsonb), :area_code, :max_status_age_s,
            :accepts_thin, :accepts_paper, :needs_nonce, :admits_yellow, :secret)
    RETURNING {COLUMNS}
    """  # noqa: S608 - no values
)
_RULES = (
    "area_code", "max_status_age_s", "accepts_thin", "accepts_paper", "needs_nonce",
    "admits_yellow",
)  # fmt: skip


def secret_place(place_id: UUID) -> str:
    """Return what binds a place's secret to its row."""
    return f"health_code.place:secret:{place_id}"


def create_place(session: Session, *, new: NewPlace, actor: Actor) -> PlaceRow:
    """Add a place and draw the secret its code rotates under."""
    place_id = new_id()
    secret = secrets.token_hex(SECRET_BYTES)
    values = {
        "id": place_id,
        "organisation_id": new.organisation_id,
        "name": _words(new.name),
        "secret": crypto.current().seal(secret, place=secret_place(place_id)),
        **{name: getattr(new, name) for name in _RULES},
    }
    made = PlaceRow(**session.execute(_CREATE, values).mappings().one())
    _audit(session, actor, "health_code.place_created", made)
    return made


def _words(name: Text) -> str:
    return json.dumps(name.as_json(), ensure_ascii=False)


def place_of(session: Session, *, place_id: UUID, grant: Grant) -> PlaceRow:
    """Return a place of the caller's. Raises ``NotFound`` for somebody else's as for none."""
    found = find_place(session, place_id)
    if found is None or not grant.covers(found.organisation_id):
        raise NotFound
    return found


_LOCK = text("SELECT id FROM health_code.place WHERE id = :id FOR UPDATE")
_CHANGE = text(
    f"""
    UPDATE health_code.place AS p
       SET name = coalesce(cast(:name AS jsonb), p.name),
           area_code = coalesce(:area_code, p.area_code),
           max_status_age_s = coalesce(:max_status_age_s, p.max_status_age_s),
           accepts_thin = coalesce(:accepts_thin, p.accepts_thin),
           accepts_paper = coalesce(:accepts_paper, p.accepts_paper),
           needs_nonce = coalesce(:needs_nonce, p.needs_nonce),
           admits_yellow = coalesce(:admits_yellow, p.admits_yellow),
           status = coalesce(:status, p.status), version = p.version + 1
     WHERE p.id = :id RETURNING {COLUMNS}
    """  # noqa: S608 - no values
)


def change_place(
    session: Session,
    *,
    place_id: UUID,
    changes: Mapping[str, Any],
    grant: Grant,
    expected_version: int | None,
    actor: Actor,
) -> PlaceRow:
    """Change name, door rules or status. Raises ``NotFound`` and ``StaleVersion``."""
    session.execute(_LOCK, {"id": place_id})
    found = place_of(session, place_id=place_id, grant=grant)
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(version=found.version)
    wanted = {name: value for name, value in changes.items() if getattr(found, name) != value}
    if not wanted:
        return found
    name = _words(Text(**wanted["name"])) if "name" in wanted else None
    values = {
        **dict.fromkeys((*_RULES, "status")),
        **wanted,
        "name": name,
        "id": place_id,
    }
    changed = PlaceRow(**session.execute(_CHANGE, values).mappings().one())
    _audit(session, actor, "health_code.place_changed", changed)
    return changed


def _audit(session: Session, actor: Actor, action: str, row: PlaceRow) -> None:
    rules = {name: getattr(row, name) for name in (*_RULES, "status")}
    record(
        session,
        Act(
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            object_type="health_code.place",
            object_id=row.id,
            organisation_id=row.organisation_id,
            payload=rules,
        ),
    )
