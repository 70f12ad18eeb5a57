"""Well-known addresses (RFC 8615), outside the API's prefix."""

from flask import Response, redirect
from flask.views import MethodView
from werkzeug.wrappers import Response as AnyResponse

from citizen_cloud.accounts.schemas.sign_in import JwksSchema
from citizen_cloud.accounts.tokens import key_set
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import public

blp = Blueprint(
    "well-known",
    url_prefix="/.well-known",
    description="公开密钥 Keys and addresses found without asking",
    root=True,
)
CACHED = "public, max-age=300"
CHANGE_PASSWORD = "/docs#/me/changePassword"  # noqa: S105 - an address


@blp.route("/jwks.json")
class JwksView(MethodView):
    """Public keys of access tokens."""

    @blp.response(200, JwksSchema)
    @blp.operation("getKeys")
    @public
    def get(self) -> tuple[dict[str, list[dict[str, str]]], int, dict[str, str]]:
        """Get the keys that access tokens are signed with

        During a rotation there are two. Codes shown at counters are signed with other keys
        (`/.well-known/credential-keys.json`).
        """
        return key_set(), 200, {"Cache-Control": CACHED}


@blp.route("/change-password")
class ChangePasswordView(MethodView):
    """Where password managers go."""

    @blp.response(302)
    @blp.operation("findChangePassword")
    @public
    def get(self) -> AnyResponse | Response:
        """Go to where a password is changed

        For password managers (W3C change-password URL); staff change theirs by
        `POST /api/v1/me/password`.
        """
        return redirect(CHANGE_PASSWORD)
