"""What the organisations room adds: permissions, and whose memberships and invitations it holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Contribution, Job, Permission, PersonalData, Sealed, Subject
from citizen_cloud.organisations.jobs import forget_invitations
from citizen_cloud.text import Text

_EXPORT = text(
    """
    SELECT m.id, m.role, o.name AS organisation, m.created_at, m.ended_at
      FROM organisations.membership m
      LEFT JOIN organisations.organisation o ON o.id = m.organisation_id
     WHERE m.account_id = :account_id ORDER BY m.id
    """
)
_INVITATIONS = text(
    """
    SELECT id, role, created_at, expires_at, accepted_at, revoked_at,
           account_id = :account_id AS is_own
      FROM organisations.invitation
     WHERE account_id = :account_id OR invited_by = :account_id ORDER BY id
    """
)
_FORGET = (
    text("DELETE FROM organisations.invitation WHERE account_id = :account_id"),
    text(
        """
        UPDATE organisations.invitation
           SET invited_by = NULL, revoked_at = coalesce(revoked_at, accepted_at, :now)
         WHERE invited_by = :account_id
        """
    ),
)
_END = text(
    """
    UPDATE organisations.membership SET ended_at = :now
     WHERE account_id = :account_id AND ended_at IS NULL
    """
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the roles an account holds and held, what it accepted and whom it invited."""
    asked = {"account_id": subject.account_id}
    return {
        "memberships": [dict(row) for row in session.execute(_EXPORT, asked).mappings()],
        "invitations": [dict(row) for row in session.execute(_INVITATIONS, asked).mappings()],
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """End the account's roles; the rows stay, they name an account and no person.

    Its invitations are forgotten: the accepted one, and that it invited others.
    """
    asked = {"account_id": subject.account_id, "now": now}
    counts = [rows_changed(session, statement, asked) for statement in (*_FORGET, _END)]
    return sum(counts)


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
            title=Text("邀请和移除工作人员", "Invite and remove staff"),
            roles=frozenset({"admin", "manager"}),
        ),
        Permission(
            name="accounts.read",
            title=Text("查看账号状态", "See how accounts stand"),
            roles=frozenset({"admin", "auditor"}),
        ),
        Permission(
            name="accounts.reset",
            title=Text("重置账号", "Reset accounts"),
            roles=frozenset({"admin", "manager"}),
        ),
        Permission(
            name="accounts.reset.confirm",
            title=Text("确认重置平台账号", "Agree to reset accounts of the platform"),
            roles=frozenset({"admin"}),
        ),
        Permission(
            name="accounts.suspend",
            title=Text("停用和恢复账号", "Suspend and reinstate accounts"),
            roles=frozenset({"admin", "manager"}),
        ),
    ),
    jobs=(Job(name="organisations.forget_invitations", cron="41 3 * * *", run=forget_invitations),),
    sealed=(
        Sealed(
            table="organisations.invitation",
            column="display_name_sealed",
            place="organisations.invitation:display_name:{id}",
        ),
        Sealed(
            table="organisations.invitation",
            column="note_sealed",
            place="organisations.invitation:note:{id}",
        ),
    ),
    personal_data=PersonalData(
        categories=(Text("工作人员角色与邀请", "Staff roles and invitations"),),
        purpose=Text("确定谁可以办理业务", "To decide who may serve citizens"),
        legal_basis=Text("履行法定职责", "Statutory duty"),
        retention_days=3 * 365,
        kept=(Text("任职记录,仅含随机编号", "Past roles, under a random id"),),
        tables=frozenset({"organisations.invitation", "organisations.membership"}),
        export=export,
        erase=erase,
    ),
)
