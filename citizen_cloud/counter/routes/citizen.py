"""A citizen asks for another name."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.refusals import NameInvalid
from citizen_cloud.accounts.rules import names
from citizen_cloud.counter import queries, schemas
from citizen_cloud.counter.refusals import CaseOpen, CaseOver, NameUnchanged
from citizen_cloud.counter.routes.doors import before_of
from citizen_cloud.counter.rules import NAME_CORRECTION, Asked
from citizen_cloud.counter.services import ending, opening
from citizen_cloud.counter.services.clerk import Clerk
from citizen_cloud.counter.services.opening import NewCase
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import fresh, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "me.name_corrections"
blp = Blueprint(
    "name_corrections",
    url_prefix="/me/name-corrections",
    description="更正姓名 · A citizen asks for another name",
)


@blp.route("")
class NameCorrections(MethodView):
    """What the citizen asked for."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.NameCorrectionPageSchema)
    @blp.operation("listNameCorrections", BadCursor, StepUpRequired)
    @signed_in()
    def get(self, query: dict[str, Any]) -> Response:
        """List my wishes for another name

        Latest first, with what became of each. The names themselves are not shown.
        On a device where the document was not shown, it comes first (401 `step_up_required`).
        """
        known, limit = caller(), query["limit"]
        known.require_own()
        with db.transaction() as session:
            rows = queries.own_wishes(
                session,
                account_id=known.account_id,
                before=before_of(LISTING, query.get("cursor")),
                limit=limit,
            )
        more = cursors.encode(LISTING, [rows[limit - 1].id]) if len(rows) > limit else None
        return page(schemas.NameCorrectionPageSchema(), rows[:limit], more)

    @blp.arguments(schemas.NewNameCorrectionSchema)
    @blp.response(202, schemas.NameCorrectionSchema)
    @blp.operation("askForNameCorrection", NameInvalid, NameUnchanged, CaseOpen, key=False)
    @limited("10/hour", by="account")
    @fresh
    @signed_in(level=2)
    def post(self, sent: dict[str, str]) -> Response:
        """Ask for another name

        With a reference to the evidence. Staff of a service counter decide within seven days; the
        verifier must know the new name for the same document. The person stays the same: id,
        bookings and quota are kept. The decision comes by message.
        """
        known = caller()
        asked = Asked(new_name=_name(sent["name"]))
        new = NewCase(
            kind=NAME_CORRECTION,
            person_id=known.person.person_id,
            asked=asked,
            evidence=sent["evidence_reference"],
        )
        by = Clerk(kind=known.kind, id=known.account_id)
        return answer_once(schemas.NameCorrectionSchema, lambda session: _opened(session, new, by))


@blp.route("/<uuid:correction_id>/withdrawal")
class WithdrawnNameCorrection(MethodView):
    """A wish taken back."""

    @blp.response(200, schemas.NameCorrectionSchema)
    @blp.operation("withdrawNameCorrection", NotFound, CaseOver, key=False)
    @limited("10/hour", by="account")
    @signed_in(level=2)
    def post(self, correction_id: UUID) -> Response:
        """Take back my wish for another name

        While nobody decided it; again changes nothing. Another wish may be made at once.
        Somebody else's wish and an absent one answer the same `404`.
        """
        account_id = caller().account_id

        def work(session: Session) -> Answer:
            case = ending.withdraw(session, case_id=correction_id, account_id=account_id)
            return Answer(content=case)

        return answer_once(schemas.NameCorrectionSchema, work)


def _opened(session: Session, new: NewCase, by: Clerk) -> Answer:
    return Answer(content=opening.open_case(session, new=new, by=by), status=202)


def _name(name: str) -> str:
    try:
        return names.real_name(name)
    except names.NameFault as fault:
        fact = {"pointer": "/name", "code": "name_invalid"}
        raise NameInvalid(part=fault.part, errors=[fact]) from None
