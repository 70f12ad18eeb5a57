"""Whom a staff account stands for: asked by the one account, confirmed by the other."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.accounts import queries
from citizen_cloud.accounts.identity import birth_on
from citizen_cloud.accounts.refusals import BindingCodeInvalid, UnderAge
from citizen_cloud.accounts.rules.documents import is_adult
from citizen_cloud.accounts.schemas.bindings import (
    MOST,
    BindingCodeSchema,
    PersonBindingSchema,
    SeenConfirmationSchema,
    StaffAccountSchema,
    StaffAccountsSchema,
)
from citizen_cloud.accounts.services import bindings
from citizen_cloud.accounts.services.bindings import Asked, Bound
from citizen_cloud.errors import Forbidden, NotFound
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import Caller, caller
from citizen_cloud.web.marks import fresh, limited, signed_in

blp = Blueprint(
    "bindings",
    url_prefix="/me",
    description="工作人员账号归谁本人使用 Whom a staff account stands for",
)


def _staff() -> Caller:
    known = caller()
    if known.kind not in ("staff", "admin"):
        raise Forbidden
    return known


@blp.route("/person-binding")
class PersonBindingView(MethodView):
    """Whether the own staff account stands for somebody."""

    @blp.response(200, PersonBindingSchema)
    @blp.operation("getPersonBinding", Forbidden)
    @signed_in()
    def get(self) -> dict[str, Any]:
        """See whether the own staff account stands for a person

        For staff and administrators. Who proposes or decides what several people must agree to
        is somebody: an account nobody confirmed does neither.
        """
        known = _staff()
        with db.statement() as connection:
            return queries.own_binding(connection, account_id=known.account_id)

    @blp.response(200, BindingCodeSchema)
    @blp.operation("askPersonBinding", Forbidden)
    @limited("10/hour", by="account")
    @fresh
    @signed_in()
    def post(self) -> Asked:
        """Ask to bind the own staff account to oneself

        The code is shown this once and lasts ten minutes; give it to nobody. Type it where you are
        signed in as a citizen: `POST /me/staff-accounts`. Asking again gives another code. Whoever
        the account stands for does so until the other one confirms.
        """
        known = _staff()
        with db.transaction() as session:
            return bindings.ask(session, account_id=known.account_id)


@blp.route("/staff-accounts")
class StaffAccountsView(MethodView):
    """The staff accounts that stand for the caller."""

    @blp.response(200, StaffAccountsSchema)
    @blp.operation("listStaffAccounts")
    @signed_in(level=2)
    def get(self) -> dict[str, Any]:
        """List the staff accounts that stand for me

        What they propose and decide counts as this person's.
        """
        with db.statement() as connection:
            found = queries.staff_accounts(connection, caller().person.person_id, limit=MOST)
        return {"items": found}

    @blp.arguments(SeenConfirmationSchema)
    @blp.response(200, StaffAccountSchema)
    @blp.operation("confirmStaffAccount", BindingCodeInvalid, UnderAge)
    @limited("10/hour", by="account")
    @fresh
    @signed_in(level=2)
    def post(self, sent: dict[str, str]) -> Bound:
        """Confirm that a staff account is mine

        With the code the staff account was shown, and the user name `preview` shows for it: show
        the citizen whose account it is, and for which authorities it acts, before he says yes. The
        document must have been shown on this device just now (401 `step_up_required` with
        `required_level` 2): a phone that was left lying binds nobody. No child works at a counter:
        403 `under_age` where the document tells so. Confirm no code that somebody else gave you: it
        makes you answer for him. Both accounts are told.
        """
        known = caller()
        known.require_document()
        if not is_adult(birth_on(known.person), clock.local_day(clock.now())):
            raise UnderAge
        with db.transaction() as session:
            return bindings.confirm(
                session,
                code=sent["code"],
                username=sent["username"],
                person_id=known.person.person_id,
                citizen_id=known.account_id,
            )


@blp.route("/staff-accounts/<uuid:binding_id>")
class StaffAccountView(MethodView):
    """One of them."""

    @blp.response(204)
    @blp.operation("endStaffAccount", NotFound)
    @fresh
    @signed_in(level=2)
    def delete(self, binding_id: UUID) -> None:
        """Disown a staff account

        It stands for nobody from now on, and its appointment to decide is over. What it proposed
        and decided stays counted as this person's. Asks for the document as confirming does: a
        phone that was left lying ends no appointment either.
        """
        known = caller()
        known.require_document()
        with db.transaction() as session:
            bindings.end(
                session,
                binding_id=binding_id,
                person_id=known.person.person_id,
                citizen_id=known.account_id,
            )
