"""Closing the own account."""

from datetime import timedelta
from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.portal.state import host
from citizen_cloud.privacy.refusals import ClosureInProgress, StaffCannotClose
from citizen_cloud.privacy.routes.doors import holder
from citizen_cloud.privacy.schemas import NewClosureAnswerSchema, NewClosureSchema, OwnClosureSchema
from citizen_cloud.privacy.services import closures
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import fresh, limited, signed_in

blp = Blueprint("closure", url_prefix="/me/closure", description="注销账号 Closing my account")


@blp.route("")
class Closure(MethodView):
    """The closure of my account."""

    @blp.response(200, OwnClosureSchema)
    @blp.operation("getClosure", StepUpRequired)
    @signed_in()
    def get(self) -> dict[str, Any]:
        """Read the closure of my account

        `closure` is null where none is under way.
        """
        me = holder()
        with db.transaction() as session:
            return {"closure": closures.own_closure(session, account_id=me.account_id)}

    @blp.arguments(NewClosureSchema, required=False)
    @blp.response(202, NewClosureAnswerSchema)
    @blp.operation("closeAccount", ClosureInProgress, StaffCannotClose, StepUpRequired)
    @limited("10/hour", by="account")
    @fresh
    @signed_in()
    def post(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Close my account

        Signs out everywhere. Until `due_at` it can be undone: sign in again and delete the
        closure. Bookings may be made meanwhile; whatever is still ahead then is cancelled. After
        it, everything that tells who you are is erased. Keep `id` and `secret`: they fetch the
        erasure certificate when nobody can sign in any more. Needs factors shown within five
        minutes; accounts of staff are refused (409).
        """
        me = holder()
        with db.transaction() as session:
            asked = closures.request_closure(
                session,
                account_id=me.account_id,
                kind=me.kind,
                reason=sent.get("reason"),
                cool_off=timedelta(days=host().settings.closure_days),
            )
        return {**asked.closure, "secret": asked.secret}

    @blp.response(204)
    @blp.operation("undoClosure", StepUpRequired)
    @signed_in()
    def delete(self) -> None:
        """Keep my account

        Undoes the closure before `due_at`; where none is under way, nothing changes. Where the
        account belongs to a person, the document must have been shown on this device. A recovery
        at a counter undoes it too.
        """
        me = holder()
        with db.transaction() as session:
            closures.undo_closure(session, account_id=me.account_id)
