"""The certificate that a service and what it held are gone, for everybody."""

from typing import Any

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import NotFound
from citizen_cloud.privacy.schemas import DestructionSchema
from citizen_cloud.privacy.services import destruction
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import limited, public

blp = Blueprint(
    "destruction_certificates",
    url_prefix="/open/modules",
    description="销毁证明 Proof that a service is gone",
)
NAME = {"in": "path", "name": "ended_module", "required": True, "example": "health_code"}


@blp.route(
    "/<string(maxlength=32):ended_module>/destruction-certificate",
    parameters=[NAME],
)
class DestructionCertificates(MethodView):
    """Proofs of an end."""

    @blp.response(200, DestructionSchema)
    @blp.operation("getDestructionCertificate", NotFound)
    @limited("30/minute", by="address")
    @public
    def get(self, ended_module: str) -> dict[str, Any]:
        """Fetch the destruction certificate of a service

        A service that ended is destroyed with all it held once two people of different units
        agreed. The certificate says how many rows of what went, what stays and why, and the head
        of the audit chain; it names nobody. ``404`` while there is none. Check it with the keys
        of `/.well-known/credential-keys.json`.
        """
        with db.transaction() as session:
            return destruction.certificate_of(session, ended_module)
