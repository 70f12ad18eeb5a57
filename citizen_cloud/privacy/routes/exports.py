"""A copy of everything held about me."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.privacy import queries
from citizen_cloud.privacy.refusals import ExportInProgress, ExportNotReady
from citizen_cloud.privacy.routes.doors import holder
from citizen_cloud.privacy.schemas import DataExportPageSchema, DataExportSchema
from citizen_cloud.privacy.services import exports
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import fresh, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

blp = Blueprint("exports", url_prefix="/me", description="个人信息副本 A copy of my data")
LISTING = "me.exports"
BUNDLE = {
    "type": "object",
    "description": "`format`, `made_at`, `manifest` (what each part is, why it is held and how "
    "long), `not_included`, and `data` by owner",
    "properties": {
        "format": {"type": "string", "maxLength": 64},
        "made_at": {"type": "string", "format": "date-time", "maxLength": 40},
    },
    "required": ["format", "made_at"],
}
BUNDLE_EXAMPLE = {"format": exports.FORMAT, "made_at": "2026-03-01T10:00:00+08:00"}


@blp.route("/export")
class NewExport(MethodView):
    """Asking for a bundle."""

    @blp.response(202, DataExportSchema)
    @blp.operation("requestExport", ExportInProgress, StepUpRequired, key=False)
    @limited("10/hour", by="account")
    @fresh
    @signed_in()
    def post(self) -> Response:
        """Ask for a copy of my data

        It is made within a minute; a message tells when, and so does the `status` in the list of
        copies. Fetch it at `Location` within seven days. One at a time. Needs factors shown within
        five minutes, and where the account has a person, a device on which the document was shown.
        Fetching needs the document shown within five minutes too.
        """
        me = holder()

        def work(session: Session) -> Answer:
            made = exports.request_export(session, account_id=me.account_id, kind=me.kind)
            location = f"/api/v1/me/exports/{made['id']}"
            return Answer(content=made, status=202, location=location)

        return answer_once(DataExportSchema, work)


@blp.route("/exports")
class Exports(MethodView):
    """Bundles asked for."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, DataExportPageSchema)
    @blp.operation("listExports", cursors.BadCursor, StepUpRequired)
    @signed_in()
    def get(self, query: dict[str, Any]) -> Response:
        """List the copies I asked for

        Latest first; those whose seven days are over are gone.
        """
        me, limit = holder(), query["limit"]
        before = None
        if "cursor" in query:
            before = UUID(cursors.decode(LISTING, query["cursor"])[0])
        with db.transaction() as session:
            found = queries.own_exports(
                session, account_id=me.account_id, before=before, limit=limit + 1
            )
        more = cursors.encode(LISTING, [found[limit - 1]["id"]]) if len(found) > limit else None
        return page(DataExportPageSchema(), found[:limit], more)


@blp.route("/exports/<uuid:export_id>")
class OneExport(MethodView):
    """One bundle."""

    @blp.alt_response(200, schema=BUNDLE, example=BUNDLE_EXAMPLE, success=True)
    @blp.operation("downloadExport", NotFound, ExportNotReady, StepUpRequired)
    @limited("30/minute", by="account")
    @fresh
    @signed_in()
    def get(self, export_id: UUID) -> Response:
        """Fetch a copy of my data

        JSON, one part for each room and service: names, numbers and phones are in clear. The
        answer is an attachment and must not be cached. Needs factors shown within five minutes,
        and where the account has a person, the document as well (`POST /me/real-name`).
        """
        me = holder()
        me.require_document()
        with db.transaction() as session:
            bundle = exports.open_bundle(
                session, account_id=me.account_id, kind=me.kind, export_id=export_id
            )
        answer = Response(bundle, mimetype="application/json")
        answer.headers["Content-Disposition"] = f'attachment; filename="export-{export_id}.json"'
        return answer
