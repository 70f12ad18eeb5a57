"""The officers' queue: what waits for an answer, and the answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.identity import masked_names
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.approvals.refusals import EvidenceMissing
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.queries.appeals import AppealRow, events_about, queue
from citizen_cloud.modules.health_code.rules.power_refusals import (
    AppealOver,
    EventNotTheirs,
    OwnDecision,
    UnitRequired,
)
from citizen_cloud.modules.health_code.schemas import appeals as schemas
from citizen_cloud.modules.health_code.services.power import officers as services
from citizen_cloud.modules.health_code.services.power.officers import Officer, Remedy
from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

PERMISSION = "health_code.appeals.decide"
LISTING = "health_code.queue"
RATE = "60/minute"

blp = Blueprint(
    "health_code_officers",
    url_prefix="/health-code/staff",
    description="申诉处理 · Officers answer appeals",
)


def _officer(session: Session) -> Officer:
    """Return the caller as an officer of his authorities. Raises ``UnitRequired``."""
    units = counters_among(session, grant().organisation_ids)
    if not units:
        raise UnitRequired
    return Officer(account_id=caller().account_id, unit_id=min(units), unit_ids=units)


def queued_json(row: AppealRow) -> dict[str, Any]:
    """Return a line of the queue."""
    names = schemas.HealthQueuedAppealSchema().fields.keys() - {"is_overdue", "approval_id"}
    return {
        **{name: getattr(row, name) for name in names},
        "is_overdue": row.overdue_at is not None,
        "approval_id": row.proposal_id,
    }


def _after(query: dict[str, Any]) -> tuple[datetime, UUID] | None:
    sent = query.get("cursor")
    if not sent:
        return None
    due_at, last = cursors.decode(LISTING, sent)
    return datetime.fromisoformat(due_at), UUID(last)


@blp.route("/appeals")
class Queue(MethodView):
    """What waits."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.HealthQueuedAppealPageSchema)
    @blp.operation("listHealthAppealQueue", BadCursor, UnitRequired)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List what waits for an answer

        The most urgent first; nothing says whose it is. Only for officers of an authority.
        """
        limit = query["limit"]
        with db.transaction() as session:
            _officer(session)
            rows = queue(session, after=_after(query), limit=limit)
        last = rows[limit - 1] if len(rows) > limit else None
        more = None if last is None else cursors.encode(LISTING, [last.due_at, last.id])
        items = [queued_json(row) for row in rows[:limit]]
        return page(schemas.HealthQueuedAppealPageSchema(), items, more)


@blp.route("/appeals/<uuid:appeal_id>")
class Case(MethodView):
    """One of them, opened."""

    @blp.response(200, schemas.HealthAppealCaseSchema)
    @blp.operation("openHealthAppeal", NotFound, UnitRequired, BulkReadStopped)
    @requires(PERMISSION)
    @limited(RATE, by="account")
    def get(self, appeal_id: UUID) -> dict[str, Any]:
        """Open an appeal

        The citizen's words, a masked name, and what authorities said of him. He sees that your
        authority looked.
        """
        with db.transaction() as session:
            found, words = services.read(session, appeal_id=appeal_id, by=_officer(session))
            name = masked_names(session, [found.person_id]).get(found.person_id, "")
            events = [_event_json(row) for row in events_about(session, found.person_id)]
        return {**queued_json(found), "person_name": name, "text": words, "events": events}


def _event_json(row: dict[str, Any]) -> dict[str, Any]:
    payload = row["payload"]
    details = (payload.get(name, "") for name in ("colour", "result", "class", "reason"))
    return {
        **row,
        "detail": " ".join(word for word in details if word),
        "by_hand": row["approval_id"] is not None,
    }


@blp.route("/appeals/<uuid:appeal_id>/decision")
class Decision(MethodView):
    """The answer."""

    @blp.arguments(schemas.HealthAppealDecisionSchema)
    @blp.response(200, schemas.HealthQueuedAppealSchema)
    @blp.operation(
        "decideHealthAppeal",
        NotFound,
        UnitRequired,
        OwnDecision,
        AppealOver,
        EventNotTheirs,
        EvidenceMissing,
        BulkReadStopped,
        key=False,
    )
    @requires(PERMISSION)
    @limited(RATE, by="account")
    def post(self, sent: dict[str, Any], appeal_id: UUID) -> Response:
        """Answer an appeal

        `refuse` is final and told with its reason; the authority that gave the colour cannot.
        `grant` proposes that events be withdrawn: two approvers of different authorities decide,
        and if they do not agree the appeal is open again. Its clock runs on meanwhile.
        """

        def work(session: Session) -> Answer:
            by = _officer(session)
            if sent["verdict"] == "refuse":
                row = services.refuse(session, appeal_id=appeal_id, answer=sent["answer"], by=by)
            else:
                remedy = Remedy(
                    event_ids=tuple(sent["event_ids"]),
                    reason=sent["reason"],
                    evidence_reference=sent["evidence_reference"],
                )
                row = services.propose_correction(
                    session, appeal_id=appeal_id, remedy=remedy, by=by
                )
            return Answer(content=queued_json(row))

        return answer_once(schemas.HealthQueuedAppealSchema, work)
