"""Create and change organisations, one by hand or a whole register at once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.jobs.services import announce
from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.refusals import CodeTaken, DuplicateCode
from citizen_cloud.organisations.rules import Datum, Point, area_name, search_tokens, wgs84
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.text import Text

Change = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True, kw_only=True)
class NewPlace:
    """An organisation as a register or an administrator describes it.

    ``position`` is in ``datum``; it is stored in WGS-84. County and town are stored in the form
    of ``area_name``; ``rules.county_and_town`` reads them off an address.
    """

    kind: str
    code: str
    name: Text
    address: str
    county: str
    town: str
    register: str = "city"
    phone: str | None = None
    area_code: str | None = None
    position: Point | None = None
    datum: Datum = "wgs84"

    def as_row(self) -> dict[str, Any]:
        """Return the columns of the table."""
        point = None if self.position is None else wgs84(self.position, self.datum)
        return {
            "kind": self.kind,
            "register": self.register,
            "code": self.code,
            "name": self.name.as_json(),
            "address": self.address,
            "phone": self.phone,
            "area_code": self.area_code,
            "county": area_name(self.county),
            "town": area_name(self.town),
            "latitude": point.latitude if point else None,
            "longitude": point.longitude if point else None,
            "datum": self.datum if point else None,
            "tokens": tokens_of(self.name.as_json(), self.address),
        }


def tokens_of(name: Mapping[str, str], address: str) -> list[str]:
    """Return what an organisation is found by: its names and its address."""
    return search_tokens(" ".join((*dict.fromkeys(name.values()), address)))


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What became of one place of a batch."""

    id: UUID
    register: str
    code: str
    change: Change


# What a source leaves out (position, phone, area code) it does not take away: a register without
# coordinates must not wipe those that were surveyed by hand.
_UPSERT = text(
    """
    INSERT INTO organisations.organisation AS o
           (kind, register, code, name, address, phone, area_code, county, town,
            latitude, longitude, datum, tokens)
    SELECT kind, register, code, name, address, phone, area_code, county, town,
           latitude, longitude, datum, tokens
      FROM jsonb_to_recordset(cast(:places AS jsonb)) AS r (
           kind text, register text, code text, name jsonb, address text, phone text,
           area_code text, county text, town text, latitude float8, longitude float8,
           datum text, tokens text[])
     ORDER BY register, code
    ON CONFLICT (register, code) DO UPDATE
       SET kind = excluded.kind, name = excluded.name, address = excluded.address,
           phone = coalesce(excluded.phone, o.phone),
           area_code = coalesce(excluded.area_code, o.area_code),
           county = excluded.county, town = excluded.town,
           latitude = coalesce(excluded.latitude, o.latitude),
           longitude = coalesce(excluded.longitude, o.longitude),
           datum = coalesce(excluded.datum, o.datum),
           tokens = excluded.tokens, version = o.version + 1
     WHERE (o.kind, o.name, o.address, o.phone, o.area_code, o.county, o.town,
            o.latitude, o.longitude, o.datum, o.tokens)
           IS DISTINCT FROM
           (excluded.kind, excluded.name, excluded.address,
            coalesce(excluded.phone, o.phone), coalesce(excluded.area_code, o.area_code),
            excluded.county, excluded.town,
            coalesce(excluded.latitude, o.latitude), coalesce(excluded.longitude, o.longitude),
            coalesce(excluded.datum, o.datum), excluded.tokens)
    RETURNING o.id, o.register, o.code, old.id IS NULL AS is_new
    """
)
# A second statement, so that rows another import wrote meanwhile are seen.
_IDS = text(
    """
    SELECT o.id, o.register, o.code FROM organisations.organisation o
      JOIN jsonb_to_recordset(cast(:places AS jsonb)) AS r (register text, code text)
     USING (register, code)
    """
)


def upsert_places(session: Session, *, places: Sequence[NewPlace]) -> list[Placed]:
    """Bring a register's places up to date, in the order given; unchanged rows are not written.

    What staff decided (status) stays. The importer audits the import. Raises ``DuplicateCode``.
    """
    keys = [(place.register, place.code) for place in places]
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise DuplicateCode(codes=[code for _, code in twice[:20]])
    rows = json.dumps([place.as_row() for place in places], ensure_ascii=False)
    written = session.execute(_UPSERT, {"places": rows}).all()
    changes: dict[tuple[str, str], Change] = {
        (row.register, row.code): "created" if row.is_new else "changed" for row in written
    }
    names = json.dumps([{"register": register, "code": code} for register, code in keys])
    ids = {(row.register, row.code): row.id for row in session.execute(_IDS, {"places": names})}
    return [
        Placed(id=ids[key], register=key[0], code=key[1], change=changes.get(key, "unchanged"))
        for key in keys
    ]


def create_organisation(session: Session, *, place: NewPlace, actor: Actor) -> Organisation:
    """Add one organisation. Raises ``CodeTaken``."""
    made = session.execute(_CREATE, _bound(place.as_row())).first()
    if made is None:
        raise CodeTaken(register=place.register, organisation_code=place.code)
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="organisations.create",
        object_type="organisation",
        object_id=made.id,
        organisation_id=made.id,
        payload={"kind": place.kind, "register": place.register, "code": place.code},
    )
    record(session, act)
    return session.get_one(Organisation, made.id)


_CREATE = text(
    """
    INSERT INTO organisations.organisation
           (kind, register, code, name, address, phone, area_code, county, town,
            latitude, longitude, datum, tokens)
    VALUES (:kind, :register, :code, cast(:name AS jsonb), :address, :phone, :area_code, :county,
            :town, :latitude, :longitude, :datum, :tokens)
    ON CONFLICT (register, code) DO NOTHING RETURNING id
    """
)


def _bound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "name": json.dumps(row["name"], ensure_ascii=False)}


def change_organisation(
    session: Session,
    *,
    organisation_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None,
    actor: Actor,
) -> Organisation:
    """Change columns of one organisation; without a difference nothing is written.

    ``changes`` holds columns of the table by name. Announces ``organisations.changed`` with the
    names of what changed and the status, so that modules can move or release what hangs on the
    place. Raises ``NotFound`` and, where the caller read an older version, ``StaleVersion``.
    """
    found = session.get(Organisation, organisation_id, with_for_update=True)
    if found is None:
        raise NotFound
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(version=found.version)
    changed = {key: value for key, value in changes.items() if getattr(found, key) != value}
    if not changed:
        return found
    for key, value in changed.items():
        setattr(found, key, value)
    found.tokens = tokens_of(found.name, found.address)
    found.version += 1
    session.flush()
    _tell(session, found, sorted(changed), actor)
    return found


def _tell(session: Session, found: Organisation, fields: list[str], actor: Actor) -> None:
    news = {"organisation_id": found.id, "fields": fields, "status": found.status}
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="organisations.change",
        object_type="organisation",
        object_id=found.id,
        organisation_id=found.id,
        payload={"fields": fields, "status": found.status, "version": found.version},
    )
    record(session, act)
    announce(session, "organisations.changed", news)
