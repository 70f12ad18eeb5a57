"""Codes on paper, as citizens get them for themselves and for whom they act."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.modules.health_code.routes.codes import asking, drawn
from citizen_cloud.modules.health_code.rules.not_given import NoStatus, PaperNotEligible
from citizen_cloud.modules.health_code.schemas.papers import (
    HealthPaperCodeSchema,
    HealthPaperSchema,
)
from citizen_cloud.modules.health_code.services.codes import papers, showing
from citizen_cloud.modules.health_code.services.codes.acting import note_acting
from citizen_cloud.modules.health_code.services.codes.papers import Giver, Printed
from citizen_cloud.web.accepting import JSON, PNG, SVG, negotiated
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, limited, signed_in
from citizen_cloud.web.refusals import NotAcceptable

ROOT = "/api/v1/health-code/paper"

blp = Blueprint(
    "health_code_papers", url_prefix="/health-code/paper", description="纸质码 · Codes on paper"
)


def printed_as(printed: Printed, media_type: str) -> Response:
    """Return a paper code as its text or as a picture to print."""
    if media_type != JSON:
        return drawn(printed.text, media_type)
    content = {**asdict(printed.paper), "code": printed.text}
    return Response(orjson.dumps(HealthPaperCodeSchema().dump(content)), mimetype=JSON)


def _giver() -> Giver:
    return Giver(kind=caller().kind, account_id=caller().account_id)


@blp.route("")
class HealthPapers(MethodView):
    """My paper code."""

    @blp.response(200, HealthPaperSchema)
    @blp.operation("findHealthPaper", ConsentRequired)
    @signed_in(2)
    @acts_for("health_code")
    def get(self) -> dict[str, Any]:
        """Find my paper code

        The one that counts; `404` where there is none.
        """
        who = asking()
        with db.transaction() as session:
            showing.require_agreed(session, who)
            return asdict(papers.printed(session, person_id=who.person_id).paper)

    @blp.response(201, HealthPaperSchema)
    @blp.operation(
        "makeHealthPaper",
        ConsentRequired,
        NoStatus,
        PaperNotEligible,
        StepUpRequired,
        key=False,
    )
    @limited("10/minute", by="account")
    @signed_in(2)
    @acts_for("health_code")
    def post(self) -> Response:
        """Have a paper code made

        For people under 18, of 60 and over, and disabled people, whose certificate a counter has
        seen. It counts for 180 days, is shown together with the document, and says the colour and
        the family name, nothing else. A new one ends the one before. While your colour is another
        one the paper does not count, and afterwards it does again. Asks for the document again
        first: half a year is long for a stolen sign-in.
        """
        caller().require_document()
        who = asking()

        def work(session: Session) -> Answer:
            showing.require_agreed(session, who)
            paper = papers.give(session, person_id=who.person_id, giver=_giver())
            note_acting(session, who, outcome="changed")
            return Answer(content=asdict(paper), status=201, location=f"{ROOT}/{paper.id}")

        return answer_once(HealthPaperSchema, work)


@blp.route("/<uuid:paper_id>")
class HealthPaper(MethodView):
    """One paper code."""

    @blp.alt_response(200, schema={}, content_type=SVG, success=True)
    @blp.alt_response(200, schema={}, content_type=PNG, success=True)
    @blp.response(200, HealthPaperCodeSchema)
    @blp.operation("getHealthPaper", ConsentRequired, NotAcceptable, StepUpRequired)
    @limited("20/minute", by="account")
    @signed_in(2)
    @acts_for("health_code")
    def get(self, paper_id: UUID) -> Response:
        """Get a paper code to print

        The same code every time. `image/svg+xml` and `image/png` are ready to be printed, 4 cm
        wide or more; `application/json` gives the text to draw. Asks for the document again first.
        """
        caller().require_document()
        media_type, who = negotiated(), asking()
        with db.transaction() as session:
            showing.require_agreed(session, who)
            printed = papers.printed(session, person_id=who.person_id, paper_id=paper_id)
        return printed_as(printed, media_type)

    @blp.response(204)
    @blp.operation("reportHealthPaperLost")
    @signed_in(2)
    @acts_for("health_code")
    def delete(self, paper_id: UUID) -> None:
        """Report a paper code lost

        It counts no more; gates know from their next snapshot on.
        """
        who = asking()
        with db.transaction() as session:
            papers.report_lost(session, person_id=who.person_id, giver=_giver(), paper_id=paper_id)
            note_acting(session, who, outcome="changed")
