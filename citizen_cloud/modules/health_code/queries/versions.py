"""Rule versions as they were read once: a version never changes, so a process keeps it."""

from datetime import datetime
from functools import lru_cache

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.rules.versions import RuleVersion, read_version

_LIVE = text(
    """
    SELECT number, profile, rules::text AS rules FROM health_code.rule_version
     WHERE status = 'live'
    """
)
_AT = text(
    """
    SELECT number, profile, rules::text AS rules FROM health_code.rule_version
     WHERE live_from <= :at AND (live_until IS NULL OR live_until > :at)
     ORDER BY live_from DESC LIMIT 1
    """
)
_NUMBERED = text(
    """
    SELECT number, profile, rules::text AS rules FROM health_code.rule_version
     WHERE number = :number
    """
)


def live_version(session: Session | Connection) -> RuleVersion:
    """Return the rules in force."""
    row = session.execute(_LIVE).one()
    return parsed(row.number, row.profile, row.rules)


def version_at(session: Session | Connection, at: datetime) -> RuleVersion | None:
    """Return the rules that were in force at an instant; None before there were any."""
    row = session.execute(_AT, {"at": at}).first()
    return None if row is None else parsed(row.number, row.profile, row.rules)


def version_numbered(session: Session | Connection, number: int) -> RuleVersion | None:
    """Return one version, whatever became of it."""
    row = session.execute(_NUMBERED, {"number": number}).first()
    return None if row is None else parsed(row.number, row.profile, row.rules)


@lru_cache(maxsize=32)
def parsed(number: int, profile: str, rules: str) -> RuleVersion:
    """Read a version's rules; the text is part of the key, so another city's is another."""
    return read_version(number, profile, orjson.loads(rules))
