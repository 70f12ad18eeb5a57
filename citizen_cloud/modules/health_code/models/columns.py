"""What the tables of this module share: their schema and the defaults of their columns."""

from sqlalchemy import text

SCHEMA = {"schema": "health_code"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")
