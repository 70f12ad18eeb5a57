"""The verbs of the oidc room."""
