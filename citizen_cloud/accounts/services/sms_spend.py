"""The city's hourly budget of texts with codes: a breaker for whoever spends it from outside.

The count lies in sixteen rows an hour, each with its share of the budget, so that no row is hot
and the sum is exact. The last share of the budget is kept for devices that prove themselves.
"""

from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts import allowances
from citizen_cloud.accounts.refusals import SmsPaused
from citizen_cloud.audit.services import Act, record

SHARDS = 16
# This row's presence says that the hour's alarm was raised.
ALARM = -1
# Two at once may choose the last free place of a row; whoever loses chooses again.
ATTEMPTS = 4

log = structlog.get_logger(__name__)

_SHARE = "(:most / :shards + CASE WHEN {} < :most % :shards THEN 1 ELSE 0 END)"
_TAKE = text(
    f"""
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    INSERT INTO accounts.sms_hour AS h (hour_at, shard, sent)
    SELECT at, chosen.shard, 1
      FROM hour, LATERAL (
           SELECT s.shard FROM generate_series(0, :shards - 1) AS s(shard)
             LEFT JOIN accounts.sms_hour k ON k.hour_at = at AND k.shard = s.shard
            WHERE coalesce(k.sent, 0) < {_SHARE.format("s.shard")}
            ORDER BY random() LIMIT 1) chosen
    ON CONFLICT (hour_at, shard) DO UPDATE SET sent = h.sent + 1
     WHERE h.sent < {_SHARE.format("h.shard")}
    RETURNING shard
    """  # noqa: S608 - put together from constants
)
_LEFT = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    SELECT ceil(extract(epoch FROM at + interval '1 hour' - t)) FROM hour
    """
)
_ALARM = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    INSERT INTO accounts.sms_hour (hour_at, shard, sent) SELECT at, :alarm, 0 FROM hour
    ON CONFLICT DO NOTHING RETURNING shard
    """
)


def take_text(session: Session, *, is_proven: bool, now: datetime | None = None) -> None:
    """Count one text. Raises ``SmsPaused`` when the hour's budget is spent."""
    allowed = allowances.current()
    most = allowed.texts if is_proven else allowed.texts_for_strangers
    asked = {"most": most, "shards": SHARDS, "now": now}
    for _ in range(ATTEMPTS):
        if session.scalar(_TAKE, asked) is not None:
            return
    raise SmsPaused(retry_after=int(session.scalar(_LEFT, {"now": now}) or 1))


def raise_alarm(session: Session, *, now: datetime | None = None) -> bool:
    """Write down, once an hour, that the budget is spent; return whether it is news.

    The refused request's transaction is undone, so this runs in one of its own.
    """
    if session.scalar(_ALARM, {"alarm": ALARM, "now": now}) is None:
        return False
    log.error("sms_paused", texts=allowances.current().texts)
    record(
        session,
        Act(
            actor_kind="system",
            actor_id=None,
            action="accounts.sms_paused",
            object_type="sms_hour",
            object_id=None,
            payload={"texts": allowances.current().texts},
        ),
    )
    return True
