"""Object to a colour, have a record put right, and see what became of it."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.appeals import AppealRow, appeal, own_appeals
from citizen_cloud.modules.health_code.routes.paged import before_id, more_behind
from citizen_cloud.modules.health_code.rules.appeals import APPEAL, CORRECTION, outcome_words
from citizen_cloud.modules.health_code.rules.power_refusals import (
    AppealOpen,
    EventNotTheirs,
    NothingToAppeal,
)
from citizen_cloud.modules.health_code.schemas import appeals as schemas
from citizen_cloud.modules.health_code.services.power.appeals import NewAppeal, open_appeal
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, subject
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

SCOPE = "health_code"
LISTING = "health_code.appeals"
RATE = "20/hour"

blp = Blueprint(
    "health_code_appeals",
    url_prefix="/health-code",
    description="申诉与纠错 · Object to a colour, correct a record",
)


def appeal_json(row: AppealRow) -> dict[str, Any]:
    """Return one as its citizen sees it."""
    names = ("id", "kind", "colour", "reason", "event_id", "status", "created_at", "due_at")
    is_over = row.decided_at is not None
    return {
        **{name: getattr(row, name) for name in names},
        "outcome": outcome_words(row.status, row.answer).as_json() if is_over else None,
        "unit_name": row.unit_name,
        "decided_at": row.decided_at,
    }


def _person_id() -> UUID:
    """Return whose appeal this is. Objecting needs no consent: the colour was given without."""
    return (subject() or caller().person).person_id


def _open(new: NewAppeal) -> Response:
    def work(session: Session) -> Answer:
        row = open_appeal(session, new)
        place = f"/api/v1/health-code/appeals/{row.id}"
        return Answer(content=appeal_json(row), status=201, location=place)

    return answer_once(schemas.HealthAppealSchema, work)


@blp.route("/appeals")
class Appeals(MethodView):
    """One's own appeals and corrections."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.HealthAppealPageSchema)
    @blp.operation("listHealthAppeals", BadCursor)
    @signed_in(level=2)
    @acts_for(SCOPE)
    def get(self, query: dict[str, Any]) -> Response:
        """List appeals and corrections

        Newest first, each with the time by which it is answered.
        """
        limit = query["limit"]
        with db.transaction() as session:
            rows = own_appeals(
                session, person_id=_person_id(), before=before_id(LISTING, query), limit=limit
            )
        more = more_behind(LISTING, [row.id for row in rows], limit)
        items = [appeal_json(row) for row in rows[:limit]]
        return page(schemas.HealthAppealPageSchema(), items, more)

    @blp.arguments(schemas.NewHealthAppealSchema)
    @blp.response(201, schemas.HealthAppealSchema)
    @blp.operation("appealHealthColour", NothingToAppeal, AppealOpen, key=False)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited(RATE, by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Object to a red or yellow code

        Answered within the time `due_at` says, by an authority other than the one that gave the
        colour. With `overdue` the rule is applied anew at once. One at a time.
        """
        new = NewAppeal(
            kind=APPEAL,
            person_id=_person_id(),
            account_id=caller().account_id,
            account_kind=caller().kind,
            reason=sent["reason"],
            words=sent["text"],
        )
        return _open(new)


@blp.route("/appeals/<uuid:appeal_id>")
class OneAppeal(MethodView):
    """One appeal."""

    @blp.response(200, schemas.HealthAppealSchema)
    @blp.operation("getHealthAppeal", NotFound)
    @signed_in(level=2)
    @acts_for(SCOPE)
    def get(self, appeal_id: UUID) -> dict[str, Any]:
        """Show an appeal or correction

        With its outcome in words and the authority that answered.
        """
        with db.transaction() as session:
            found = appeal(session, appeal_id)
        if found.person_id != _person_id():
            raise NotFound
        return appeal_json(found)


@blp.route("/corrections")
class Corrections(MethodView):
    """Records that are wrong (纠错)."""

    @blp.arguments(schemas.NewHealthCorrectionSchema)
    @blp.response(201, schemas.HealthAppealSchema)
    @blp.operation("correctHealthRecord", EventNotTheirs, AppealOpen, key=False)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited(RATE, by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Ask for a record to be put right

        Whatever the colour. The same clock as an appeal; the result is told. See it under
        `GET /health-code/appeals`.
        """
        new = NewAppeal(
            kind=CORRECTION,
            person_id=_person_id(),
            account_id=caller().account_id,
            account_kind=caller().kind,
            reason=sent["wrong"],
            words=sent["text"],
            event_id=sent.get("event_id"),
        )
        return _open(new)
