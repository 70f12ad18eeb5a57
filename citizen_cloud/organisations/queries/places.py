"""Organisations, and the conditions by which places are found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.rules import (
    Point,
    area_name,
    box_around,
    metres_sql,
    query_tokens,
)
from citizen_cloud.web.caller import Grant


def organisation(session: Session, organisation_id: UUID) -> Organisation | None:
    """Return one organisation, or None."""
    return session.get(Organisation, organisation_id)


@dataclass(frozen=True, kw_only=True)
class PlaceFilter:
    """A condition over ``organisations.organisation`` for another room's own statement.

    ``where`` stands behind WHERE or AND; ``distance`` is an expression in metres where places
    near a point were asked for; ``parameters`` belong to both.
    """

    where: str = "true"
    distance: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


def place_filter(
    *,
    alias: str = "o",
    q: str | None = None,
    county: str | None = None,
    town: str | None = None,
    near: Point | None = None,
    within_m: float | None = None,
) -> PlaceFilter:
    """Return the condition for places by words, area and distance; all of it must hold.

    ``alias`` is the table's name in the caller's statement. ``q`` finds words, never patterns:
    ``%`` and ``_`` are no letters, and a text without any letter or digit finds nothing.
    """
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if q is not None:
        conditions.append(_holding(alias, query_tokens(q), parameters))
    for column, value in (("county", county), ("town", town)):
        if value is not None:
            conditions.append(f"{alias}.{column} = :{column}")
            parameters[column] = area_name(value)
    distance = None
    if near is not None:
        distance = metres_sql(f"{alias}.latitude", f"{alias}.longitude")
        parameters |= {"near_lat": near.latitude, "near_lon": near.longitude}
        conditions.append(f"{alias}.latitude IS NOT NULL")
        if within_m is not None:
            conditions.append(_inside(alias, near, within_m, parameters))
            conditions.append(f"{distance} <= :within_m")
    return PlaceFilter(
        where=" AND ".join(conditions) or "true", distance=distance, parameters=parameters
    )


def _holding(alias: str, tokens: list[str], parameters: dict[str, Any]) -> str:
    """Return the condition that a row holds all tokens; without any it holds for no row."""
    if not tokens:
        return "false"
    parameters["q_tokens"] = tokens
    return f"{alias}.tokens @> cast(:q_tokens AS varchar[])"


def _inside(alias: str, near: Point, within_m: float, parameters: dict[str, Any]) -> str:
    """Return the box condition, which the index on the position answers."""
    box = box_around(near, within_m)
    parameters |= {f"box_{side}": value for side, value in box._asdict().items()}
    parameters["within_m"] = within_m
    across = "AND" if box.west <= box.east else "OR"
    return (
        f"{alias}.latitude BETWEEN :box_south AND :box_north AND "
        f"({alias}.longitude >= :box_west {across} {alias}.longitude <= :box_east)"
    )


@dataclass(frozen=True, kw_only=True)
class OrganisationQuery:
    """Which organisations a back-office list shows."""

    grant: Grant
    kind: str | None = None
    q: str | None = None
    after: UUID | None = None
    limit: int = 20


def organisations(session: Session, query: OrganisationQuery) -> Sequence[Organisation]:
    """Return one page and one row more, oldest first, of what the grant covers."""
    found = place_filter(alias="organisation", q=query.q)
    statement = (
        select(Organisation)
        .where(text(found.where).bindparams(**found.parameters))
        .order_by(Organisation.id)
        .limit(query.limit + 1)
    )
    if not query.grant.everywhere:
        statement = statement.where(Organisation.id.in_(query.grant.organisation_ids))
    if query.kind is not None:
        statement = statement.where(Organisation.kind == query.kind)
    if query.after is not None:
        statement = statement.where(Organisation.id > query.after)
    return session.scalars(statement).all()
