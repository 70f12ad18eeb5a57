"""Shares: a word by which somebody who is elsewhere has a code checked, once."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.modules.health_code.queries.shares import share_of
from citizen_cloud.modules.health_code.routes.codes import asking
from citizen_cloud.modules.health_code.rules.not_given import NoStatus
from citizen_cloud.modules.health_code.schemas import showing as schemas
from citizen_cloud.modules.health_code.services.codes import shares, showing
from citizen_cloud.modules.health_code.services.codes.acting import note_acting
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.marks import acts_for, limited, signed_in

ROOT = "/api/v1/health-code/share"

blp = Blueprint(
    "health_code_shares",
    url_prefix="/health-code/share",
    description="分享健康码 · Sharing a health code",
)


@blp.route("")
class HealthShares(MethodView):
    """Shares."""

    @blp.response(201, schemas.HealthShareSchema)
    @blp.operation("shareHealthCode", ConsentRequired, NoStatus, StepUpRequired)
    @limited("10/minute", by="account")
    @signed_in(2)
    @acts_for("health_code")
    def post(self) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Share the code once

        The word counts for three minutes and for one check: the inspector sends it as `code`. It
        is shown here and never again. Who used it stands under `/me/data-access`. Whoever has a
        registered phone is asked for the document again first (`401 step_up_required`): a share is
        a code, and a stolen sign-in would be enough for it.
        """
        who = asking()
        with db.transaction() as session:
            if showing.require_status(session, who):
                caller().require_document()
            made = shares.share(session, person_id=who.person_id, account_id=who.account_id)
            note_acting(session, who, outcome="changed")
        content = {"id": made.id, "token": made.token, "expires_at": made.expires_at}
        return content, 201, {"Location": f"{ROOT}/{made.id}"}


@blp.route("/<uuid:share_id>")
class HealthShare(MethodView):
    """One share."""

    @blp.response(200, schemas.HealthShareStateSchema)
    @blp.operation("getHealthShare")
    @signed_in(2)
    def get(self, share_id: UUID) -> dict[str, Any]:
        """Read what became of a share

        One you made yourself, within a day.
        """
        with db.statement() as connection:
            return share_of(connection, share_id=share_id, account_id=caller().account_id)

    @blp.response(204)
    @blp.operation("revokeHealthShare")
    @signed_in(2)
    def delete(self, share_id: UUID) -> None:
        """Take a share back

        Where it was not used yet, nobody can use it any more. Again changes nothing.
        """
        with db.transaction() as session:
            shares.revoke(session, share_id=share_id, account_id=caller().account_id)
