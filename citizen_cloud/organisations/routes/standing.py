"""Whose staff account shows a code: seen before a citizen says that it is his."""

from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import BindingCodeInvalid
from citizen_cloud.accounts.schemas.bindings import BindingConfirmationSchema
from citizen_cloud.accounts.services import bindings
from citizen_cloud.organisations import queries
from citizen_cloud.organisations.schemas.standing import MOST, AskingSchema
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import limited, signed_in

blp = Blueprint("standing", description="确认前的核对 Whose account it is, before confirming")


@blp.route("/me/staff-accounts/preview")
class PreviewView(MethodView):
    """The account behind a code."""

    @blp.arguments(BindingConfirmationSchema)
    @blp.response(200, AskingSchema)
    @blp.operation("previewStaffAccount", BindingCodeInvalid)
    @limited("30/hour", by="account")
    @signed_in(level=2)
    def post(self, sent: dict[str, str]) -> dict[str, Any]:
        """See whose account a code is of

        Show it to the citizen before `POST /me/staff-accounts`, which wants the user name back:
        whoever was talked into typing a code sees here that the account is not his, and for which
        authorities it would act in his name. Nothing is changed.
        """
        with db.transaction() as session:
            found = bindings.asking(session, code=sent["code"])
            places = queries.works_at(session, found.account_id, limit=MOST)
        return {**asdict(found), "works_at": places}
