"""Sealed visits, opened by case: the authority reads, the auditor sees that it did."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import crypto, db
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.openings import OpeningRow, openings
from citizen_cloud.modules.health_code.routes.places import actor
from citizen_cloud.modules.health_code.rules.place_refusals import OpeningOver
from citizen_cloud.modules.health_code.schemas import openings as schemas
from citizen_cloud.modules.health_code.services.places.opened_visits import (
    ask_to_tell,
    read_opening,
)
from citizen_cloud.modules.health_code.services.places.openings import case_place
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING, VISITS = "health_code.openings", "health_code.opened_visits"

blp = Blueprint(
    "health_code_openings",
    url_prefix="/health-code",
    description="到访记录查阅 · Sealed visits, opened by case",
)


def _listed(query: dict[str, Any], unit_ids: list[UUID] | None) -> Response:
    with db.transaction() as session:
        rows = openings(
            session, unit_ids=unit_ids, after=_after(LISTING, query), limit=query["limit"]
        )
    shown = rows[: query["limit"]]
    more = cursors.encode(LISTING, [shown[-1].id]) if len(rows) > len(shown) else None
    found = [_opening_json(row) for row in shown]
    return page(schemas.HealthVisitOpeningPageSchema(), found, more)


def _after(listing: str, query: dict[str, Any]) -> UUID | None:
    sent = query.get("cursor")
    return UUID(str(cursors.decode(listing, sent)[0])) if sent else None


def _opening_json(row: OpeningRow) -> dict[str, Any]:
    case = crypto.current().open(row.case_sealed, place=case_place(row.id))
    return {**asdict(row), "case_number": case}


@blp.route("/visit-openings")
class Openings(MethodView):
    """What was opened for the caller's authority."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.HealthVisitOpeningPageSchema)
    @blp.operation("listHealthVisitOpenings", BadCursor)
    @requires("health_code.visits.open")
    def get(self, query: dict[str, Any]) -> Response:
        """List the records opened for your authority

        To have one opened, propose `health_code.open_visits` (`POST /approvals`) with place, hours
        and case number; two approvers of other authorities have to agree.
        """
        return _listed(query, sorted(grant().organisation_ids))


@blp.route("/audit/visit-openings")
class AllOpenings(MethodView):
    """What was opened at all."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.HealthVisitOpeningPageSchema)
    @blp.operation("auditHealthVisitOpenings", BadCursor)
    @requires("health_code.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List every record that was opened

        For auditors: which place and hours, for whom, how often it was read. Never who was there.
        """
        return _listed(query, None)


@blp.route("/visit-openings/<uuid:opening_id>/visits")
class OpenedVisits(MethodView):
    """Who was there."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.OpenedHealthVisitPageSchema)
    @blp.operation("readOpenedHealthVisits", NotFound, OpeningOver, BadCursor, BulkReadStopped)
    @requires("health_code.visits.open")
    @limited("60/minute", by="account")
    def get(self, query: dict[str, Any], opening_id: UUID) -> Response:
        """Read an opened record

        For 24 hours, by the authority that asked only, with masked names and without phones. Every
        page is audited, and everybody in it sees that you looked. Reading more persons within an
        hour than the platform allows stops you and raises an alarm.
        """
        with db.transaction() as session:
            shown, after = read_opening(
                session,
                opening_id=opening_id,
                grant=grant(),
                actor=actor(),
                after=_after(VISITS, query),
                limit=query["limit"],
            )
        more = cursors.encode(VISITS, [after]) if after else None
        found = [asdict(one) for one in shown]
        return page(schemas.OpenedHealthVisitPageSchema(), found, more)


@blp.route("/visit-openings/<uuid:opening_id>/notices")
class Notices(MethodView):
    """News to those who were there."""

    @blp.response(202)
    @blp.operation("tellHealthVisitors", NotFound, OpeningOver)
    @requires("health_code.visits.open")
    def post(self, opening_id: UUID) -> None:
        """Tell those who were there

        One message each in the inbox, in words of the platform's, naming your authority and
        neither place nor hour. Telling them again changes nothing.
        """
        with db.transaction() as session:
            ask_to_tell(session, opening_id=opening_id, grant=grant(), actor=actor())
