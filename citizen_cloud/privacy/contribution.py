"""What the privacy room adds: its jobs, and the little it holds itself."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, PersonalData, Sealed, Subject
from citizen_cloud.privacy.decisions import DECISIONS
from citizen_cloud.privacy.jobs import (
    build_exports,
    carry_out_closures,
    forget_old,
    purge_modules,
)
from citizen_cloud.privacy.services import farewell, following
from citizen_cloud.registry.services import SUNSET_BEGUN
from citizen_cloud.text import Text

_EXPORTS = text(
    """
    SELECT id, status, requested_at, ready_at, expires_at FROM privacy.export
     WHERE account_id = :account_id OR person_id = :person_id ORDER BY id
    """
)
_CLOSURES = text(
    """
    SELECT id, status, reason, requested_at, due_at, ended_at FROM privacy.closure
     WHERE account_id = :account_id OR person_id = :person_id ORDER BY id
    """
)
# The closure that is being carried out loses its names when its certificate is written.
_ERASE = (
    text("DELETE FROM privacy.export WHERE account_id = :account_id OR person_id = :person_id"),
    text(
        """
        DELETE FROM privacy.closure
         WHERE status = 'undone' AND (account_id = :account_id OR person_id = :person_id)
        """
    ),
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the bundles and closures somebody asked for; not the bundles themselves again."""
    asked = asdict(subject)
    return {
        "exports": [dict(row) for row in session.execute(_EXPORTS, asked).mappings()],
        "closures": [dict(row) for row in session.execute(_CLOSURES, asked).mappings()],
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete bundles and closures that were undone."""
    del now
    asked = asdict(subject)
    return sum(rows_changed(session, each, asked) for each in _ERASE)


contribution = Contribution(
    name="privacy",
    handlers={
        "accounts.recovered": following.recovered,
        SUNSET_BEGUN: farewell.sunset_begun,
    },
    decisions=DECISIONS,
    jobs=(
        Job(name="privacy.build_exports", cron="* * * * * */10", run=build_exports),
        Job(name="privacy.forget_old", cron="31 * * * *", run=forget_old),
        Job(name="privacy.carry_out_closures", cron="* * * * *", run=carry_out_closures),
        Job(name="privacy.purge_modules", cron="* * * * *", run=purge_modules),
    ),
    sealed=(
        Sealed(table="privacy.export", column="bundle_sealed", place="privacy.export:bundle:{id}"),
    ),
    personal_data=PersonalData(
        categories=(
            Text("个人信息副本及申请记录", "Copies of one's data, and when they were asked for"),
            Text("注销申请", "Wishes to close the account"),
        ),
        purpose=Text("保障个人信息权利", "To serve a person's rights over their data"),
        legal_basis=Text("《个人信息保护法》第四十五条、第四十七条", "PIPL articles 45 and 47"),
        retention_days=7,
        tables=frozenset({"privacy.export", "privacy.closure"}),
        kept=(Text("删除证明，不含任何身份信息", "The erasure certificate, which names nobody"),),
        export=export,
        erase=erase,
    ),
)
