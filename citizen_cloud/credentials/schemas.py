"""The key set as verifiers get it."""

from citizen_cloud.web.fields import ListOf, OneOf, Part, Str
from citizen_cloud.web.schemas import Outgoing

EXAMPLE_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


class CredentialKeySchema(Outgoing):
    """One Ed25519 public key (RFC 8037)."""

    kty = OneOf("OKP", required=True)
    crv = OneOf("Ed25519", required=True)
    x = Str(max_length=64, required=True, metadata={"example": EXAMPLE_X})
    kid = Str(max_length=64, required=True, metadata={"example": "c.k1"})
    alg = OneOf("EdDSA", required=True)
    use = OneOf("sig", required=True)


class CredentialKeysSchema(Outgoing):
    """A key set (RFC 7517)."""

    keys = ListOf(Part(CredentialKeySchema), max_length=32, required=True)
