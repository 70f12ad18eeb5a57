"""Signing in and out."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.refusals import (
    AccountChoiceRequired,
    AccountSuspended,
    CredentialsInvalid,
    OtpInvalid,
    PasswordChangeRequired,
    PasswordTooWeak,
    PhoneFull,
    PhoneInvalid,
    RefreshInvalid,
    SmsPaused,
    TotpEnrolmentRequired,
    TotpRequired,
)
from citizen_cloud.accounts.routes.codes import given, network, send_code
from citizen_cloud.accounts.schemas.sign_in import (
    ChallengeSchema,
    OtpRequestSchema,
    TokenRequestSchema,
    TokensSchema,
)
from citizen_cloud.accounts.services import citizens, networks, otp, otp_tries, sign_ins, staff
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.refresh import refresh
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.errors import TooMany
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.context import language
from citizen_cloud.web.examples import UUID_EXAMPLE
from citizen_cloud.web.marks import limited, public, signed_in

blp = Blueprint(
    "auth", url_prefix="/auth", description="登录与令牌 Signing in by code or password, tokens"
)
Sent = dict[str, Any]


@blp.route("/otp")
class OtpView(MethodView):
    """Codes by text message."""

    @blp.arguments(OtpRequestSchema)
    @blp.response(202, ChallengeSchema)
    @blp.operation("requestCode", PhoneInvalid, TooMany, SmsPaused)
    @limited("120/minute", by="address")
    @public
    def post(self, sent: Sent) -> otp.Challenge:
        """Send a one-time code to a phone

        The answer is the same whether or not the phone has an account. A code lives five minutes,
        takes five tries and works once. One a minute and ten a day for each phone, and some an
        hour for each network; beyond that 429 with `retry_after` in seconds. A registered device
        has limits of its own. 503 `sms_paused` when the city's hourly budget is spent.
        """
        return send_code(phone=sent["phone"], device=_proof(sent), network=network())


GRANTS = {
    "otp": {
        "summary": "验证码登录 By one-time code",
        "value": {
            "grant_type": "otp",
            "challenge_id": UUID_EXAMPLE,
            "code": "246810",
            "device": {"name": "小明的手机"},
        },
    },
    "refresh_token": {
        "summary": "续期 By refresh token",
        "value": {"grant_type": "refresh_token", "refresh_token": "x" * 43},
    },
    "password": {
        "summary": "工作人员登录 Staff, with a second factor",
        "value": {
            "grant_type": "password",
            "username": "clerk-7",
            "password": "correct horse battery staple",
            "totp": "246810",
        },
    },
}


@blp.route("/token")
class TokenView(MethodView):
    """Tokens for a grant."""

    @blp.arguments(TokenRequestSchema, examples=GRANTS)
    @blp.response(200, TokensSchema)
    @blp.operation(
        "createToken",
        OtpInvalid,
        RefreshInvalid,
        CredentialsInvalid,
        PasswordChangeRequired,
        PasswordTooWeak,
        TotpRequired,
        TotpEnrolmentRequired,
        AccountSuspended,
        AccountChoiceRequired,
        PhoneFull,
        TooMany,
    )
    @limited("120/minute", by="address")
    @public
    def post(self, sent: Sent) -> Sent:
        """Sign in, or renew a sign-in

        `{"grant_type": "otp", "challenge_id": "…", "code": "493027", "device": {"name": "…"}}`
        signs a citizen in; an unknown phone gets its account. The first answer holds
        `device.secret`: send `device: {id, secret}` from then on. A phone with two accounts gets
        409 `account_choice_required` with `accounts`; repeat with `account_id`, the code is still
        good.

        `{"grant_type": "refresh_token", "refresh_token": "…"}` exchanges a refresh token. Each is
        used once; the same one again within 30 seconds (a lost answer) gets the same successor,
        later it ends the sign-in everywhere.

        `{"grant_type": "password", "username": "…", "password": "…", "totp": "123456"}` signs
        staff in. The first time 401 `totp_enrolment_required` gives `secret` and `otpauth_uri`;
        repeat with `totp`. A one-time password gets 401 `password_change_required`: send
        `new_password` beside it, in every repetition until the sign-in succeeds. Who lost the
        authenticator sends a `recovery_code` in place of `totp`.
        """
        issued = _GRANTS[sent["grant_type"]](sent)
        device = {name: value for name, value in asdict(issued.device).items() if value is not None}
        return {**asdict(issued), "device": device, "token_type": "Bearer"}


def _by_code(sent: Sent) -> Issued:
    device = _proof(sent)
    with db.statement() as connection:
        tried = otp_tries.try_code(
            connection,
            challenge_id=sent["challenge_id"],
            code=sent["code"],
            device=device,
            network=network(),
        )
    wish = Wish(
        account_id=sent.get("account_id"),
        new_account=sent.get("new_account", False),
        device=device,
        device_name=_name(sent),
        language=language(),
    )
    proven = given(tried)
    with db.transaction() as session:
        return citizens.sign_in(session, proven=proven, wish=wish)


def _by_refresh(sent: Sent) -> Issued:
    with db.transaction() as session:
        outcome = refresh(session, token=sent["refresh_token"], device=_proof(sent))
    return given(outcome)


def _by_password(sent: Sent) -> Issued:
    began = time.monotonic()
    with db.statement() as connection:
        found = staff.find(connection, username=sent["username"])
        is_known = networks.is_known_or_open(
            connection, network=network(), account_id=found.account_id, device=_proof(sent)
        )
    checked = staff.compared(found, sent["password"])
    new = sent.get("new_password")
    asked = {"username": sent["username"], "old": sent["password"]}
    replacing = None if new is None else staff.replacement(new, **asked)
    with db.transaction() as session:
        outcome = staff.sign_in(
            session,
            checked=checked,
            code=sent.get("totp"),
            recovery_code=sent.get("recovery_code"),
            new=replacing,
            device=_proof(sent),
            device_name=_name(sent),
        )
        if isinstance(outcome, CredentialsInvalid) and not is_known:
            networks.count_failure(session, network=network())
    if isinstance(outcome, CredentialsInvalid):
        hashing.current().wait_out(began)
    return given(outcome)


_GRANTS: dict[str, Callable[[Sent], Issued]] = {
    "otp": _by_code,
    "refresh_token": _by_refresh,
    "password": _by_password,
}


def _proof(sent: Sent) -> DeviceProof | None:
    device = sent.get("device", {})
    return DeviceProof(id=device["id"], secret=device["secret"]) if "id" in device else None


def _name(sent: Sent) -> str | None:
    name: str | None = sent.get("device", {}).get("name")
    return name


@blp.route("/logout")
class LogoutView(MethodView):
    """The end of a sign-in."""

    @blp.response(204)
    @blp.operation("signOut")
    @signed_in()
    def post(self) -> None:
        """Sign out

        The access token and its refresh token are refused from now on; the device stays
        registered.
        """
        known = caller()
        with db.transaction() as session:
            sign_ins.sign_out(
                session,
                account_id=known.account_id,
                sign_in_id=known.sign_in_id,
                kind=known.kind,
            )
