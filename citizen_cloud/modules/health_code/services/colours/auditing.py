"""Compare every standing with what the events come to; changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.queries.events import events_of
from citizen_cloud.modules.health_code.queries.standings import reason
from citizen_cloud.modules.health_code.queries.versions import version_numbered
from citizen_cloud.modules.health_code.rules.colours import fold

MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not what the events say; it names people by id only."""

    kind: str
    id: UUID
    found: str = ""
    right: str = ""

    def __str__(self) -> str:
        """Return it on one line."""
        return f"{self.kind} {self.id}: {self.found or '-'} instead of {self.right or '-'}"


_ROWS = text(
    """
    SELECT person_id, colour, as_of, reasons, next_change_at, green_from, holds_until, streak,
           rule_version
      FROM health_code.standing
     WHERE cast(:after AS uuid) IS NULL OR person_id > :after
     ORDER BY person_id LIMIT :most
    """
)
_WITHOUT = text(
    """
    SELECT DISTINCT e.person_id FROM health_code.event e
      LEFT JOIN health_code.standing s ON s.person_id = e.person_id
     WHERE s.person_id IS NULL ORDER BY 1
    """
)
# What needs two authorities, and a proposal that has not got them, was never applied, or was
# about something else.
_ALONE = text(
    """
    SELECT e.id, least(count(DISTINCT d.unit_id), count(DISTINCT s.who)) AS units,
           coalesce(p.status || ' ' || p.kind, 'no proposal') AS proposal
      FROM health_code.event e
      LEFT JOIN approvals.proposal p ON p.id = e.approval_id
      LEFT JOIN approvals.decision d ON d.proposal_id = p.id AND d.verdict = 'approve'
      LEFT JOIN LATERAL (
           -- Accounts of before they stood for people count as such.
           SELECT coalesce(b.person_id, a.account_id) AS who FROM approvals.approver a
             LEFT JOIN accounts.binding b ON b.id = a.binding_id
            WHERE a.id = d.approver_id) s ON true
     WHERE e.approval_id IS NOT NULL
     GROUP BY e.id, e.kind, p.id
    HAVING least(count(DISTINCT d.unit_id), count(DISTINCT s.who)) < coalesce(p.approvals_needed, 2)
        OR p.status IS DISTINCT FROM 'applied'
        OR p.kind IS DISTINCT FROM CASE e.kind WHEN 'assigned' THEN 'health_code.assign'
                                               WHEN 'withdrawn' THEN 'health_code.correct'
                                               ELSE 'health_code.release_batch' END
     ORDER BY e.id
    """
)
# More was written down under a proposal, or in a batch, than it was about. Less is an erasure.
_BEYOND = text(
    """
    SELECT p.id, count(*) AS events,
           coalesce(cast(p.outcome ->> CASE p.kind WHEN 'health_code.assign' THEN 'persons'
                                                   WHEN 'health_code.correct' THEN 'events'
                                                   ELSE 'rows' END AS integer), 0) AS meant
      FROM health_code.event e JOIN approvals.proposal p ON p.id = e.approval_id
     WHERE p.status = 'applied' AND p.kind LIKE 'health_code.%' GROUP BY p.id
    HAVING count(*) > coalesce(
           cast(p.outcome ->> CASE p.kind WHEN 'health_code.assign' THEN 'persons'
                                          WHEN 'health_code.correct' THEN 'events'
                                          ELSE 'rows' END AS integer), 0)
     UNION ALL
    SELECT e.batch_id, count(*), coalesce(b.accepted, 0)
      FROM health_code.event e
      LEFT JOIN health_code.batch b ON b.id = e.batch_id AND b.status IN ('applied','released')
     WHERE e.batch_id IS NOT NULL GROUP BY e.batch_id, b.accepted
    HAVING count(*) > coalesce(b.accepted, 0)
     ORDER BY 1
    """
)
# Reads every event there is: longer than any request may.
_PATIENCE = text("SET LOCAL statement_timeout = '30min'")
_SHOWN = ("colour", "reasons", "next_change_at", "green_from", "holds_until", "streak")


def differences(session: Session) -> list[Difference]:
    """Return every standing that is not the fold of its events, and what nobody agreed to or sent.

    Each row is compared as of its own instant and rule version. For a session that sees one state
    throughout (repeatable read): beside it, life goes on.
    """
    session.execute(_PATIENCE)
    found = [
        Difference(kind="standing", id=row["person_id"], found=name, right=right)
        for rows in _batches(session)
        for row, name, right in _wrong(session, rows)
    ]
    found += [
        Difference(kind="standing_missing", id=person_id) for person_id in session.scalars(_WITHOUT)
    ]
    found += [
        Difference(
            kind="event_alone",
            id=row.id,
            found=f"{row.units} units, {row.proposal}",
            right="2 units",
        )
        for row in session.execute(_ALONE)
    ]
    found += [
        Difference(
            kind="events_beyond",
            id=row.id,
            found=f"{row.events} events",
            right=f"at most {row.meant}",
        )
        for row in session.execute(_BEYOND)
    ]
    return found


def _batches(session: Session) -> Iterator[Sequence[RowMapping]]:
    after = None
    while rows := session.execute(_ROWS, {"after": after, "most": MOST}).mappings().all():
        yield rows
        after = rows[-1]["person_id"]


def _wrong(session: Session, rows: Sequence[RowMapping]) -> Iterator[tuple[RowMapping, str, str]]:
    said = events_of(session, [row["person_id"] for row in rows])
    versions = {number: version_numbered(session, number) for number in _numbers(rows)}
    for row in rows:
        version = versions[row["rule_version"]]
        if version is None:
            yield row, f"rules {row['rule_version']}", "rules that exist"
            continue
        right = fold(said.get(row["person_id"], ()), version, row["as_of"])
        kept: dict[str, Any] = {**row, "reasons": tuple(reason(one) for one in row["reasons"])}
        for name in _SHOWN:
            if kept[name] != getattr(right, name):
                yield row, f"{name} {kept[name]}", str(getattr(right, name))


def _numbers(rows: Sequence[RowMapping]) -> set[int]:
    return {row["rule_version"] for row in rows}
