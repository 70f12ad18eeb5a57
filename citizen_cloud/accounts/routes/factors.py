"""The factors staff sign in with, and the way back in by a reset."""

from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import PasswordTooWeak, ResetInvalid, TotpWrong
from citizen_cloud.accounts.schemas.factors import (
    AccountReadySchema,
    FactorsSchema,
    NewTotpSchema,
    RecoveryCodesSchema,
    ResetUseSchema,
    TotpConfirmationSchema,
)
from citizen_cloud.accounts.services import factors, passwords, recovery_codes, resets
from citizen_cloud.errors import Forbidden
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.marks import fresh, limited, public, signed_in

blp = Blueprint("factors", description="工作人员的登录凭据 The factors staff sign in with")


@blp.route("/me/factors")
class FactorsView(MethodView):
    """How the factors stand."""

    @blp.response(200, FactorsSchema)
    @blp.operation("getFactors", Forbidden)
    @signed_in()
    def get(self) -> dict[str, Any]:
        """See how the own factors stand

        For staff and administrators. Remind them to draw new recovery codes when few are left.
        """
        with db.statement() as connection:
            return factors.factors_of(connection, account_id=caller().account_id)


@blp.route("/me/recovery-codes")
class RecoveryCodesView(MethodView):
    """Codes that stand in for the authenticator."""

    @blp.response(200, RecoveryCodesSchema)
    @blp.operation("drawRecoveryCodes", Forbidden)
    @limited("5/minute", by="account")
    @fresh
    @signed_in()
    def post(self) -> dict[str, Any]:
        """Draw ten recovery codes

        Shown this once, so a repeat draws others; earlier ones are worthless from now on. Each is
        good for one sign-in: send it as `recovery_code` in place of `totp`.
        """
        known = caller()
        with db.transaction() as session:
            codes = recovery_codes.draw_codes(
                session, account_id=known.account_id, sign_in_id=known.sign_in_id
            )
        return {"codes": codes}


@blp.route("/me/totp")
class TotpView(MethodView):
    """Another authenticator, first step."""

    @blp.response(200, NewTotpSchema)
    @blp.operation("beginTotp", Forbidden)
    @limited("5/minute", by="account")
    @fresh
    @signed_in()
    def post(self) -> factors.NewTotp:
        """Begin to replace the authenticator

        Add the secret to the new one and confirm it within ten minutes. Until then the present
        one counts; asking again gives another secret.
        """
        with db.transaction() as session:
            return factors.begin_totp(session, account_id=caller().account_id)


@blp.route("/me/totp/confirmation")
class TotpConfirmationView(MethodView):
    """Another authenticator, second step."""

    @blp.arguments(TotpConfirmationSchema)
    @blp.response(204)
    @blp.operation("confirmTotp", TotpWrong, Forbidden)
    @limited("5/minute", by="account")
    @fresh
    @signed_in()
    def post(self, sent: dict[str, str]) -> None:
        """Confirm the new authenticator

        From now on it alone counts, and every other sign-in of the account ends.
        """
        known = caller()
        with db.transaction() as session:
            factors.confirm_totp(
                session,
                account_id=known.account_id,
                sign_in_id=known.sign_in_id,
                code=sent["totp"],
            )


@blp.route("/auth/reset")
class ResetView(MethodView):
    """The way back in."""

    @blp.arguments(ResetUseSchema)
    @blp.response(200, AccountReadySchema)
    @blp.operation("useReset", ResetInvalid, PasswordTooWeak)
    @limited("30/minute", by="address")
    @public
    def post(self, sent: dict[str, str]) -> dict[str, str]:
        """Choose a password with a reset code

        The code comes from a manager or administrator, lasts 24 hours and works once. Sign in
        with the password afterwards: the first time sets an authenticator up.
        """
        with db.statement() as connection:
            username = resets.username_of(connection, code=sent["code"])
        hashed = passwords.first_hash(sent["password"], username=username)
        with db.transaction() as session:
            resets.use_reset(session, code=sent["code"], password_hash=hashed)
        return {"username": username, "next": "sign_in"}
