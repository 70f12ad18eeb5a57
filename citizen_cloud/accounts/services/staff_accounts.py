"""Open an account that signs in by name: with a password of its own, or a one-time one."""

import secrets
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.identity import display_name_place
from citizen_cloud.accounts.refusals import UsernameTaken
from citizen_cloud.accounts.rules.lifetimes import ONE_TIME_PASSWORD
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id

ONE_TIME_BYTES = 15
Kind = Literal["staff", "admin"]

_CREATE = text(
    """
    INSERT INTO accounts.account
           (id, kind, username, display_name_sealed, password_hash, password_until,
            password_changed_at, created_at)
    SELECT :id, :kind, :username, :display_name, :password_hash,
           CASE WHEN :is_one_time THEN t + :life END, CASE WHEN NOT :is_one_time THEN t END, t
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    ON CONFLICT (username) DO NOTHING RETURNING id
    """
)


def open_account(
    session: Session,
    *,
    username: str,
    display_name: str,
    kind: Kind,
    password_hash: str,
    is_one_time: bool = False,
    now: datetime | None = None,
) -> UUID:
    """Create an account that signs in by name, and return its id.

    The second factor is set up at the first sign-in. Raises ``UsernameTaken``.
    """
    account_id = new_id()
    facts = {
        "id": account_id,
        "kind": kind,
        "username": username.lower(),
        "display_name": crypto.current().seal(display_name, place=display_name_place(account_id)),
        "password_hash": password_hash,
        "is_one_time": is_one_time,
        "life": ONE_TIME_PASSWORD,
        "now": now,
    }
    if session.scalar(_CREATE, facts) is None:
        raise UsernameTaken
    act = Act(
        actor_kind="system",
        actor_id=None,
        action="accounts.staff_created",
        object_type="account",
        object_id=account_id,
        payload={"kind": kind},
    )
    record(session, act)
    return account_id


def create_staff(
    session: Session,
    *,
    username: str,
    display_name: str,
    kind: Kind,
    now: datetime | None = None,
) -> tuple[UUID, str]:
    """Create an account with a one-time password; return its id and that password.

    The password is shown to nobody again, ends after 72 hours, and is replaced by the first
    sign-in. Raises ``UsernameTaken``.
    """
    password = secrets.token_urlsafe(ONE_TIME_BYTES)
    account_id = open_account(
        session,
        username=username,
        display_name=display_name,
        kind=kind,
        password_hash=hashing.current().hash(password),
        is_one_time=True,
        now=now,
    )
    return account_id, password
