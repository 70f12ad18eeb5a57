"""A second person decides, or a case is taken back."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts import verifier
from citizen_cloud.accounts.refusals import (
    AccountNotLiving,
    PhoneFull,
    RealNameMismatch,
    SecondPersonRequired,
    VerifierUnavailable,
)
from citizen_cloud.counter import schemas
from citizen_cloud.counter.refusals import CaseOver, OpenerGone
from citizen_cloud.counter.routes.doors import blp, clerk, clerk_within, reach
from citizen_cloud.counter.routes.shown import case_json
from citizen_cloud.counter.services import deciding, ending
from citizen_cloud.counter.services.deciding import Verdict
from citizen_cloud.errors import Forbidden, NotFound
from citizen_cloud.web.idempotency import Answer, answer_once, replay
from citizen_cloud.web.marks import limited, requires


@blp.route("/cases/<uuid:case_id>/decision")
class Decision(MethodView):
    """The second person's word."""

    @blp.arguments(schemas.CounterDecisionSchema)
    @blp.response(200, schemas.CounterCaseSchema)
    @blp.operation(
        "decideCounterCase",
        NotFound,
        SecondPersonRequired,
        OpenerGone,
        CaseOver,
        AccountNotLiving,
        PhoneFull,
        RealNameMismatch,
        VerifierUnavailable,
        key=False,
    )
    @limited("120/hour", by="account")
    @requires("counter.cases.decide")
    def post(self, sent: dict[str, Any], case_id: UUID) -> Response:
        """Decide a case

        Never by who opened it, or who appointed or was appointed by the opener
        (`second_person_required`), and once. An approval does at once what was asked, or nothing:
        a recovery replaces the phone, removes every device and every identity elsewhere, and ends
        every sign-in; a new name must be the document's by the word of the verifier. What stands
        in the way (`phone_full`, `real_name_mismatch`, `opener_gone`) leaves the case open.
        """
        answered = replay()
        if answered is not None:
            return answered
        verified_by = _verified(case_id) if sent["approved"] else None
        verdict = Verdict(**sent, verified_by=verified_by)

        def work(session: Session) -> Answer:
            held = reach(session)
            case = deciding.decide(
                session, case_id=case_id, verdict=verdict, reach=held, by=clerk_within(held)
            )
            return Answer(content=case_json(case))

        return answer_once(schemas.CounterCaseSchema, work)


def _verified(case_id: UUID) -> str | None:
    """Have a new name compared with its document; return who did, None where there is no name."""
    with db.transaction() as session:
        claim = deciding.name_to_verify(session, case_id=case_id, reach=reach(session), by=clerk())
    if claim is None:
        return None
    # No connection is held while the upstream thinks.
    asked = verifier.current()
    if not asked.matches(document_type=claim.document_type, number=claim.number, name=claim.name):
        raise RealNameMismatch
    return asked.name


@blp.route("/cases/<uuid:case_id>/cancel")
class CancelledCase(MethodView):
    """A case taken back."""

    @blp.response(200, schemas.CounterCaseSchema)
    @blp.operation("cancelCounterCase", NotFound, Forbidden, CaseOver, key=False)
    @limited("120/hour", by="account")
    @requires("counter.cases.open")
    def post(self, case_id: UUID) -> Response:
        """Cancel a case

        Any clerk of its counter may; again changes nothing. A citizen's own wish is decided with
        a reason, not cancelled.
        """

        def work(session: Session) -> Answer:
            held = reach(session)
            case = ending.cancel(session, case_id=case_id, reach=held, by=clerk_within(held))
            return Answer(content=case_json(case))

        return answer_once(schemas.CounterCaseSchema, work)
