"""Tables of the federation room."""

SCHEMA = {"schema": "federation"}
