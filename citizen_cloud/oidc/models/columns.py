"""What the tables of this room share: their schema and the defaults of their columns."""

from sqlalchemy import text

SCHEMA = {"schema": "oidc"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")
NONE_YET = text("'{}'")
