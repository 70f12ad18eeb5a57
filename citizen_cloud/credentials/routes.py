"""The keys of codes and the signed snapshot, for every verifier, at the host's root."""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.credentials import keys, queries
from citizen_cloud.credentials.schemas import CredentialKeysSchema
from citizen_cloud.credentials.services.snapshots import publish_first
from citizen_cloud.errors import Unavailable
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import public

# A new key is published this long before it signs, an old one kept until its codes are over.
MAX_AGE_S = 3600
SNAPSHOT_AGE_S = 30

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
        Check `typ` as well: `voucher+jwt`. Login tokens are signed by other keys. A revoked key
        is not in the set from the next seconds on; caches keep an hour, so a gate works from
        `/.well-known/credential-snapshot.jwt`.
        """
        revoked = queries.told(db.statement).revoked
        return keys.document(revoked), 200, {"Cache-Control": f"public, max-age={MAX_AGE_S}"}


@blp.route("/credential-roots.json")
class CredentialRoots(MethodView):
    """The keys of trust."""

    @blp.response(200, CredentialKeysSchema)
    @blp.operation("getCredentialRoots")
    @public
    def get(self) -> Any:
        """Get the keys that sign snapshots

        A JWK set. A gate pins these once, when it is set up, by a way it trusts; during a rotation
        there are two. They sign no code, and no key of codes signs a snapshot.
        """
        return keys.roots_document(), 200, {"Cache-Control": f"public, max-age={MAX_AGE_S}"}


@blp.route("/credential-snapshot.jwt")
class CredentialSnapshot(MethodView):
    """What a gate works from when there is no network."""

    @blp.alt_response(304, description="What If-None-Match names is still right")
    @blp.response(200, {"type": "string"}, content_type="application/jwt")
    @blp.operation("getCredentialSnapshot", Unavailable)
    @public
    def get(self) -> Any:
        """Get the signed snapshot of keys, key revocations and void codes

        A compact JWS of type `snapshot+jwt` under a key of `/.well-known/credential-roots.json`:
        `iat`, `exp`, a rising `number`, the `keys` of codes, `revoked_keys`, `void`, base64url of
        the sorted first 8 bytes of the id of each code that was revoked or suspended, and
        `ended_types`: types of codes whose service ended, with the second from which its codes
        count again, null while none does. A new one every 30 s; send the ETag back. One past its
        `exp` is still served: its times are honest, and how old is too old is for the gate to say.
        """
        return snapshot_answer()


def snapshot_answer() -> Response:
    """Answer the newest snapshot from memory, or 304 where the caller has it (RFC 9110)."""
    found = queries.current_snapshot(db.statement)
    if found is None:
        with db.transaction() as session:
            found = publish_first(session)
    response = Response(found.text, mimetype="application/jwt")
    response.set_etag(str(found.number))
    response.headers["Cache-Control"] = f"public, max-age={SNAPSHOT_AGE_S}"
    response.make_conditional(request)
    return response
