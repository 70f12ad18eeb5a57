"""The keys of codes, for every verifier, at the host's root."""

from typing import Any

from flask.views import MethodView

from citizen_cloud.credentials import keys
from citizen_cloud.credentials.schemas import CredentialKeysSchema
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import public

# A new key is published this long before it signs, an old one kept until its codes are over.
MAX_AGE_S = 3600

blp = Blueprint(
    "credentials", url_prefix="/.well-known", description="凭证公钥 · Keys of codes", root=True
)
blueprints: tuple[Blueprint, ...] = (blp,)


@blp.route("/credential-keys.json")
class CredentialKeys(MethodView):
    """The public keys of codes."""

    @blp.response(200, CredentialKeysSchema)
    @blp.operation("getCredentialKeys")
    @public
    def get(self) -> Any:
        """Get the keys that sign codes

        A JWK set (RFC 7517). With it a code is verified offline: undo base45 (RFC 9285) behind
        `CC1:`, take the first byte as the header's length, the last 64 bytes as the signature,
        and what lies between as the payload; base64url of the three joined by dots is a JWS.
        Check `typ` as well: `voucher+jwt`. Login tokens are signed by other keys.
        """
        return keys.document(), 200, {"Cache-Control": f"public, max-age={MAX_AGE_S}"}
