"""Tables of the counter room."""

SCHEMA = {"schema": "counter"}
