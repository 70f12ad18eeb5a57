"""Declare, and see why one's code is as it is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.modules.health_code.queries.history import history
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.routes.shown import event_json, status_json
from citizen_cloud.modules.health_code.routes.whose import whose
from citizen_cloud.modules.health_code.rules.not_given import SaidEnough
from citizen_cloud.modules.health_code.schemas.declarations import (
    HealthDeclaredSchema,
    HealthEventPageSchema,
    NewHealthDeclarationSchema,
    NewHealthTripSchema,
)
from citizen_cloud.modules.health_code.schemas.standings import HealthStatusSchema
from citizen_cloud.modules.health_code.services.colours.declaring import (
    Teller,
    declare,
    declare_trip,
)
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, represented
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

SCOPE = "health_code"
HISTORY = "health_code.history"

blp = Blueprint(
    "health_code",
    url_prefix="/health-code",
    description="健康码 · Declare health and trips, see the colour and why",
)


@blp.route("/status")
class Status(MethodView):
    """Where somebody stands."""

    @blp.response(200, HealthStatusSchema)
    @blp.operation("getHealthStatus", ConsentRequired)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited("60/minute", by="account")
    def get(self) -> Any:
        """Show the colour and why

        Every active rule with its reason, the earliest moment it ends, and when the colour turns
        by itself. `none` where nothing was declared yet, or a declaration is too old. Needs
        consent to `health_code`.
        """
        with db.statement() as connection:
            person = whose(connection)
            return status_json(standing_of(connection, person.person_id))


def _teller() -> Teller:
    someone = represented()
    return Teller(account_id=caller().account_id, link_id=someone.link_id if someone else None)


def _said(work: Callable[[Session, UUID], UUID]) -> Response:
    """Write something down, once, and answer where the person stands by it."""

    def write(session: Session) -> Answer:
        person_id = whose(session).person_id
        event_id = work(session, person_id)
        status = status_json(standing_of(session, person_id))
        return Answer(content={"event_id": event_id, "status": status})

    return answer_once(HealthDeclaredSchema, write)


@blp.route("/declarations")
class Declarations(MethodView):
    """Health declarations."""

    @blp.arguments(NewHealthDeclarationSchema)
    @blp.response(200, HealthDeclaredSchema)
    @blp.operation("declareHealth", ConsentRequired, SaidEnough, key=False)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited("30/hour", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Declare health

        For yourself, or on behalf of a dependant. Without symptoms it counts as the day's
        check-in; a day with symptoms never does. The answer is the colour by it, with its
        reasons. Needs consent to `health_code`.
        """
        note = sent.pop("note", None)
        return _said(
            lambda session, person_id: declare(
                session, person_id=person_id, said=sent, note=note, teller=_teller()
            )
        )


@blp.route("/trips")
class Trips(MethodView):
    """Trips."""

    @blp.arguments(NewHealthTripSchema)
    @blp.response(200, HealthDeclaredSchema)
    @blp.operation("declareHealthTrip", ConsentRequired, SaidEnough, key=False)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited("30/hour", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Declare a trip

        One that was made, within the last 60 days. A trip from or to an area of risk counts
        from the day of arrival. Needs consent to `health_code`.
        """
        number = sent.pop("number", None)
        today = clock.local_day(clock.now())
        return _said(
            lambda session, person_id: declare_trip(
                session,
                person_id=person_id,
                said=sent,
                number=number,
                teller=_teller(),
                today=today,
            )
        )


@blp.route("/history")
class History(MethodView):
    """What was said of somebody."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthEventPageSchema)
    @blp.operation("listHealthEvents", ConsentRequired, BadCursor)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited("60/minute", by="account")
    def get(self, query: dict[str, Any]) -> Response:
        """List everything the colour is computed from

        Declarations, trips, results and decisions, latest first. Who reported is told by kind,
        never by name. Needs consent to `health_code`.
        """
        with db.statement() as connection:
            rows = history(
                connection,
                whose(connection).person_id,
                before=_before(query),
                limit=query["limit"],
            )
        shown = rows[: query["limit"]]
        more = None
        if len(rows) > len(shown):
            last = shown[-1]
            more = cursors.encode(HISTORY, [last["recorded_at"].isoformat(), last["id"]])
        return page(HealthEventPageSchema(), [event_json(row) for row in shown], more)


def _before(query: dict[str, Any]) -> tuple[datetime, UUID] | None:
    if "cursor" not in query:
        return None
    at, event_id = cursors.decode(HISTORY, query["cursor"])
    return datetime.fromisoformat(str(at)), UUID(str(event_id))
