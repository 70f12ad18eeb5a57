"""Tables of the families room."""

SCHEMA = {"schema": "families"}
