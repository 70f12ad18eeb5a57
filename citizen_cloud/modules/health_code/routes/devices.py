"""The phones that may show a code by themselves: registered, listed, given up, reported lost."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.refusals import (
    ChallengeUnknown,
    DeviceKeyRefused,
    DeviceKeyTaken,
    ProofRefused,
)
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.modules.health_code.schemas import showing as schemas
from citizen_cloud.modules.health_code.services.codes import phones
from citizen_cloud.modules.health_code.services.codes.phones import Phone
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, signed_in

ROOT = "/api/v1/health-code/devices"

blp = Blueprint(
    "health_code_devices",
    url_prefix="/health-code/devices",
    description="出示健康码的手机 · Phones that show a health code",
)


def _shown(phone: Phone) -> dict[str, Any]:
    return {
        "device_id": phone.device_id,
        "registered_at": phone.registered_at,
        "is_this_device": phone.device_id == caller().device_id,
    }


@blp.route("/challenge")
class HealthChallenge(MethodView):
    """What a phone signs."""

    @blp.response(200, schemas.HealthChallengeSchema)
    @blp.operation("drawHealthChallenge", ConsentRequired)
    @signed_in(2)
    @limited("10/minute", by="account")
    def post(self) -> dict[str, Any]:
        """Ask for a challenge

        The first step of registering this phone. It is good for five minutes and one try; asking
        again makes the one before worthless.
        """
        with db.transaction() as session:
            drawn = phones.challenge(
                session, account_id=caller().account_id, device_id=caller().device_id
            )
        return {
            "challenge_id": drawn.id,
            "challenge": proofs.to_text(drawn.challenge),
            "expires_at": drawn.expires_at,
        }


@blp.route("")
class HealthDevices(MethodView):
    """The phones of an account."""

    @blp.response(200, schemas.HealthDevicesSchema)
    @blp.operation("listHealthDevices")
    @signed_in(2)
    def get(self) -> dict[str, Any]:
        """List my registered phones

        Every phone that may show a code without a server. A phone that is signed out or removed
        (`/me/devices`) is no longer among them.
        """
        with db.transaction() as session:
            found = phones.phones_of(session, account_id=caller().account_id)
        return {"items": [_shown(phone) for phone in found[: schemas.MOST_DEVICES]]}

    @blp.arguments(schemas.NewHealthDeviceSchema)
    @blp.response(201, schemas.HealthDeviceSchema)
    @blp.operation(
        "registerHealthDevice",
        ConsentRequired,
        DeviceKeyRefused,
        ChallengeUnknown,
        ProofRefused,
        DeviceKeyTaken,
        StepUpRequired,
        key=False,
    )
    @signed_in(2)
    @limited("10/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Register this phone

        The key is made on the phone and never leaves it; one key each, and none that any phone
        ever had. Where any phone of yours has a key already, the document is asked for again first
        (`401 step_up_required`), or a stolen sign-in would be enough. Your other devices are told.
        """
        known = caller()

        def work(session: Session) -> Answer:
            if phones.has_any(session, account_id=known.account_id):
                known.require_document()
            phone = phones.register(
                session,
                account_id=known.account_id,
                device_id=known.device_id,
                challenge_id=sent["challenge_id"],
                public_key=_bytes(sent["public_key"], DeviceKeyRefused),
                proof=_bytes(sent["proof"], ProofRefused),
            )
            location = f"{ROOT}/{phone.device_id}"
            return Answer(content=_shown(phone), status=201, location=location)

        return answer_once(schemas.HealthDeviceSchema, work)


def _bytes(sent: str, refusal: type[DeviceKeyRefused] | type[ProofRefused]) -> bytes:
    """Read base64url, in its one form; the last character may say more bits than there are."""
    try:
        return proofs.from_text(sent)
    except ValueError:
        raise refusal from None


@blp.route("/<uuid:device_id>")
class HealthDevice(MethodView):
    """One phone."""

    @blp.response(204)
    @blp.operation("removeHealthDevice", StepUpRequired)
    @signed_in(2)
    def delete(self, device_id: UUID) -> None:
        """Let a phone show no more codes

        Its key and every code on it end; gates know from their next snapshot on. The phone stays
        signed in. Asks for the document again first, for without a phone anybody who is signed in
        gets the code from the server.
        """
        caller().require_document()
        with db.transaction() as session:
            phones.remove(session, account_id=caller().account_id, device_id=device_id)


@blp.route("/<uuid:device_id>/lost")
class LostHealthDevice(MethodView):
    """A phone that is gone."""

    @blp.response(204)
    @blp.operation("reportHealthDeviceLost", StepUpRequired)
    @signed_in(2)
    def post(self, device_id: UUID) -> None:
        """Report a phone lost

        Its key and every code on it end, also those of dependants, and the phone is signed out.
        Until you register another phone, `GET /health-code/code` serves you. Asks for the
        document again first.
        """
        caller().require_document()
        with db.transaction() as session:
            phones.report_lost(session, account_id=caller().account_id, device_id=device_id)
