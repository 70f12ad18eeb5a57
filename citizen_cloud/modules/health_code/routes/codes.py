"""Codes for phones and for thin clients, shares, and what gates work from."""

from datetime import datetime
from typing import Any

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.clock import written
from citizen_cloud.credentials import proofs, qr
from citizen_cloud.credentials.refusals import (
    DeviceKeyUnknown,
    ProofRefused,
    ShowKeyRefused,
    ShowKeyUsed,
)
from citizen_cloud.credentials.routes import snapshot_answer
from citizen_cloud.errors import Unavailable
from citizen_cloud.modules.health_code.queries.showable import Asking
from citizen_cloud.modules.health_code.rules.not_given import NoStatus, UseDevice
from citizen_cloud.modules.health_code.schemas import showing as schemas
from citizen_cloud.modules.health_code.services.codes import at_once, showing, thin
from citizen_cloud.web.accepting import JSON, PNG, SVG, negotiated
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, represented
from citizen_cloud.web.marks import acts_for, limited, public, signed_in
from citizen_cloud.web.refusals import NotAcceptable

blp = Blueprint(
    "health_code_codes", url_prefix="/health-code", description="出示健康码 · Showing a health code"
)


def asking() -> Asking:
    """Return who asks, on which phone, and for whom; doors with ``signed_in(2)`` only."""
    known, someone = caller(), represented()
    return Asking(
        account_id=known.account_id,
        device_id=known.device_id,
        person_id=known.person.person_id if someone is None else someone.identity.person_id,
        link_id=None if someone is None else someone.link_id,
        persons_account_id=None if someone is None else someone.account_id,
    )


def drawn(code: str, media_type: str) -> Response:
    """Return a code as a picture."""
    picture = qr.svg(code) if media_type == SVG else qr.png(code)
    return Response(picture, mimetype=media_type)


@blp.route("/credential")
class HealthCredential(MethodView):
    """A code for a day."""

    @blp.arguments(schemas.NewHealthCredentialSchema)
    @blp.response(200, schemas.HealthCredentialSchema)
    @blp.operation(
        "issueHealthCredential",
        ConsentRequired,
        NoStatus,
        DeviceKeyUnknown,
        ShowKeyRefused,
        ShowKeyUsed,
        ProofRefused,
    )
    @limited("60/minute", by="account")
    @signed_in(2)
    @acts_for("health_code")
    def post(self, sent: dict[str, Any]) -> Response:
        """Get a code that this phone shows by itself

        For a day, or until the colour turns. Draw a fresh show key each time and sign for it with
        the registered key; asking again with the same one gives the same code. To show it, sign
        the current 30 s step with the show key, and draw the QR code: no server is asked. On
        behalf of a dependant, the dependant's code on your phone.
        """
        asked = asking()
        show_key = _bytes(sent["show_key"], ShowKeyRefused)
        proof = _bytes(sent["proof"], ProofRefused)
        with db.statement() as connection:
            given = at_once.give_phone(connection, asked, show_key=show_key, proof=proof)
        if given is None:
            with db.transaction() as session:
                given = showing.give_phone(session, asked, show_key=show_key, proof=proof)
        until = given.next_change_at
        content = {
            "credential": given.held.jws,
            **_shown(given.held.expires_at, given.at, given.colour),
            "next_change_at": written(until) if until is not None else None,
        }
        return Response(orjson.dumps(content), mimetype=JSON)


def _bytes(sent: str, refusal: type[ShowKeyRefused] | type[ProofRefused]) -> bytes:
    try:
        return proofs.from_text(sent)
    except ValueError:
        raise refusal from None


def _shown(expires_at: datetime, at: datetime, colour: str) -> dict[str, str]:
    """Return what both schemas say, as they write it: dumping by them costs a tenth of it all."""
    return {
        "expires_at": written(expires_at),
        "server_time": written(at),
        "colour": colour,
    }


@blp.route("/code")
class HealthThinCode(MethodView):
    """A code for a minute."""

    @blp.alt_response(200, schema={}, content_type=SVG, success=True)
    @blp.alt_response(200, schema={}, content_type=PNG, success=True)
    @blp.response(200, schemas.HealthThinCodeSchema)
    @blp.operation("getHealthCode", ConsentRequired, NoStatus, UseDevice, NotAcceptable)
    @limited("20/minute", by="account")
    @signed_in(2)
    @acts_for("health_code")
    def get(self) -> Response:
        """Get a code for a minute

        For clients that cannot keep a key: each call makes a new one, and places may refuse it.
        Whoever has a registered phone shows the code there (`409 use_device`), unless it was
        reported lost. `application/json` gives the text to draw; `image/svg+xml` and `image/png`
        are a fallback.
        """
        media_type = negotiated()
        asked = asking()
        with db.statement() as connection:
            given = thin.give(connection, asked)
        while given is None:
            with db.transaction() as session:
                thin.turn(session, asked)
                given = thin.give(session, asked)
        text = given.code.text
        if media_type != JSON:
            return drawn(text, media_type)
        content = {"code": text, **_shown(given.code.expires_at, given.at, given.colour)}
        return Response(orjson.dumps(content), mimetype=JSON)


@blp.route("/snapshot")
class HealthSnapshot(MethodView):
    """What gates work from."""

    @blp.alt_response(304, description="What If-None-Match names is still right")
    @blp.response(200, {"type": "string"}, content_type="application/jwt")
    @blp.operation("getHealthSnapshot", Unavailable)
    @public
    def get(self) -> Response:
        """Get the signed snapshot that gates work from

        Keys, key revocations and void codes in one compact JWS, the same as
        `/.well-known/credential-snapshot.jwt`. Fetch it every half minute with the ETag you have,
        and check codes with it while nothing here answers.
        """
        return snapshot_answer()
