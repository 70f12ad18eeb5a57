"""Tables of the privacy room."""

SCHEMA = {"schema": "privacy"}
