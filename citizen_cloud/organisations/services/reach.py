"""How far a manager reaches: the own places, their staff, and nobody who works elsewhere too."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound
from citizen_cloud.organisations.refusals import RoleAboveOwn, WorksElsewhere
from citizen_cloud.web.caller import Grant

_HELD = text(
    """
    SELECT organisation_id, role FROM organisations.membership
     WHERE account_id = :id AND ended_at IS NULL ORDER BY id FOR SHARE
    """
)


def check_reach(grant: Grant, organisation_id: UUID | None, role: str) -> None:
    """Refuse a role that is not the caller's to give or end.

    Somebody else's organisation looks absent (``NotFound``). Raises ``RoleAboveOwn`` where a
    manager would appoint or dismiss a manager.
    """
    if grant.everywhere:
        return
    if organisation_id is None or not grant.covers(organisation_id):
        raise NotFound
    if role != "staff":
        raise RoleAboveOwn


def check_account_reach(session: Session, grant: Grant, account_id: UUID) -> None:
    """Refuse an account that is not the caller's to reset or suspend.

    Raises ``NotFound`` for who works nowhere in reach, ``RoleAboveOwn`` for other managers, and
    ``WorksElsewhere``: who could open that account would act at a stranger's place.
    """
    if grant.everywhere:
        return
    held = session.execute(_HELD, {"id": account_id}).all()
    is_mine = [
        row.organisation_id is not None and grant.covers(row.organisation_id) for row in held
    ]
    if not any(is_mine):
        raise NotFound
    if any(row.role != "staff" for row in held):
        raise RoleAboveOwn
    if not all(is_mine):
        raise WorksElsewhere
