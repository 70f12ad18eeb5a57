"""The screen at a place: its present code, and how busy the day was."""

from typing import Any
from uuid import UUID

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.visits import hours
from citizen_cloud.modules.health_code.routes.codes import drawn
from citizen_cloud.modules.health_code.routes.places import blp
from citizen_cloud.modules.health_code.rules.place_refusals import PlaceClosed
from citizen_cloud.modules.health_code.rules.visits import band
from citizen_cloud.modules.health_code.schemas import visits as schemas
from citizen_cloud.modules.health_code.services.places.place_codes import shown_code
from citizen_cloud.modules.health_code.services.places.places import place_of
from citizen_cloud.web.accepting import JSON, PNG, SVG, negotiated
from citizen_cloud.web.caller import grant
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.refusals import NotAcceptable


@blp.route("/<uuid:place_id>/code")
class Code(MethodView):
    """What the screen shows."""

    @blp.alt_response(200, schema={}, content_type=SVG, success=True)
    @blp.alt_response(200, schema={}, content_type=PNG, success=True)
    @blp.response(200, schemas.HealthPlaceCodeSchema)
    @blp.operation("getHealthPlaceCode", NotFound, PlaceClosed, NotAcceptable)
    @requires("health_code.places.manage")
    @limited("60/minute", by="account")
    def get(self, place_id: UUID) -> Response:
        """Show the code of a place

        It changes every five minutes and is taken for that step and the next, at this place only;
        ask again at `next_at`. JSON gives the text a screen draws, `image/svg+xml` and `image/png`
        a picture. Print none: a picture has no effect ten minutes later.
        """
        media_type = negotiated()
        with db.transaction() as session:
            code = shown_code(session, place_id=place_id, grant=grant())
        if media_type != JSON:
            return drawn(code.text, media_type)
        content = {**vars(code), "code": code.text}
        body = orjson.dumps(schemas.HealthPlaceCodeSchema().dump(content))
        return Response(body, mimetype=JSON)


@blp.route("/<uuid:place_id>/visit-counts")
class Counts(MethodView):
    """How busy it was."""

    @blp.arguments(schemas.HealthVisitCountQuery, location="query")
    @blp.response(200, schemas.HealthVisitCountSchema)
    @blp.operation("countHealthVisits", NotFound)
    @requires("health_code.places.manage")
    def get(self, query: dict[str, Any], place_id: UUID) -> dict[str, Any]:
        """Count a day's visits by the hour

        In bands, and full hours only: who entered is nothing a place can read.
        """
        on = query.get("on") or clock.local_day(clock.now())
        with db.transaction() as session:
            found = place_of(session, place_id=place_id, grant=grant())
            counted = hours(session, place_id=found.id, on=on)
        shown = [{"hour_at": hour_at, "band": band(number)} for hour_at, number in counted]
        return {"place_id": found.id, "on": on, "hours": shown}
