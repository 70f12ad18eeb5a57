"""Reads of the oidc room."""
