"""What auditors see of those who have power here; nothing of it can be changed."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import Schema

from citizen_cloud import db
from citizen_cloud.modules.health_code.queries import power as queries
from citizen_cloud.modules.health_code.queries.appeals import all_appeals
from citizen_cloud.modules.health_code.queries.batches import BatchRow, batches
from citizen_cloud.modules.health_code.queries.findings import findings
from citizen_cloud.modules.health_code.routes.officers import queued_json
from citizen_cloud.modules.health_code.routes.paged import before_id, more_behind
from citizen_cloud.modules.health_code.rules.verifying import SOURCES as KINDS_OF_CODE
from citizen_cloud.modules.health_code.schemas.appeals import HealthQueuedAppealPageSchema
from citizen_cloud.modules.health_code.schemas.batches import HealthAuditedBatchPageSchema
from citizen_cloud.modules.health_code.schemas.power import (
    HealthAlarmPageSchema,
    HealthManualEventPageSchema,
    HealthReplayPageSchema,
    HealthSourcePageSchema,
)
from citizen_cloud.modules.health_code.services.power.alarms import WHAT
from citizen_cloud.text import Text
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

PERMISSION = "health_code.read"

blp = Blueprint(
    "health_code_audit",
    url_prefix="/health-code/audit",
    description="赋码审计 · Auditors see who used which power, and change nothing",
)


def _page(
    name: str,
    schema: Schema,
    query: dict[str, Any],
    read: Callable[..., Sequence[Any]],
    shown: Callable[[Any], dict[str, Any]],
) -> Response:
    listing, limit = f"health_code.audit.{name}", query["limit"]
    with db.transaction() as session:
        rows = read(session, before=before_id(listing, query), limit=limit)
    items = [shown(row) for row in rows[:limit]]
    return page(schema, items, more_behind(listing, [_id(row) for row in rows], limit))


def _id(row: Any) -> UUID:
    found: UUID = row["id"] if isinstance(row, dict) else row.id
    return found


@blp.route("/manual-events")
class ManualEvents(MethodView):
    """Colours given and taken by hand."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthManualEventPageSchema)
    @blp.operation("listHealthManualEvents", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List events by hand

        Each with its approval, who proposed it and which units agreed. Newest first.
        """
        return _page(
            "manual", HealthManualEventPageSchema(), query, queries.manual_events, lambda row: row
        )


@blp.route("/batches")
class Batches(MethodView):
    """What sources sent."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthAuditedBatchPageSchema)
    @blp.operation("listHealthBatches", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List batches of all sources

        Counts and states, newest first.
        """
        return _page("batches", HealthAuditedBatchPageSchema(), query, batches, _batch_json)


def _batch_json(row: BatchRow) -> dict[str, Any]:
    return {**vars(row), "batch_id": row.reference, "approval_id": row.proposal_id}


@blp.route("/sources")
class Sources(MethodView):
    """Who may report."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthSourcePageSchema)
    @blp.operation("listHealthSources", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List sources

        Active and retired, with the approval each was registered by.
        """
        return _page(
            "sources", HealthSourcePageSchema(), query, queries.all_sources, lambda row: row
        )


@blp.route("/appeals")
class Appeals(MethodView):
    """All appeals."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthQueuedAppealPageSchema)
    @blp.operation("listAllHealthAppeals", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List appeals and corrections

        With state, clock, deciding authority and answer; not whose they are.
        """
        return _page("appeals", HealthQueuedAppealPageSchema(), query, all_appeals, queued_json)


@blp.route("/alarms")
class Alarms(MethodView):
    """What rang."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthAlarmPageSchema)
    @blp.operation("listHealthAlarms", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List alarms

        Proposals above the cap, unsigned batches, volume above a cap, appeals nobody answered.
        """
        return _page("alarms", HealthAlarmPageSchema(), query, queries.alarms, _alarm_json)


def _alarm_json(row: dict[str, Any]) -> dict[str, Any]:
    words = WHAT.get(row["what"], Text("已删除", "Redacted"))
    return {**row, "title": words.as_json()}


@blp.route("/replays")
class Replays(MethodView):
    """Codes that were shown twice."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, HealthReplayPageSchema)
    @blp.operation("listHealthReplays", BadCursor)
    @requires(PERMISSION)
    def get(self, query: dict[str, Any]) -> Response:
        """List codes shown twice

        `replayed`: one showing of a phone, or one code of a thin client, at a second door or let
        in twice; also when that came to light only as gates uploaded their scans. `cloned`: one
        paper at two doors within 30 s, or in two districts within 5 minutes; nobody was refused
        for it. With both doors and instants, not whose code it was; for 21 days, latest first.
        """
        return _page("replays", HealthReplayPageSchema(), query, findings, _replay_json)


def _replay_json(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "source": KINDS_OF_CODE[row["type"]]}
