"""Organisations: list, add, show, change."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import Invalid, NotFound, StaleVersion
from citizen_cloud.organisations import queries, services
from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.queries import OrganisationQuery
from citizen_cloud.organisations.refusals import CodeTaken
from citizen_cloud.organisations.routes.doors import actor, after_of, blp
from citizen_cloud.organisations.rules import Point, area_name, county_and_town, is_area_code, wgs84
from citizen_cloud.organisations.schemas.places import (
    NewOrganisationSchema,
    OrganisationChangeSchema,
    OrganisationListQuery,
    OrganisationPageSchema,
    OrganisationSchema,
)
from citizen_cloud.organisations.services import NewPlace
from citizen_cloud.text import Text
from citizen_cloud.web import cursors
from citizen_cloud.web.caller import grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.etag import expected_version, version_tag
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page


def organisation_json(row: Organisation) -> dict[str, Any]:
    """Return an organisation as clients get it."""
    names = OrganisationSchema().fields.keys() - {"position"}
    position = None
    if row.latitude is not None:
        position = {"latitude": row.latitude, "longitude": row.longitude}
    return {**{name: getattr(row, name) for name in names}, "position": position}


def _answer(row: Organisation, status: int = 200) -> tuple[dict[str, Any], int, dict[str, str]]:
    return organisation_json(row), status, {"ETag": version_tag(row.version)}


def _area(sent: dict[str, Any]) -> dict[str, Any]:
    """Return county and town: as sent, else read off the address. Raises ``Invalid``."""
    if "county" in sent:
        return {"county": area_name(sent["county"]), "town": area_name(sent.get("town", ""))}
    found = county_and_town(sent["address"])
    if found is None:
        raise Invalid(errors=[{"pointer": "/county", "code": "required"}])
    return {"county": found.county, "town": sent.get("town", found.town)}


def _check_area_code(sent: dict[str, Any]) -> None:
    if sent.get("area_code") and not is_area_code(sent["area_code"]):
        raise Invalid(errors=[{"pointer": "/area_code", "code": "not_one_of"}])


def _columns(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the columns a change is about."""
    columns = {key: value for key, value in sent.items() if key != "position"}
    if "address" in sent or "county" in sent:
        columns |= _area(sent)
    elif "town" in sent:
        columns["town"] = area_name(sent["town"])
    if "position" in sent:
        columns |= _position_columns(sent["position"])
    return columns


def _position_columns(sent: dict[str, Any] | None) -> dict[str, Any]:
    if sent is None:
        return {"latitude": None, "longitude": None, "datum": None}
    point = wgs84(Point(sent["latitude"], sent["longitude"]), sent["datum"])
    return {"latitude": point.latitude, "longitude": point.longitude, "datum": sent["datum"]}


def _new_place(sent: dict[str, Any]) -> NewPlace:
    position = sent.get("position")
    return NewPlace(
        kind=sent["kind"],
        register=sent["register"],
        code=sent["code"],
        name=Text(**sent["name"]),
        address=sent["address"],
        phone=sent.get("phone"),
        area_code=sent.get("area_code"),
        position=Point(position["latitude"], position["longitude"]) if position else None,
        datum=position["datum"] if position else "wgs84",
        **_area(sent),
    )


@blp.route("/organisations")
class Organisations(MethodView):
    """All organisations the caller may see."""

    @blp.arguments(OrganisationListQuery, location="query")
    @blp.response(200, OrganisationPageSchema)
    @blp.operation("listOrganisations", BadCursor)
    @requires("organisations.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List organisations

        Oldest first. Managers see their own organisations only.
        """
        wanted = OrganisationQuery(
            grant=grant(),
            kind=query.get("kind"),
            q=query.get("q"),
            after=after_of("organisations", query.get("cursor")),
            limit=query["limit"],
        )
        with db.transaction() as session:
            rows = queries.organisations(session, wanted)
        shown = rows[: wanted.limit]
        more = cursors.encode("organisations", [shown[-1].id]) if len(rows) > len(shown) else None
        return page(OrganisationPageSchema(), [organisation_json(row) for row in shown], more)

    @blp.arguments(NewOrganisationSchema)
    @blp.response(201, OrganisationSchema)
    @blp.operation("createOrganisation", CodeTaken, key=False)
    @requires("organisations.manage")
    def post(self, sent: dict[str, Any]) -> Response:
        """Add an organisation

        County and town are read off the address where they are left out. Positions are stored in
        WGS-84, whatever datum they are sent in.
        """
        _check_area_code(sent)
        place = _new_place(sent)

        def work(session: Session) -> Answer:
            made = services.create_organisation(session, place=place, actor=actor())
            content = organisation_json(made)
            return Answer(content=content, status=201, location=f"{request.path}/{made.id}")

        return answer_once(OrganisationSchema, work)


@blp.route("/organisations/<uuid:organisation_id>")
class OneOrganisation(MethodView):
    """One organisation."""

    @blp.response(200, OrganisationSchema)
    @blp.operation("getOrganisation", NotFound)
    @requires("organisations.read")
    def get(self, organisation_id: UUID) -> Any:
        """Show an organisation

        The ETag is what If-Match of a change takes.
        """
        with db.transaction() as session:
            found = queries.organisation(session, organisation_id)
        if found is None or not grant().covers(organisation_id):
            raise NotFound
        return _answer(found)

    @blp.arguments(OrganisationChangeSchema)
    @blp.response(200, OrganisationSchema)
    @blp.operation("changeOrganisation", NotFound, StaleVersion)
    @requires("organisations.manage")
    def patch(self, sent: dict[str, Any], organisation_id: UUID) -> Any:
        """Change an organisation

        What is left out stays. With If-Match the change is refused (412) where somebody else
        changed the organisation meanwhile. A paused or closed organisation takes no new business.
        """
        _check_area_code(sent)
        with db.transaction() as session:
            changed = services.change_organisation(
                session,
                organisation_id=organisation_id,
                changes=_columns(sent),
                expected_version=expected_version(request),
                actor=actor(),
            )
        return _answer(changed)
