"""The accounts of others: how they stand, a way back in, and an end to them."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import OwnAccount, SecondPersonRequired
from citizen_cloud.accounts.services import resets
from citizen_cloud.accounts.services.resets import Reset
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations import services
from citizen_cloud.organisations.refusals import LastAdmin, RoleAboveOwn, WorksElsewhere
from citizen_cloud.organisations.routes.doors import actor, blp
from citizen_cloud.organisations.schemas.people import AccountSchema, ResetSchema, StatusSchema
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.marks import fresh, requires


@blp.route("/accounts/<uuid:account_id>")
class OneAccount(MethodView):
    """One account."""

    @blp.response(200, AccountSchema)
    @blp.operation("getAccount", NotFound)
    @requires("accounts.read")
    def get(self, account_id: UUID) -> dict[str, Any]:
        """See how an account stands

        Kind, status, roles and an open reset; no name, phone or document. A citizen finds the
        look among those at the own data.
        """
        with db.transaction() as session:
            return services.look_at_account(session, account_id=account_id, actor=actor())


@blp.route("/accounts/<uuid:account_id>/status")
class Status(MethodView):
    """Whether an account may be used."""

    @blp.arguments(StatusSchema)
    @blp.response(204)
    @blp.operation(
        "setAccountStatus", NotFound, OwnAccount, RoleAboveOwn, WorksElsewhere, LastAdmin
    )
    @fresh
    @requires("accounts.suspend")
    def put(self, sent: dict[str, Any], account_id: UUID) -> None:
        """Suspend an account, or reinstate it

        From its next request on a suspended account is told 403 `account_suspended`, at refresh
        and sign-in too. Reinstated, it signs in anew. Administrators do this to any account but
        their own; managers to staff who work for them alone. Needs the factors
        shown in the last five minutes.
        """
        with db.transaction() as session:
            services.change_status(
                session, account_id=account_id, grant=grant(), actor=actor(), **sent
            )


@blp.route("/accounts/<uuid:account_id>/reset")
class Resets(MethodView):
    """A way back in for staff."""

    @blp.response(200, ResetSchema)
    @blp.operation("resetAccount", NotFound, OwnAccount, RoleAboveOwn, WorksElsewhere)
    @fresh
    @requires("accounts.reset")
    def post(self, account_id: UUID) -> dict[str, Any]:
        """Reset the account of somebody who lost password or authenticator

        At once: every sign-in ends, and password, authenticator and recovery codes count no more.
        Hand the code over in person; `POST /auth/reset` takes it, once, for 24 hours. Asking again
        replaces it. For an administrator or auditor nothing happens yet and `code` is null: another
        administrator agrees with `POST /admin/resets/{id}/confirm`.
        """
        with db.transaction() as session:
            made = services.reset_account(
                session, account_id=account_id, grant=grant(), actor=actor()
            )
        return _shown(made)


@blp.route("/resets/<uuid:reset_id>/confirm")
class Confirmation(MethodView):
    """The second person."""

    @blp.response(200, ResetSchema)
    @blp.operation("confirmReset", NotFound, SecondPersonRequired, OwnAccount)
    @fresh
    @requires("accounts.reset.confirm")
    def post(self, reset_id: UUID) -> dict[str, Any]:
        """Agree to reset the account of an administrator or auditor

        Neither who asked nor whose account it is may agree. The code is in this answer only.
        """
        known = caller()
        with db.transaction() as session:
            made = resets.confirm_reset(
                session, reset_id=reset_id, actor_kind=known.kind, actor_id=known.account_id
            )
        return _shown(made)


def _shown(made: Reset) -> dict[str, Any]:
    return {**asdict(made), "needs_second": made.code is None}
