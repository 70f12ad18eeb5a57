"""The doors of inspectors: a code at a time, and what gates decided while they were alone."""

from dataclasses import asdict
from typing import Any

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.clock import written
from citizen_cloud.credentials.proofs import from_text
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.rules.place_refusals import PlaceClosed
from citizen_cloud.modules.health_code.rules.verifying import ScanIdReused
from citizen_cloud.modules.health_code.schemas.verifying import (
    HealthScanBatchSchema,
    HealthScanDecisionsSchema,
    HealthVerificationSchema,
    NewHealthScanSchema,
)
from citizen_cloud.modules.health_code.services.checks import (
    uploading,
    verifying,
    verifying_at_once,
)
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector
from citizen_cloud.modules.health_code.services.checks.presented import Presented, present
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.marks import limited, requires

blp = Blueprint(
    "health_code_verifications",
    url_prefix="/health-code/verifications",
    description="核验健康码 · Verifying health codes",
)


def _inspector() -> Inspector:
    return Inspector(account_id=caller().account_id, grant=grant())


def _presented(sent: dict[str, Any]) -> Presented:
    nonce = sent.get("nonce")
    return present(
        scan_id=sent["scan_id"],
        code=sent["code"],
        place_id=sent.get("place_id"),
        nonce=from_text(nonce) if nonce else None,
        device_at=sent.get("scanned_at"),
        device_outcome=sent.get("outcome"),
    )


def answer_json(answer: verifying.Answer) -> dict[str, Any]:
    """Return what the schema says, as it writes it: dumping by it costs a tenth of a check."""
    return {
        "outcome": str(answer.outcome),
        "colour": answer.colour,
        "name_masked": answer.name_masked,
        "as_of": written(answer.as_of) if answer.as_of is not None else None,
        "status_as_of": written(answer.status_as_of),
        "source": answer.source,
        "reason": answer.reason.as_json(),
        "decided_at": written(answer.decided_at),
        "replayed": answer.replayed,
    }


@blp.route("")
class Verifications(MethodView):
    """Codes shown to an inspector."""

    @blp.arguments(NewHealthScanSchema)
    @blp.response(200, HealthVerificationSchema)
    @blp.operation("verifyHealthCode", NotFound, PlaceClosed, ScanIdReused)
    @requires("health_code.codes.verify")
    @limited("600/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Verify a health code

        Takes what the camera read (a phone's code, a thin client's, a paper one) or the word of a
        share, which is used up by it. The answer is `200` also where the code is refused:
        `outcome` says why. Colour and masked name are there only where it is `valid`; never a
        phone number, an address, or where somebody was. A red code that is genuine is `valid` and
        `red`: look at both.

        Draw a `scan_id` for each scan and repeat it when the answer did not arrive. With
        `place_id` the rules of the place's door hold. With `nonce` only a code bound to it passes;
        a gate draws its nonce itself and shows it to the phone. One showing passes once in the
        city. Without the server: `GET /health-code/snapshot` and the offline verifier.
        """
        scan = _presented(sent)
        inspector = _inspector()
        with db.statement() as connection:
            answer = verifying_at_once.verify(connection, scan=scan, inspector=inspector)
        if answer is None:
            with db.transaction() as session:
                answer = verifying.verify(session, scan=scan, inspector=inspector)
        return Response(orjson.dumps(answer_json(answer)), mimetype="application/json")


@blp.route("/batch")
class UploadedVerifications(MethodView):
    """Scans that gates decided alone."""

    @blp.arguments(HealthScanBatchSchema)
    @blp.response(200, HealthScanDecisionsSchema)
    @blp.operation("uploadHealthCodeScans")
    @requires("health_code.codes.verify")
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Any:
        """Upload scans made offline

        Up to 500, each with the gate's clock and what it said; the server decides anew for that
        instant and its word counts. Idempotent by `scan_id`. `is_conflict` marks a scan where the
        gate let somebody in whom the server would not have: revoked before the scan, shown at two
        gates, a key that was stolen. Of two showings of one code the later by the gates' clocks is
        `replayed`, in whatever order they are told; an answer once given stays. Rows with a
        `problem` were not recorded; the others were.
        """
        uploaded = [_presented(one) for one in sent["scans"]]
        with db.transaction() as session:
            said = uploading.upload(session, uploaded=uploaded, inspector=_inspector())
        items = [{**asdict(one), "is_conflict": one.is_conflict} for one in said]
        return {"items": items, "conflicts": sum(one.is_conflict for one in said)}
