"""The door of authority systems: facts, signed, in batches."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.files.batch_csv import rows_of
from citizen_cloud.modules.health_code.queries.batches import BatchRow, batch
from citizen_cloud.modules.health_code.rules.batches import COLUMNS, Fault, FileFault, Row
from citizen_cloud.modules.health_code.rules.power_refusals import (
    BatchGone,
    BatchRejected,
    BatchReused,
    BatchUnreadable,
    NoSource,
    SignatureWrong,
)
from citizen_cloud.modules.health_code.rules.signatures import HEADER
from citizen_cloud.modules.health_code.schemas.batches import (
    HealthBatchSchema,
    NewHealthBatchSchema,
    NewHealthFileSchema,
)
from citizen_cloud.modules.health_code.services.reports import batches as services
from citizen_cloud.modules.health_code.services.reports.batches import Sent
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.context import language
from citizen_cloud.web.marks import limited, requires

PERMISSION = "health_code.events.write"
# Far more than it takes to apply any batch.
TOLD_AFTER = timedelta(minutes=1)
RATE = "60/minute"
REFUSALS = (NoSource, SignatureWrong, BatchReused, BatchRejected, BatchGone)
SIGNATURE: dict[str, Any] = {
    "in": "header",
    "name": HEADER,
    "required": True,
    "description": "base64url of 64 bytes: the source's key over `citizen-cloud batch 1`, the "
    "batch's id, `whole` or `partial`, each followed by a zero byte, and the SHA-256 of the exact "
    "body or file. ES256 as r followed by s",
    "schema": {"type": "string", "minLength": 86, "maxLength": 86, "pattern": "^[A-Za-z0-9_-]*$"},
    "example": "q" * 86,
}

blp = Blueprint(
    "health_code_batches",
    url_prefix="/health-code/events",
    description="主管部门数据报送 · Facts that authority systems report",
)


def batch_json(row: BatchRow) -> dict[str, Any]:
    """Return a batch as its source gets it.

    How long it took to apply would tell how many of its people are here, so all are told alike.
    """
    if row.status == "applied":
        at = row.received_at + TOLD_AFTER
        early = clock.now() < at
        row = replace(
            row, status="received" if early else "applied", decided_at=None if early else at
        )
    errors = [Fault(**fault).as_json(language()) for fault in row.report["errors"]]
    names = ("id", "status", "rows_in", "accepted", "rejected", "received_at", "decided_at")
    return {
        "batch_id": row.reference,
        "errors": errors,
        **{name: getattr(row, name) for name in names},
    }


def _answer(row: BatchRow) -> Response:
    response = jsonify(HealthBatchSchema().dump(batch_json(row)))
    response.status_code = 202 if row.status == "waiting" else 200
    return response


def _signature() -> str:
    return request.headers.get(HEADER, "")


@blp.route("/batch")
class Batches(MethodView):
    """Batches as JSON."""

    @blp.arguments(NewHealthBatchSchema)
    @blp.response(200, HealthBatchSchema)
    @blp.alt_response(202, schema=HealthBatchSchema, description="Waits for two authorities")
    @blp.header(SIGNATURE)
    @blp.operation("reportHealthEvents", *REFUSALS)
    @requires(PERMISSION)
    @limited(RATE, by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Report facts

        For systems that two authorities agreed to register as a source; a staff account is none.
        Every wrong row is reported by its number, the first is 1; with one of them nothing is
        taken, unless `partial` is true. Whether somebody of a document and name lives here is no
        part of the answer: the people are looked up a moment later, what names nobody is kept
        aside sealed for 14 days, until the person registers, and dropped then. What is above the
        source's cap in an hour waits for two approvers and is answered with 202. The same batch
        again gives the same report.
        """
        rows = [
            Row(number=number, cells={name: str(row[name]) for name in COLUMNS})
            for number, row in enumerate(sent["rows"], start=1)
        ]
        asked = Sent(
            account_id=caller().account_id,
            reference=sent["batch_id"],
            content=request.get_data(cache=True),
            signature=_signature(),
            rows=rows,
            partial=sent["is_partial"],
            language=language(),
        )
        with db.transaction() as session:
            return _answer(services.take(session, asked))


@blp.route("/files")
class Files(MethodView):
    """Batches as CSV."""

    @blp.arguments(NewHealthFileSchema, location="multipart")
    @blp.response(200, HealthBatchSchema)
    @blp.alt_response(202, schema=HealthBatchSchema, description="Waits for two authorities")
    @blp.header(SIGNATURE)
    @blp.operation("reportHealthEventFile", BatchUnreadable, *REFUSALS)
    @requires(PERMISSION)
    @limited(RATE, by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Report facts as a file

        As `reportHealthEvents`; the header's columns are document_type, document_number, name,
        kind, detail, occurred_at, evidence_class, evidence_reference. The signature is over the
        file. A file that is cut off or too long is refused whole.
        """
        content = sent["file"].stream.read()
        facts = {
            "account_id": caller().account_id,
            "reference": sent["batch_id"],
            "content": content,
            "signature": _signature(),
            "partial": sent["is_partial"],
            "language": language(),
        }
        with db.transaction() as session:
            services.authenticated(session, Sent(**facts, rows=()))
        try:
            rows, broken = rows_of(content)
        except FileFault as fault:
            raise BatchUnreadable(report=fault.fault.as_json(language())) from fault
        with db.transaction() as session:
            return _answer(services.take(session, Sent(**facts, rows=rows, broken=broken)))


@blp.route("/batches/<uuid:batch_id>")
class OneBatch(MethodView):
    """One batch."""

    @blp.response(200, HealthBatchSchema)
    @blp.operation("getHealthBatch", NotFound)
    @requires(PERMISSION)
    def get(self, batch_id: UUID) -> dict[str, Any]:
        """Show a batch of yours

        `received` changes to `applied` a minute later, whatever is in it; what waits for approvers
        to `released` or `refused`.
        """
        with db.transaction() as session:
            found = batch(session, batch_id)
        if found.account_id != caller().account_id:
            raise NotFound
        return batch_json(found)
