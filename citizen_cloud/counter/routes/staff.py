"""Clerks open cases, list and see them."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts import verifier
from citizen_cloud.accounts.refusals import (
    AccountNotLiving,
    IdNumberInvalid,
    NameInvalid,
    OtpInvalid,
    PhoneFull,
    PhoneInvalid,
    RealNameMismatch,
    SmsPaused,
    VerifierUnavailable,
)
from citizen_cloud.accounts.routes.codes import given, send_code
from citizen_cloud.accounts.rules import names
from citizen_cloud.accounts.schemas.sign_in import ChallengeSchema
from citizen_cloud.accounts.services import real_name
from citizen_cloud.accounts.services.otp import Challenge
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.counter import queries, schemas
from citizen_cloud.counter.refusals import CaseOpen, NameUnchanged
from citizen_cloud.counter.routes.doors import before_of, blp, clerk, clerk_within, reach
from citizen_cloud.counter.routes.shown import case_json, detail_json
from citizen_cloud.counter.rules import ENROLMENT, Asked
from citizen_cloud.counter.services import opening, phone_proof, reading
from citizen_cloud.counter.services.clerk import Clerk
from citizen_cloud.counter.services.opening import NewCase
from citizen_cloud.errors import NotFound, Refusal, TooMany
from citizen_cloud.organisations.refusals import NotACounter
from citizen_cloud.organisations.services.counters import counter_of
from citizen_cloud.web import cursors
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once, replay
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page

LISTING = "counter.cases"


@blp.route("/codes")
class Codes(MethodView):
    """Codes to phones that shall be somebody's."""

    @blp.arguments(schemas.CounterCodeSchema)
    @blp.response(202, ChallengeSchema)
    @blp.operation("requestCounterCode", PhoneInvalid, NotACounter, TooMany, SmsPaused)
    @limited("60/hour", by="account")
    @requires("counter.cases.open")
    def post(self, sent: dict[str, Any]) -> Challenge:
        """Send a code to the new phone

        Before a `recovery`: the person reads the code out, the clerk sends it with the case. The
        answer is the same whether or not the phone has an account; its limits are those of a
        sign-in. The code opens a case and nothing else.
        """
        with db.transaction() as session:
            if not reach(session).counters:
                raise NotACounter
        return send_code(phone=sent["phone"], purpose=phone_proof.PURPOSE)


@blp.route("/cases")
class Cases(MethodView):
    """All cases within reach."""

    @blp.arguments(schemas.CounterCaseQuery, location="query")
    @blp.response(200, schemas.CounterCasePageSchema)
    @blp.operation("listCounterCases", BadCursor)
    @requires("counter.cases.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List the cases

        Latest first: those of the caller's counters, and citizens' own wishes that wait for any
        counter; auditors see all. Nothing in here tells whom a case is about.
        """
        limit = query["limit"]
        with db.transaction() as session:
            rows = queries.cases(
                session,
                reach=reach(session),
                status=query.get("status"),
                before=before_of(LISTING, query.get("cursor")),
                limit=limit,
            )
        more = cursors.encode(LISTING, [rows[limit - 1].id]) if len(rows) > limit else None
        return page(schemas.CounterCasePageSchema(), [case_json(row) for row in rows[:limit]], more)

    @blp.arguments(schemas.NewCounterCaseSchema)
    @blp.response(201, schemas.CounterCaseSchema)
    @blp.operation(
        "openCounterCase",
        NotACounter,
        NotFound,
        CaseOpen,
        AccountNotLiving,
        PhoneFull,
        OtpInvalid,
        IdNumberInvalid,
        NameInvalid,
        NameUnchanged,
        RealNameMismatch,
        VerifierUnavailable,
        key=False,
    )
    @limited("60/hour", by="account")
    @requires("counter.cases.open")
    def post(self, sent: dict[str, Any]) -> Response:
        """Open a case

        With the document on the table. `recovery` moves an account to a new phone, proven by the
        code of `POST /counter/codes`; `name_correction` replaces a name by `new_name`;
        `enrolment` makes somebody without a phone a person. An unknown document and a wrong name
        answer the same `404`, and the document's holder sees the attempt. A second person at the
        same counter decides within 24 hours; until then nothing changes. The person is told.
        """
        answered = replay()
        if answered is not None:
            return answered
        claim = _claim(sent)
        with db.transaction() as session:
            by = clerk(counter_of(reach(session).counters, sent.get("organisation_id")))
        new = _new_case(sent, claim, by)
        proven = _proven(sent)

        def work(session: Session) -> Answer:
            case = opening.open_case(session, new=new, by=by, proven=proven)
            location = f"/api/v1/counter/cases/{case.id}"
            return Answer(content=case_json(case), status=201, location=location)

        return answer_once(schemas.CounterCaseSchema, work)


def _claim(sent: dict[str, Any]) -> Claim:
    today = clock.local_day(clock.now())
    document = {"document_type": sent["document_type"], "number": sent["document_number"]}
    if "new_name" in sent:
        try:
            real_name.claim(**document, name=sent["new_name"], today=today)
        except NameInvalid as refused:
            fact = {"pointer": "/new_name", "code": "name_invalid"}
            raise NameInvalid(part=refused.facts["part"], errors=[fact]) from None
    return real_name.claim(**document, name=sent["name"], today=today)


def _new_case(sent: dict[str, Any], claim: Claim, by: Clerk) -> NewCase:
    """Find out whom a case is about; what a failed try left behind is stored by then."""
    kind, evidence = sent["kind"], sent["evidence_reference"]
    if kind == ENROLMENT:
        return _enrolment(claim, evidence)
    with db.transaction() as session:
        person_id = opening.identify(session, claim=claim, kind=kind, by=by)
    if isinstance(person_id, Refusal):
        raise person_id
    new_name = sent.get("new_name")
    asked = Asked(new_name=None if new_name is None else names.real_name(new_name))
    return NewCase(kind=kind, person_id=person_id, asked=asked, evidence=evidence)


def _enrolment(claim: Claim, evidence: str) -> NewCase:
    # No connection is held while the upstream thinks.
    asked = verifier.current()
    if not asked.matches(document_type=claim.document_type, number=claim.number, name=claim.name):
        raise RealNameMismatch
    with db.transaction() as session:
        person_id = opening.holder(session, claim=claim)
    wish = Asked(
        document_type=claim.document_type,
        document_number=claim.number,
        name=claim.name,
        verified_by=asked.name,
    )
    return NewCase(kind=ENROLMENT, person_id=person_id, asked=wish, evidence=evidence)


def _proven(sent: dict[str, Any]) -> ProvenPhone | None:
    """Try the code of a recovery; what a wrong one costs is stored before it is refused."""
    if "code" not in sent:
        return None
    with db.statement() as connection:
        tried = phone_proof.try_code(
            connection, challenge_id=sent["challenge_id"], code=sent["code"]
        )
    return given(tried)


@blp.route("/cases/<uuid:case_id>")
class OneCase(MethodView):
    """One case."""

    @blp.response(200, schemas.CounterCaseDetailSchema)
    @blp.operation("getCounterCase", NotFound)
    @limited("300/hour", by="account")
    @requires("counter.cases.read")
    def get(self, case_id: UUID) -> Response:
        """Get a case

        With a masked name and the end of the document's number, to compare with the document on
        the table. The person sees who looked. Another counter's case and an absent one answer the
        same `404`.
        """
        with db.transaction() as session:
            held = reach(session)
            seen = reading.look(session, case_id=case_id, reach=held, by=clerk_within(held))
        return detail_json(seen)
