"""Try a rule version on everybody before it counts: what it would change, and for whom."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Conflict, NotFound
from citizen_cloud.modules.health_code.queries.events import events_of
from citizen_cloud.modules.health_code.queries.trials import run_of
from citizen_cloud.modules.health_code.queries.versions import live_version, version_numbered
from citizen_cloud.modules.health_code.rules.colours import fold
from citizen_cloud.modules.health_code.rules.trials import is_expected
from citizen_cloud.modules.health_code.rules.versions import RuleVersion
from citizen_cloud.text import Text

MOST = 500


class NotATrialVersion(Conflict):
    """Only what is not in force yet can be tried."""

    code = "rules_in_force_already"
    title = Text("规则已生效或已停用", "These rules are or were in force")
    detail = Text("仅草稿可以试运行。", "Only a draft can be tried.")


class TrialRunning(Conflict):
    """A run of this version is under way."""

    code = "shadow_run_running"
    title = Text("正在试运行", "A shadow run is under way")
    detail = Text("该版本正在试运行，请稍后查看结果。", "Look at its result when it is finished.")


_TAKE = text(
    """
    UPDATE health_code.rule_version SET status = 'shadow'
     WHERE id = :id AND status IN ('draft','shadow') RETURNING number
    """
)
_IS_THERE = text("SELECT EXISTS (SELECT FROM health_code.rule_version WHERE id = :id)")
_FORGET = text(
    """
    DELETE FROM health_code.shadow_flip f USING health_code.shadow_run r
     WHERE r.id = f.run_id AND r.number = :number AND r.status = 'finished'
    """
)
_START = text(
    """
    INSERT INTO health_code.shadow_run (number, against, started_by, at, total)
    SELECT :number, :against, :started_by,
           coalesce(cast(:now AS timestamptz), statement_timestamp()),
           (SELECT count(*) FROM health_code.standing)
    ON CONFLICT (number) WHERE status = 'running' DO NOTHING RETURNING id
    """
)


def start_trial(
    session: Session, *, version_id: UUID, started_by: UUID, now: datetime | None = None
) -> RowMapping:
    """Begin a run over everybody; the job carries it out. The flips of earlier runs are forgotten.

    Raises ``NotFound``, ``NotATrialVersion``, ``TrialRunning``.
    """
    number = session.scalar(_TAKE, {"id": version_id})
    if number is None:
        raise NotATrialVersion if session.scalar(_IS_THERE, {"id": version_id}) else NotFound
    against = live_version(session).number
    session.execute(_FORGET, {"number": number})
    asked = {"number": number, "against": against, "started_by": started_by, "now": now}
    run_id = session.scalar(_START, asked)
    if run_id is None:
        raise TrialRunning
    record(
        session,
        Act(
            actor_kind="admin",
            actor_id=started_by,
            action="health_code.shadow_run_started",
            object_type="shadow_run",
            object_id=run_id,
            payload={"number": number, "against": against},
        ),
    )
    return run_of(session, run_id)


_RUNNING = text(
    """
    SELECT r.id, r.number, r.against, r.at, r.cursor, v.expected
      FROM health_code.shadow_run r JOIN health_code.rule_version v ON v.number = r.number
     WHERE r.status = 'running' ORDER BY r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    """
)
_PEOPLE = text(
    """
    SELECT person_id FROM health_code.standing
     WHERE cast(:after AS uuid) IS NULL OR person_id > :after
     ORDER BY person_id LIMIT :most
    """
)
_FLIPS = text(
    """
    INSERT INTO health_code.shadow_flip (run_id, person_id, before, after)
    SELECT :run_id, n.person_id, n.before, n.after
      FROM unnest(cast(:people AS uuid[]), cast(:before AS text[]), cast(:after AS text[]))
           AS n (person_id, before, after)
    """
)
_COUNT = text(
    """
    UPDATE health_code.shadow_run r
       SET cursor = :cursor, looked_at = looked_at + :looked_at, unchanged = unchanged + :unchanged,
           unexpected = unexpected + :unexpected,
           flips = (SELECT coalesce(jsonb_object_agg(k, n), '{}') FROM (
                        SELECT key AS k, sum(value::int) AS n FROM (
                            SELECT * FROM jsonb_each_text(r.flips)
                             UNION ALL SELECT * FROM jsonb_each_text(cast(:flips AS jsonb))) both_
                         GROUP BY key) summed)
     WHERE id = :id
    """
)
_FINISH = text(
    """
    UPDATE health_code.shadow_run
       SET status = 'finished',
           finished_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id
    """
)


def advance_trial(session: Session, *, most: int = MOST, now: datetime | None = None) -> bool:
    """Look at the next people of a run; return whether there was one to go on with.

    Nobody's standing is touched. A batch is one transaction, so a run that is stopped goes on
    behind the last person it counted.
    """
    run = session.execute(_RUNNING).mappings().first()
    if run is None:
        return False
    people = list(session.scalars(_PEOPLE, {"after": run["cursor"], "most": most}))
    if not people:
        session.execute(_FINISH, {"id": run["id"], "now": now})
        return True
    _count(session, run, people)
    return True


def _count(session: Session, run: RowMapping, people: list[UUID]) -> None:
    versions = (_version(session, run["against"]), _version(session, run["number"]))
    said = events_of(session, people, until=run["at"])
    flips: dict[UUID, tuple[str, str]] = {}
    for one in people:
        before, after = (fold(said.get(one, ()), each, run["at"]).colour for each in versions)
        if before != after:
            flips[one] = (before, after)
    if flips:
        pairs = list(flips.values())
        found: dict[str, Any] = {"run_id": run["id"], "people": list(flips)}
        found |= {"before": [one[0] for one in pairs], "after": [one[1] for one in pairs]}
        session.execute(_FLIPS, found)
    counted: Mapping[str, int] = Counter(f"{before}>{after}" for before, after in flips.values())
    session.execute(
        _COUNT,
        {
            "id": run["id"],
            "cursor": people[-1],
            "looked_at": len(people),
            "unchanged": len(people) - len(flips),
            "unexpected": sum(not is_expected(*one, run["expected"]) for one in flips.values()),
            "flips": json.dumps(counted),
        },
    )


def _version(session: Session, number: int) -> RuleVersion:
    found = version_numbered(session, number)
    if found is None:
        raise NotFound
    return found
