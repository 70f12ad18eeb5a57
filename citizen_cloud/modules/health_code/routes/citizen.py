"""Declare, and see why one's code is as it is."""

from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.routes.shown import status_json
from citizen_cloud.modules.health_code.routes.whose import whose
from citizen_cloud.modules.health_code.schemas.standings import HealthStatusSchema
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import acts_for, limited, signed_in

SCOPE = "health_code"

blp = Blueprint(
    "health_code",
    url_prefix="/health-code",
    description="健康码 · Declare health and trips, see the colour and why",
)


@blp.route("/status")
class Status(MethodView):
    """Where somebody stands."""

    @blp.response(200, HealthStatusSchema)
    @blp.operation("getHealthStatus", ConsentRequired)
    @signed_in(level=2)
    @acts_for(SCOPE)
    @limited("60/minute", by="account")
    def get(self) -> Any:
        """Show the colour and why

        Every active rule with its reason, the earliest moment it ends, and when the colour turns
        by itself. `none` where nothing was declared yet, or a declaration is too old. Needs
        consent to `health_code`.
        """
        with db.statement() as connection:
            person = whose(connection)
            return status_json(standing_of(connection, person.person_id))
