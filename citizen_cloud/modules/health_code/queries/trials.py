"""Rule versions and their trials, as those who write and those who audit them see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.rules.trials import Trial

MOST_SAMPLED = 20
_VERSION = "id, number, profile, rules, expected, note, status, created_at, live_from, live_until"
_RUN = text(
    """
    SELECT r.id, r.number, r.against, r.status, r.at, r.total, r.looked_at, r.unchanged, r.flips,
           r.unexpected, r.finished_at, v.expected
      FROM health_code.shadow_run r JOIN health_code.rule_version v ON v.number = r.number
     WHERE r.id = :id
    """
)
_SAMPLE = text(
    """
    SELECT person_id, before, after FROM health_code.shadow_flip
     WHERE run_id = :id ORDER BY person_id LIMIT :most
    """
)
_LATEST = text(
    """
    SELECT against, at, looked_at, unexpected, flips FROM health_code.shadow_run
     WHERE number = :number AND status = 'finished' ORDER BY at DESC, id DESC LIMIT 1
    """
)


def run_of(session: Session | Connection, run_id: UUID) -> RowMapping:
    """Return one run. Raises ``NotFound``."""
    row = session.execute(_RUN, {"id": run_id}).mappings().first()
    if row is None:
        raise NotFound
    return row


def sample_of(session: Session | Connection, run_id: UUID) -> Sequence[RowMapping]:
    """Return some of those whose colour a run would change."""
    return session.execute(_SAMPLE, {"id": run_id, "most": MOST_SAMPLED}).mappings().all()


def latest_trial(session: Session | Connection, number: int) -> Trial | None:
    """Return the last finished run of a version."""
    row = session.execute(_LATEST, {"number": number}).mappings().first()
    return None if row is None else Trial(**row)


def people_there(session: Session | Connection) -> int:
    """Return how many people have a standing."""
    counted: Any = session.scalar(text("SELECT count(*) FROM health_code.standing"))
    return int(counted)


def version_of(session: Session | Connection, version_id: UUID) -> RowMapping:
    """Return one version by its id. Raises ``NotFound``."""
    sql = text(f"SELECT {_VERSION} FROM health_code.rule_version WHERE id = :id")  # noqa: S608
    row = session.execute(sql, {"id": version_id}).mappings().first()
    if row is None:
        raise NotFound
    return row


def versions(
    session: Session | Connection, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Return a page of versions, latest first, and one row more if there is more."""
    sql = text(
        f"""
        SELECT {_VERSION} FROM health_code.rule_version
         WHERE cast(:before AS integer) IS NULL OR number < :before
         ORDER BY number DESC LIMIT :most
        """  # noqa: S608
    )
    return session.execute(sql, {"before": before, "most": limit + 1}).mappings().all()


def rules_in_force(session: Session | Connection) -> RowMapping:
    """Return the version everybody is coloured by."""
    sql = text(f"SELECT {_VERSION} FROM health_code.rule_version WHERE status = 'live'")  # noqa: S608
    return session.execute(sql).mappings().one()
