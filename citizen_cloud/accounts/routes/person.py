"""Consent and the real-name step."""

from typing import Any

import orjson
from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts import verifier
from citizen_cloud.accounts.refusals import (
    AccountHasPerson,
    ConsentOutdated,
    ConsentRequired,
    DocumentInUse,
    IdNumberInvalid,
    NameInvalid,
    RealNameMismatch,
    VerifierUnavailable,
)
from citizen_cloud.accounts.rules.consents import REAL_NAME
from citizen_cloud.accounts.schemas.account import (
    ConsentChoiceSchema,
    ConsentSchema,
    PersonSchema,
    RealNameSchema,
)
from citizen_cloud.accounts.services import consents, real_name
from citizen_cloud.accounts.services.consents import Consent
from citizen_cloud.errors import Forbidden, StepUpRequired
from citizen_cloud.text import Language
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import Caller, caller
from citizen_cloud.web.context import language
from citizen_cloud.web.examples import example_of
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, signed_in

blp = Blueprint("person", url_prefix="/me", description="同意与实名 Consent and the real name")
MOST_PURPOSES = 50


@blp.route("/consents")
class ConsentsView(MethodView):
    """What the citizen agreed to."""

    @blp.alt_response(
        200,
        schema={"type": "array", "maxItems": MOST_PURPOSES, "items": ConsentSchema},
        example=[example_of(ConsentSchema(), incoming=False)],
        success=True,
    )
    @blp.operation("listConsents")
    @signed_in()
    def get(self) -> Response:
        """List the purposes and what was said to each

        Every purpose the service knows, with its present version and text; the list is short and
        comes whole.
        """
        spoken = language()
        with db.statement() as connection:
            found = consents.consents_of(connection, account_id=caller().account_id)
        content = [_shown(consent, spoken) for consent in found]
        body = orjson.dumps(ConsentSchema(many=True).dump(content))
        return Response(body, mimetype="application/json")

    @blp.arguments(ConsentChoiceSchema)
    @blp.response(200, ConsentSchema)
    @blp.operation("answerConsent", ConsentOutdated, Forbidden, StepUpRequired, key=False)
    @signed_in()
    def post(self, sent: dict[str, Any]) -> Response:
        """Agree to a purpose, or withdraw

        Send the version whose text was shown. `granted: false` withdraws this purpose and leaves
        the others as they are. What still holds is withdrawn on a device where the account's
        document was shown (401 `step_up_required`), so that nobody else undoes it.
        """
        known, spoken = _citizen(), language()

        def work(session: Session) -> Answer:
            if not sent["granted"] and consents.holds(
                session, account_id=known.account_id, purpose=sent["purpose"]
            ):
                known.require_own()
            answered = consents.answer_consent(session, account_id=known.account_id, **sent)
            return Answer(content=_shown(answered, spoken))

        return answer_once(ConsentSchema, work)


def _shown(consent: Consent, spoken: Language) -> dict[str, Any]:
    purpose = consent.purpose
    return {
        "purpose": purpose.name,
        "version": purpose.version,
        "title": purpose.title.in_language(spoken),
        "text": purpose.text.in_language(spoken),
        "granted": consent.granted,
        "granted_at": consent.granted_at,
        "withdrawn_at": consent.withdrawn_at,
    }


@blp.route("/real-name")
class RealNameView(MethodView):
    """The citizen's document."""

    @blp.arguments(RealNameSchema)
    @blp.response(200, PersonSchema)
    @blp.operation(
        "proveRealName",
        ConsentRequired,
        IdNumberInvalid,
        NameInvalid,
        RealNameMismatch,
        DocumentInUse,
        AccountHasPerson,
        VerifierUnavailable,
        key=False,
    )
    @limited("10/minute", by="account")
    @signed_in()
    def post(self, sent: dict[str, str]) -> Response:
        """Prove the real name

        Needs consent to `real_name`. A document belongs to one account; bound to another it is
        409 `document_in_use`. Repeat the step on every new device: a phone number alone never
        opens level 2. The number is never shown again, nor repeated in an error.
        """
        known = _citizen()
        with db.statement() as connection:
            consents.require_consent(connection, account_id=known.account_id, purpose=REAL_NAME)
        claim = real_name.claim(
            document_type=sent["document_type"],
            number=sent["document_number"],
            name=sent["name"],
            today=clock.local_day(clock.now()),
        )
        # No connection is held while the upstream thinks.
        asked = verifier.current()
        if not asked.matches(
            document_type=claim.document_type, number=claim.number, name=claim.name
        ):
            raise RealNameMismatch
        return answer_once(
            PersonSchema,
            lambda session: Answer(
                content={
                    "document_type": claim.document_type,
                    **real_name.prove(
                        session,
                        account_id=known.account_id,
                        device_id=known.device_id,
                        claim=claim,
                        verified_by=asked.name,
                    ).shown(),
                }
            ),
        )


def _citizen() -> Caller:
    """Return the caller, who must be a citizen: staff accounts are not people."""
    known = caller()
    if known.kind != "citizen":
        raise Forbidden
    return known
