"""What there is to decide."""

from typing import Any

from flask.views import MethodView
from marshmallow import Schema

from citizen_cloud.approvals import kinds, schemas
from citizen_cloud.approvals.routes.doors import blp
from citizen_cloud.web.caller import caller, ports
from citizen_cloud.web.marks import requires


@blp.route("/kinds")
class Kinds(MethodView):
    """What there is to decide."""

    @blp.response(200, schemas.ApprovalKindsSchema)
    @blp.operation("listApprovalKinds")
    @requires("approvals.read")
    def get(self) -> dict[str, Any]:
        """List the kinds of decisions

        With the closed list of reasons of each, and the members of its payload.
        """
        known, asked = caller(), ports()
        return {
            "items": [
                {
                    "name": kind.name,
                    "title": kind.title.as_json(),
                    "may_propose": bool(asked.granted(known, kind.permission)),
                    "life_hours": int(kind.life.total_seconds() // 3600),
                    "reasons": [
                        {"code": code, "title": title.as_json()}
                        for code, title in kind.reasons.items()
                    ],
                    "payload": _members(kind.payload()),
                }
                for kind in kinds.current().values()
            ]
        }


def _members(schema: Schema) -> list[dict[str, Any]]:
    return [
        {
            "name": field.data_key or name,
            "type": type(field).__name__.lower(),
            "required": field.required,
            "description": field.metadata.get("description"),
        }
        for name, field in schema.load_fields.items()
    ]
