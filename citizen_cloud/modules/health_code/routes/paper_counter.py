"""Codes on paper, made at a counter for whoever stands there with his document."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import BulkReadStopped, IdNumberInvalid, NameInvalid
from citizen_cloud.accounts.services import real_name
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.routes.papers import printed_as
from citizen_cloud.modules.health_code.rules.not_given import NoStatus, PaperNotEligible
from citizen_cloud.modules.health_code.schemas.papers import (
    HealthPaperCodeSchema,
    HealthPaperSchema,
    HealthShownDocumentSchema,
    NewHealthPaperSchema,
)
from citizen_cloud.modules.health_code.services.codes import paper_counter
from citizen_cloud.modules.health_code.services.codes.disabilities import Counter
from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.organisations.refusals import NotACounter
from citizen_cloud.organisations.services.counters import counter_of
from citizen_cloud.web.accepting import PNG, SVG, negotiated
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.refusals import NotAcceptable

ROOT = "/api/v1/health-code/staff/papers"

blp = Blueprint(
    "health_code_paper_counter",
    url_prefix="/health-code/staff/papers",
    description="窗口办理纸质码 · Paper codes at a counter",
)


def _counter(wanted: UUID | None) -> Counter:
    with db.statement() as connection:
        counters = counters_among(connection, grant().organisation_ids)
    return Counter(account_id=caller().account_id, organisation_id=counter_of(counters, wanted))


def _claim(sent: dict[str, Any]) -> Claim:
    return real_name.claim(
        document_type=sent["document_type"],
        number=sent["document_number"],
        name=sent["name"],
        today=clock.local_day(clock.now()),
    )


@blp.route("")
class CounterPapers(MethodView):
    """Paper codes made here."""

    @blp.arguments(NewHealthPaperSchema)
    @blp.response(201, HealthPaperSchema)
    @blp.operation(
        "makeHealthPaperAtCounter",
        NotFound,
        NotACounter,
        IdNumberInvalid,
        NameInvalid,
        NoStatus,
        PaperNotEligible,
        BulkReadStopped,
        key=False,
    )
    @requires("health_code.paper.issue")
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Make a paper code for somebody at the counter

        At a counter of a public authority, with the document on the table; the person needs no
        account and no phone. With `disability_evidence` the clerk records that a certificate was
        shown: it counts from then on. Who is unknown here answers `404`. The person sees who it
        was under `/me/data-access`.
        """
        counter, claim = _counter(sent.get("organisation_id")), _claim(sent)

        def work(session: Session) -> Answer:
            paper = paper_counter.give(
                session,
                claim=claim,
                counter=counter,
                disability_evidence=sent.get("disability_evidence"),
            )
            return Answer(content=asdict(paper), status=201, location=f"{ROOT}/{paper.id}")

        return answer_once(HealthPaperSchema, work)


@blp.route("/<uuid:paper_id>")
class CounterPaper(MethodView):
    """A paper code to print here."""

    @blp.alt_response(200, schema={}, content_type=SVG, success=True)
    @blp.alt_response(200, schema={}, content_type=PNG, success=True)
    @blp.response(200, HealthPaperCodeSchema)
    @blp.operation("printHealthPaper", NotAcceptable, NotACounter, BulkReadStopped)
    @requires("health_code.paper.issue")
    @limited("60/minute", by="account")
    def get(self, paper_id: UUID) -> Response:
        """Print a paper code that this counter made

        Within an hour of making it, in any of the three forms; each time is noted.
        """
        media_type = negotiated()
        with db.transaction() as session:
            printed = paper_counter.printed(
                session,
                paper_id=paper_id,
                account_id=caller().account_id,
                organisation_ids=grant().organisation_ids,
            )
        return printed_as(printed, media_type)


@blp.route("/lost")
class LostCounterPaper(MethodView):
    """A paper code that is gone."""

    @blp.arguments(HealthShownDocumentSchema)
    @blp.response(204)
    @blp.operation(
        "reportHealthPaperLostAtCounter",
        NotFound,
        NotACounter,
        IdNumberInvalid,
        NameInvalid,
        BulkReadStopped,
    )
    @requires("health_code.paper.issue")
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any]) -> None:
        """Report somebody's paper code lost

        For whoever has no phone, with the document on the table. Without a living paper: `404`.
        """
        counter, claim = _counter(sent.get("organisation_id")), _claim(sent)
        with db.transaction() as session:
            paper_counter.report_lost(session, claim=claim, counter=counter)
