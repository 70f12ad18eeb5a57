"""Tables of the oidc room."""

SCHEMA = {"schema": "oidc"}
