"""Proposals: made, listed, looked at, taken back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.approvals import kinds, queries, refusals, schemas, services
from citizen_cloud.approvals.queries import Reach
from citizen_cloud.approvals.routes.doors import blp, check_module, reach, reader
from citizen_cloud.approvals.services import Proposer
from citizen_cloud.errors import Forbidden, Invalid, NotFound
from citizen_cloud.manifest import DecisionKind
from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.organisations.refusals import NotACounter
from citizen_cloud.organisations.services.counters import counter_of
from citizen_cloud.text import Text
from citizen_cloud.web import cursors
from citizen_cloud.web.caller import caller, ports
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.parser import faults
from citizen_cloud.web.refusals import ModuleOff

LISTING = "approvals"
UNKNOWN = Text("已停用的事项", "A kind that is gone")


@blp.route("")
class Proposals(MethodView):
    """All proposals within reach."""

    @blp.arguments(schemas.ApprovalQuery, location="query")
    @blp.response(200, schemas.ApprovalPageSchema)
    @blp.operation("listApprovals", BadCursor)
    @requires("approvals.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List the proposals

        Latest first: the caller's own and those of the caller's authorities; approvers and
        auditors see all. `summary` says how much a proposal would do, never about whom.
        """
        limit, cursor = query["limit"], query.get("cursor")
        before = UUID(str(cursors.decode(LISTING, cursor)[0])) if cursor else None
        with db.transaction() as session:
            rows = queries.proposals(
                session,
                reach=reach(session),
                status=query.get("status"),
                kind=query.get("kind"),
                before=before,
                limit=limit,
            )
        more = cursors.encode(LISTING, [rows[limit - 1]["id"]]) if len(rows) > limit else None
        return page(schemas.ApprovalPageSchema(), [_shown({**row}) for row in rows[:limit]], more)

    @blp.arguments(schemas.NewApprovalSchema)
    @blp.response(201, schemas.ApprovalSchema)
    @blp.operation(
        "proposeApproval",
        Forbidden,
        NotACounter,
        ModuleOff,
        refusals.KindUnknown,
        refusals.ProposerUnbound,
        refusals.ReasonUnknown,
        refusals.EvidenceMissing,
        key=False,
    )
    @limited("60/hour", by="account")
    @requires("approvals.propose")
    def post(self, sent: dict[str, Any]) -> Response:
        """Propose what others must agree to

        Nothing happens until as many approvers of different authorities agree as
        `approvals_needed` says; the proposer is never one of them. `payload` is checked by the
        kind at once: a fault in it has a pointer that begins with `/payload`. Without an evidence
        reference nothing is proposed, and the attempt is recorded. The answer, kept for retries,
        repeats neither; `GET` the proposal for both and for its `digest`.
        """
        kind = kinds.kind_of(sent["kind"])
        held = ports().granted(caller(), kind.permission)
        if not held:
            raise Forbidden
        check_module(kind.name)
        known = caller()
        words = {"reason": sent["reason"], "evidence_reference": sent.get("evidence_reference")}
        by = Proposer(account_id=known.account_id, kind=known.kind)
        services.check_words(kind, **words, size=services.size_of(sent["payload"]), proposer=by)
        payload = _payload(kind, sent["payload"])

        def work(session: Session) -> Answer:
            unit_id = None
            if not held.everywhere:
                counters = counters_among(session, held.organisation_ids)
                unit_id = counter_of(counters, sent.get("organisation_id"))
            proposal_id = services.propose(
                session,
                kind=kind.name,
                payload=payload,
                **words,
                proposer=replace(by, unit_id=unit_id),
            )
            made = queries.proposal(session, proposal_id, reach=Reach(account_id=known.account_id))
            location = f"/api/v1/approvals/{proposal_id}"
            content = _shown(services.shown(session, made or {}, reader=reader(session)))
            return Answer(content=content, status=201, location=location)

        return answer_once(schemas.ApprovalSchema, work)


def _payload(kind: DecisionKind, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Read the kind's own part by the kind's own schema. Raises ``Invalid``."""
    try:
        loaded: dict[str, Any] = kind.payload().load(sent)
    except ValidationError as error:
        raise Invalid(errors=list(faults(error.messages, "/payload"))) from error
    return loaded


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    known = kinds.current().get(row["kind"])
    title = UNKNOWN if known is None else known.title
    return {**row, "title": title.as_json(), "digest": bytes(row["digest"]).hex()}


@blp.route("/<uuid:approval_id>")
class OneProposal(MethodView):
    """One proposal."""

    @blp.response(200, schemas.ApprovalDetailSchema)
    @blp.operation("getApproval", NotFound, BulkReadStopped)
    @requires("approvals.read")
    @limited("60/minute", by="account")
    def get(self, approval_id: UUID) -> dict[str, Any]:
        """Get a proposal

        With who decided what, for which authority and when, and the `digest` a decision repeats.
        `payload` and evidence are shown to approvers, auditors and the proposer; people it names
        are masked, and see who read it. One out of reach and an absent one answer the same `404`.
        """
        with db.transaction() as session:
            found = queries.proposal(session, approval_id, reach=reach(session))
            if found is None:
                raise NotFound
            return _shown(services.shown(session, found, reader=reader(session)))

    @blp.response(204)
    @blp.operation("withdrawApproval", NotFound, refusals.ProposalOver)
    @requires("approvals.propose")
    def delete(self, approval_id: UUID) -> None:
        """Withdraw one's own proposal

        While it is open. It stays in the list as withdrawn, with the decisions so far.
        """
        known = caller()
        with db.transaction() as session:
            services.withdraw(
                session,
                proposal_id=approval_id,
                account_id=known.account_id,
                actor_kind=known.kind,
            )
