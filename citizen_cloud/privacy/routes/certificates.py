"""The certificate of an erasure, for whoever was given its secret."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import NotFound
from citizen_cloud.privacy.schemas import CertificateQuerySchema, CertificateSchema
from citizen_cloud.privacy.services import closures
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import limited, public

blp = Blueprint(
    "erasure_certificates",
    url_prefix="/open/erasure-certificates",
    description="删除证明 Proof of erasure",
)


@blp.route("")
class ErasureCertificates(MethodView):
    """Proofs of erasure."""

    @blp.arguments(CertificateQuerySchema)
    @blp.response(200, CertificateSchema)
    @blp.operation("getErasureCertificate", NotFound)
    @limited("30/minute", by="address")
    @public
    def post(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Fetch an erasure certificate

        With the id and secret that closing the account answered; no sign-in, there is no account
        any more. The certificate says what was erased and what stays under no name, and names
        nobody. Check it with the keys of `/.well-known/credential-keys.json`.
        """
        closure_id: UUID = sent["id"]
        with db.transaction() as session:
            return closures.certificate_of(session, closure_id=closure_id, secret=sent["secret"])
