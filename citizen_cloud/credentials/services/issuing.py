"""Issue the codes that people hold: on a phone, on paper. Thin ones have no record (``thin``).

One INSERT writes the record, chooses the key and sees that the phone still counts; nothing is
signed before it, and nothing leaves before its transaction ends.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.credentials import claims, keys
from citizen_cloud.credentials.compact import pack
from citizen_cloud.credentials.proofs import to_text
from citizen_cloud.credentials.refusals import DeviceKeyUnknown, ShowKeyUsed
from citizen_cloud.errors import Unavailable
from citizen_cloud.registry.ended import is_ended

JTI_BYTES = 16
PHONE, PAPER = "hc", "hp"
# The longest a code counts; none outlives the colour it says.
LIVES = {PHONE: timedelta(hours=24), PAPER: timedelta(days=180)}
RETRY_AFTER_S = 30


@dataclass(frozen=True, kw_only=True)
class Held:
    """A code of a person. ``jws`` is what a phone is given; ``text`` is what paper holds."""

    jti: UUID
    jws: str
    issued_at: datetime
    expires_at: datetime

    @property
    def text(self) -> str:
        """The code as it is printed: of a paper code, never of a phone's."""
        return pack(self.jws)


# Of the keys held, the first that nobody revoked: read in the statement that writes its name.
USABLE_KEY = """
    (SELECT k.kid FROM unnest(cast(:kids AS varchar[])) WITH ORDINALITY k(kid, place)
      WHERE NOT EXISTS (SELECT 1 FROM credentials.key_revocation r WHERE r.kid = k.kid)
      ORDER BY k.place LIMIT 1)
"""
COLUMNS = ("jti", "type", "kid", "issued_at", "expires_at", "claims", "show_key", "name_sealed")


def usable_keys() -> str:
    """Return what ``USABLE_KEY`` asks for, as PostgreSQL writes a list: it costs a sixth of one."""
    return "{" + ",".join(keys.names()) + "}"


def insert_from(source: str) -> str:
    """Return the INSERT of a code whose instant, words and end a relation says.

    ``source`` names a relation with the columns ``at``, ``claims`` and ``expires_at``, of one row
    or none. What it locks is locked before the phone.
    """
    # The phone's row is locked against its end: whoever ends it afterwards finds this code and
    # ends it too. The same show key for the same person from the same phone gives the same code.
    return f"""
    INSERT INTO credentials.credential AS c
           (jti, type, subject_id, holder_id, kid, issued_at, not_before, expires_at, claims,
            show_key, device_key_id, name_sealed)
    SELECT :jti, :type, :subject_id, :holder_id, k.kid, t.at, t.at,
           least(date_trunc('second', w.expires_at), t.at + cast(:life AS interval)),
           w.claims, :show_key, :device_key_id, :name_sealed
      FROM {source} w, LATERAL (SELECT date_trunc('second', w.at) AS at) t,
           (SELECT {USABLE_KEY} AS kid) k
     WHERE k.kid IS NOT NULL
       AND (cast(:device_key_id AS uuid) IS NULL
            OR EXISTS (SELECT 1 FROM credentials.device_key d
                        WHERE d.id = :device_key_id AND d.ended_at IS NULL
                          AND w.at IS NOT NULL FOR SHARE))
    ON CONFLICT (show_key) DO UPDATE SET show_key = excluded.show_key
     WHERE c.type = excluded.type AND c.holder_id = excluded.holder_id
       AND c.device_key_id IS NOT DISTINCT FROM excluded.device_key_id
       AND c.revoked_at IS NULL AND c.expires_at > excluded.issued_at
       AND c.claims = excluded.claims
       AND NOT EXISTS (SELECT 1 FROM credentials.key_revocation r WHERE r.kid = c.kid)
       AND NOT {is_ended("c.type", "c.issued_at")}
    RETURNING {", ".join(COLUMNS)}
    """  # noqa: S608 - no part of it comes from outside


_ISSUE = text(
    insert_from(
        """(SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at,
                   cast(:claims AS jsonb) AS claims,
                   cast(:expires_at AS timestamptz) AS expires_at)"""
    )
)
# One living paper each: two that are asked for at once follow each other.
_ONE_PAPER = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('credentials.paper:' || :holder_id, 0))"
)
_REPLACE = text(
    """
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE type = :type AND subject_id = :subject_id AND revoked_at IS NULL
    """
)
# Why nothing was written.
_WHY = text(
    f"""
    SELECT {USABLE_KEY} IS NULL AS no_key,
           cast(:device_key_id AS uuid) IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM credentials.device_key d
                            WHERE d.id = :device_key_id AND d.ended_at IS NULL) AS no_device
    """  # noqa: S608
)


def new_jti() -> UUID:
    """Draw the id of a code: 128 random bits, which tell nothing of any other code."""
    return UUID(bytes=secrets.token_bytes(JTI_BYTES))


def issue_held(
    connection: Session | Connection,
    *,
    type: str,  # noqa: A002 - the field's word
    holder_id: UUID,
    colour: str,
    expires_at: datetime | None,
    show_key: bytes | None = None,
    device_key_id: UUID | None = None,
    name: str | None = None,
    now: datetime | None = None,
) -> Held:
    """Issue a code that says a person's colour: ``hc`` for a phone, ``hp`` on paper.

    It ends at ``expires_at`` (the next change of colour, None if unknown) or with its type's life.
    ``hc`` needs the show key and the device key whose proof the caller has checked
    (``prove_show_key``); ``hp`` the masked name, and it ends the last paper.

    Raises ``DeviceKeyUnknown``, ``ShowKeyUsed`` for a show key of anything else, ``Unavailable``
    where every signing key is revoked. Whoever changes a colour locks the person's standing: read
    it ``FOR SHARE`` in the same transaction, or a code issued at that very instant stays good.
    """
    facts = facts_of(
        type=type, holder_id=holder_id, show_key=show_key, device_key_id=device_key_id, now=now
    ) | {"claims": json.dumps({"c": colour}), "expires_at": expires_at}
    if name is not None:
        facts["name_sealed"] = sealed_name(name, facts["jti"])
    if type == PAPER:
        connection.execute(_ONE_PAPER, facts)
        connection.execute(_REPLACE, facts)
    row = connection.execute(_ISSUE, facts).mappings().first()
    if row is not None:
        return held_of(row)
    raise _why(connection, facts)


def facts_of(
    *,
    type: str,  # noqa: A002
    holder_id: UUID,
    show_key: bytes | None = None,
    device_key_id: UUID | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Return what ``insert_from`` asks for besides its source, with a new code's id."""
    jti = new_jti()
    return {
        "jti": jti,
        "type": type,
        "subject_id": holder_id if type == PAPER else jti,
        "holder_id": holder_id,
        "kids": usable_keys(),
        "life": LIVES[type],
        "show_key": show_key,
        "device_key_id": device_key_id,
        "name_sealed": None,
        "now": now,
    }


def _why(connection: Session | Connection, facts: dict[str, Any]) -> Exception:
    why = connection.execute(_WHY, facts).mappings().one()
    if why["no_key"]:
        return Unavailable(retry_after=RETRY_AFTER_S)
    return DeviceKeyUnknown() if why["no_device"] else ShowKeyUsed()


def held_of(row: Mapping[Any, Any]) -> Held:
    """Return the code of a record: the same record gives the same code for ever."""
    return Held(
        jti=row["jti"],
        jws=_signed(row),
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
    )


def _signed(row: Mapping[Any, Any]) -> str:
    members: dict[str, Any] = {
        "jti": claims.jti_text(row["jti"]),
        "iat": int(row["issued_at"].timestamp()),
        "exp": int(row["expires_at"].timestamp()),
        **row["claims"],
    }
    if row["show_key"] is not None:
        members["k"] = to_text(row["show_key"])
    if row["name_sealed"] is not None:
        members["n"] = crypto.current().open(row["name_sealed"], place=name_place(row["jti"]))
    key = keys.private_key(row["kid"])
    if key is None:
        raise LookupError("the signing key was taken away meanwhile")
    return claims.signed(row["type"], row["kid"], members, key)


def name_place(jti: UUID) -> str:
    """Return the associated data that binds a masked name to its code."""
    return f"credentials.credential:name:{jti}"


def sealed_name(name: str, jti: UUID) -> bytes:
    """Seal a masked name for its code."""
    return crypto.current().seal(name, place=name_place(jti))
