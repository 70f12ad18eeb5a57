"""What approvers say."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud.approvals import queries, refusals, schemas, services
from citizen_cloud.approvals.routes.doors import blp, check_module
from citizen_cloud.approvals.services import Word
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.web.caller import caller
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import fresh, limited, requires
from citizen_cloud.web.refusals import ModuleOff


@blp.route("/<uuid:approval_id>/decisions")
class Decisions(MethodView):
    """What approvers say."""

    @blp.arguments(schemas.NewApprovalDecisionSchema)
    @blp.response(200, schemas.ApprovalDecidedSchema)
    @blp.operation(
        "decideApproval",
        NotFound,
        refusals.NotAnApprover,
        refusals.OwnProposal,
        refusals.NotIndependent,
        refusals.UnitTaken,
        refusals.AlreadyDecided,
        refusals.ProposalOver,
        StaleVersion,
        ModuleOff,
        key=False,
    )
    @limited("120/hour", by="account")
    @fresh
    @requires("approvals.decide")
    def post(self, sent: dict[str, Any], approval_id: UUID) -> Response:
        """Approve or reject a proposal

        For appointed approvers, of another authority than every other approver of it, and never
        for its proposer. One rejection ends it. The last approval applies it in the same moment:
        `applied` with its `outcome`, or `failed` with a code and nothing done. Whoever was shown
        something else than what is there gets `stale_version`. Refused attempts are recorded.
        """
        word = Word(**sent)

        def work(session: Session) -> Answer:
            kind = queries.kind_of_proposal(session, approval_id)
            if kind is not None and word.verdict == "approve":
                check_module(kind)
            decided = services.decide(
                session, proposal_id=approval_id, account_id=caller().account_id, word=word
            )
            return Answer(content=decided)

        return answer_once(schemas.ApprovalDecidedSchema, work)
