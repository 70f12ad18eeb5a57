"""What the organisations room adds: its permissions, and whose memberships it holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.manifest import Contribution, Permission, PersonalData, Subject
from citizen_cloud.text import Text

_EXPORT = text(
    """
    SELECT m.id, m.role, o.name AS organisation, m.created_at, m.ended_at
      FROM organisations.membership m
      LEFT JOIN organisations.organisation o ON o.id = m.organisation_id
     WHERE m.account_id = :account_id ORDER BY m.id
    """
)
_END = text(
    """
    UPDATE organisations.membership SET ended_at = :now
     WHERE account_id = :account_id AND ended_at IS NULL
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the roles an account holds and held."""
    rows = session.execute(_EXPORT, {"account_id": subject.account_id}).mappings()
    return {"memberships": [dict(row) for row in rows]}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """End the account's roles; the rows stay, they name an account and no person."""
    result = session.execute(_END, {"account_id": subject.account_id, "now": now})
    return int(result.rowcount)  # type: ignore[attr-defined]


contribution = Contribution(
    name="organisations",
    permissions=(
        Permission(
            name="organisations.read",
            title=Text("查看机构", "See organisations"),
            roles=frozenset({"admin", "auditor", "manager"}),
        ),
        Permission(
            name="organisations.manage",
            title=Text("添加和修改机构", "Add and change organisations"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="organisations.staff.read",
            title=Text("查看工作人员", "See staff"),
            roles=frozenset({"admin", "auditor", "manager"}),
        ),
        Permission(
            name="organisations.staff.manage",
            title=Text("添加和移除工作人员", "Add and remove staff"),
            roles=frozenset({"admin", "manager"}),
        ),
    ),
    personal_data=PersonalData(
        categories=(Text("工作人员角色", "Staff roles"),),
        purpose=Text("确定谁可以办理业务", "To decide who may serve citizens"),
        legal_basis=Text("履行法定职责", "Statutory duty"),
        retention_days=3 * 365,
        tables=frozenset({"organisations.membership"}),
        kept=(Text("任职记录,仅含随机编号", "Past roles, under a random id"),),
        export=export,
        erase=erase,
    ),
)
