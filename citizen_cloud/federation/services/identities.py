"""Identities elsewhere: use, link, remove.

The row's own lock puts a sign-in and a removal in a row, and two unique indexes decide between
parallel links: one subject is one account's, and an account has one at each provider.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from citizen_cloud.federation.refusals import IdentityInUse, ProviderAlreadyLinked
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.services.attempts import Owed
from citizen_cloud.federation.services.notices import tell
from citizen_cloud.text import Text

OWN_WISH = "own_wish"


@dataclass(frozen=True, kw_only=True)
class Used:
    """A live identity at the moment somebody signs in with it."""

    id: UUID
    account_id: UUID
    status: str


# An update and no mere look: a removal under way is waited for, and a later one sees the sign-in.
_USE = text(
    """
    UPDATE federation.identity i SET last_used_at = coalesce(:now, statement_timestamp())
      FROM accounts.account a
     WHERE i.provider = :provider AND i.subject_index = ANY(:subjects) AND i.removed_at IS NULL
       AND a.id = i.account_id AND a.status <> 'closed'
    RETURNING i.id, i.account_id, a.status
    """
)
_RELEASE_CLOSED = text(
    """
    UPDATE federation.identity i
       SET removed_at = :now, subject_index = NULL, subject_sealed = NULL
      FROM accounts.account a
     WHERE i.provider = :provider AND i.subject_index = ANY(:subjects) AND i.removed_at IS NULL
       AND a.id = i.account_id AND a.status = 'closed'
    """
)
_LIVE = text(
    """
    SELECT account_id, subject_index = ANY(:subjects) AS is_same FROM federation.identity
     WHERE provider = :provider AND removed_at IS NULL
       AND (account_id = :account_id OR subject_index = ANY(:subjects))
     ORDER BY is_same DESC LIMIT 1
    """
)
# Processes may hold different keys meanwhile, and write one subject under two indexes.
_LOCK = text("SELECT pg_advisory_xact_lock(n) FROM unnest(cast(:numbers AS bigint[])) AS n")
# Without a named index: whoever races meets either of the two, and both mean no.
_INSERT = text(
    """
    INSERT INTO federation.identity
           (id, provider, subject_index, subject_sealed, account_id, linked_at)
    VALUES (:id, :provider, :index, :sealed, :account_id, :now)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_REMOVE = text(
    """
    UPDATE federation.identity
       SET removed_at = :now, subject_index = NULL, subject_sealed = NULL
     WHERE id = :id AND account_id = :account_id AND removed_at IS NULL
    RETURNING provider
    """
)


def subject_place(identity_id: UUID) -> str:
    """Return what binds a sealed subject to its row."""
    return f"federation.identity:subject:{identity_id}"


def _lookups(owed: Owed) -> list[bytes]:
    return crypto.current().lookups_of("federation:" + owed.provider, owed.subject)


def use(session: Session, *, owed: Owed, now: datetime | None = None) -> Used | None:
    """Return whose identity this is, and note that it was used; None where it is nobody's."""
    asked = {"provider": owed.provider, "subjects": _lookups(owed), "now": now}
    row = session.execute(_USE, asked).mappings().first()
    return None if row is None else Used(**row)


def link(session: Session, *, owed: Owed, account_id: UUID, title: Text, now: datetime) -> UUID:
    """Make an identity a way into an account; tell its person, write it down.

    Raises ``IdentityInUse`` (the same whoever has it) or ``ProviderAlreadyLinked``.
    """
    rings, identity_id, subjects = crypto.current(), new_id(), _lookups(owed)
    asked = {"provider": owed.provider, "subjects": subjects, "account_id": account_id, "now": now}
    numbers = rings.lock_numbers(f"federation.{owed.provider}.lock", owed.subject)
    session.execute(_LOCK, {"numbers": numbers})
    session.execute(_RELEASE_CLOSED, asked)
    # Looked for under every key held: the index of an older one does not stop an insert.
    _refuse_taken(session, asked)
    row = {
        "id": identity_id,
        "provider": owed.provider,
        "index": subjects[0],
        "sealed": rings.seal(owed.subject, place=subject_place(identity_id)),
        "account_id": account_id,
        "now": now,
    }
    if session.scalar(_INSERT, row) is None:
        _refuse_taken(session, asked)
        raise IdentityInUse
    record(session, _act("linked", account_id, identity_id, owed.provider))
    tell(
        session,
        verb="linked",
        account_id=account_id,
        identity_id=identity_id,
        title=title,
        now=now,
    )
    return identity_id


def _refuse_taken(session: Session, asked: dict[str, object]) -> None:
    found = session.execute(_LIVE, asked).mappings().first()
    if found is None:
        return
    is_own = found["account_id"] == asked["account_id"]
    raise ProviderAlreadyLinked if is_own else IdentityInUse


def remove(
    session: Session,
    *,
    account_id: UUID,
    identity_id: UUID,
    title: Text | None = None,
    reason: str = OWN_WISH,
    now: datetime,
) -> None:
    """Take a way in away and end its sign-ins. Raises ``NotFound`` for anybody else's.

    Who it was at the provider is forgotten at once; that there was a link stays in the list of
    what happened.
    """
    asked = {"id": identity_id, "account_id": account_id, "now": now}
    provider: str | None = session.scalar(_REMOVE, asked)
    if provider is None:
        raise NotFound
    sign_ins.end_by_factor(
        session, account_id=account_id, factor=provider, reason="identity_removed"
    )
    record(session, _act("unlinked", account_id, identity_id, provider, reason))
    shown = title or TITLES.get(provider, Text(provider, provider))
    tell(
        session,
        verb="removed",
        account_id=account_id,
        identity_id=identity_id,
        title=shown,
        now=now,
    )


def _act(
    verb: str, account_id: UUID, identity_id: UUID, provider: str, reason: str = OWN_WISH
) -> Act:
    is_own = reason == OWN_WISH
    return Act(
        actor_kind="citizen" if is_own else "system",
        actor_id=account_id if is_own else None,
        action=f"federation.{verb}",
        object_type="identity",
        object_id=identity_id,
        payload={"provider": provider, "account_id": account_id, "reason": reason},
    )
