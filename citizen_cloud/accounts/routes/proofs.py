"""Showing the factors again, and taking another phone number."""

from typing import Any, cast

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import (
    CredentialsInvalid,
    OtpInvalid,
    PhoneFull,
    PhoneInvalid,
    PhoneMissing,
    SmsPaused,
)
from citizen_cloud.accounts.routes.codes import given, send_code
from citizen_cloud.accounts.schemas.proofs import (
    NewPhoneSchema,
    SentCodeSchema,
    StepUpSchema,
)
from citizen_cloud.accounts.schemas.sign_in import ChallengeSchema
from citizen_cloud.accounts.services import SignedIn, otp_tries, phones, staff, step_up
from citizen_cloud.accounts.services.otp import Challenge, Purpose
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.errors import Forbidden, TooMany
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import Caller, caller
from citizen_cloud.web.examples import UUID_EXAMPLE
from citizen_cloud.web.marks import fresh, limited, signed_in

blp = Blueprint(
    "proofs", url_prefix="/me", description="再次验证与更换手机号 Step-up, and another phone number"
)
Sent = dict[str, Any]
STEP_UPS = {
    "code": {
        "summary": "市民：验证码 Citizens, by a code to the own phone",
        "value": {"challenge_id": UUID_EXAMPLE, "code": "246810"},
    },
    "password": {
        "summary": "工作人员：密码与动态码 Staff, by password and authenticator",
        "value": {"password": "correct horse battery staple", "totp": "246810"},
    },
}


def _citizen() -> SignedIn:
    """Return the caller, who must be a citizen: staff accounts have no phone."""
    known = cast("SignedIn", caller())
    if known.kind != "citizen":
        raise Forbidden
    return known


def _tried(known: Caller, sent: Sent, purpose: Purpose) -> ProvenPhone:
    with db.statement() as connection:
        outcome = otp_tries.try_code(
            connection,
            challenge_id=sent["challenge_id"],
            code=sent["code"],
            purpose=purpose,
            device=known.device_id,
        )
    return given(outcome)


@blp.route("/step-up/code")
class StepUpCodeView(MethodView):
    """A code to the own phone."""

    @blp.response(202, ChallengeSchema)
    @blp.operation("requestStepUpCode", Forbidden, PhoneMissing, TooMany, SmsPaused)
    @limited("30/minute", by="account")
    @signed_in()
    def post(self) -> Challenge:
        """Send a code to the own phone, to step up

        For citizens. The code is good on this device and for `POST /me/step-up` only. One a
        minute and ten a day.
        """
        known = _citizen()
        phone = phones.phone_of(known.account_id, known.phone_sealed)
        return send_code(phone=phone, purpose="step_up", device=known.device_id)


@blp.route("/step-up")
class StepUpView(MethodView):
    """The factors, once more."""

    @blp.arguments(StepUpSchema, examples=STEP_UPS)
    @blp.response(204)
    @blp.operation("stepUp", OtpInvalid, CredentialsInvalid, Forbidden, TooMany)
    @limited("30/minute", by="account")
    @signed_in()
    def post(self, sent: Sent) -> None:
        """Show the factors again

        What answered 401 `step_up_required` with `max_age_s` opens for that long afterwards.
        Citizens send `challenge_id` and `code` (from `POST /me/step-up/code`); staff send
        `password` and `totp`. Failures count as they do when signing in.
        """
        if "code" in sent:
            known = _citizen()
            proven = _tried(known, sent, "step_up")
            with db.transaction() as session:
                step_up.by_code(session, known=known, proven=proven)
        else:
            _by_password(caller(), sent)


def _by_password(known: Caller, sent: Sent) -> None:
    with db.statement() as connection:
        found = step_up.find(connection, account_id=known.account_id)
    checked = staff.compared(found, sent["password"])
    with db.transaction() as session:
        outcome = step_up.by_password(session, known=known, checked=checked, code=sent["totp"])
    given(outcome)


@blp.route("/phone/code")
class NewPhoneCodeView(MethodView):
    """A code to the number that is to be used."""

    @blp.arguments(NewPhoneSchema)
    @blp.response(202, ChallengeSchema)
    @blp.operation("requestNewPhoneCode", PhoneInvalid, Forbidden, TooMany, SmsPaused)
    @limited("30/minute", by="account")
    @signed_in()
    def post(self, sent: Sent) -> Challenge:
        """Send a code to another phone number, to change to it

        The answer is the same whether or not the number has accounts. Counts on the number's day
        and on the account's: ten a day.
        """
        known = _citizen()
        known.require_own()
        return send_code(phone=sent["phone"], purpose="new_phone", device=known.device_id)


@blp.route("/phone")
class PhoneView(MethodView):
    """The account's phone number."""

    @blp.arguments(SentCodeSchema)
    @blp.response(204)
    @blp.operation("changePhone", OtpInvalid, PhoneFull, Forbidden, TooMany)
    @limited("30/minute", by="account")
    @fresh
    @signed_in()
    def post(self, sent: Sent) -> None:
        """Change the phone number

        Needs the factors shown in the last five minutes (`POST /me/step-up`), and, where the
        account belongs to a person, the document too (`POST /me/real-name`, on this device): who
        finds an unlocked phone reads its codes. 401 `step_up_required` says which. Whoever lost
        the old phone goes to a service counter. Every other sign-in ends; the old number gets a
        text. A number serves at most two accounts: 409 `phone_full`.
        """
        known = _citizen()
        known.require_document()
        proven = _tried(known, sent, "new_phone")
        with db.transaction() as session:
            phones.change_phone(
                session,
                account_id=known.account_id,
                sign_in_id=known.sign_in_id,
                proven=proven,
            )
