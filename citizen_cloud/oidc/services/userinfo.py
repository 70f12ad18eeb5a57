"""What a partner is told of a citizen: only what was agreed to, and written down each time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import (
    birth_on,
    document_number,
    masked_name,
    name_of,
    phone_place,
)
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.oidc.rules.scopes import SCOPES
from citizen_cloud.oidc.services.decisions import hashed
from citizen_cloud.oidc.services.standing import JOINS, STANDS
from citizen_cloud.oidc.services.subjects import subject
from citizen_cloud.web.caller import Identity


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Of whom a token speaks, to whom, and what may be said."""

    client_id: UUID
    organisation_id: UUID
    sector: str
    consent_id: UUID
    issuance_id: UUID
    account_id: UUID
    scopes: frozenset[str]
    level: int
    phone_sealed: bytes | None = field(repr=False)
    identity: Identity | None = field(repr=False)
    issued_at: datetime
    expires_at: datetime

    @property
    def subject(self) -> str:
        """Return the id under which this partner knows the citizen."""
        person_id = self.identity.person_id if self.identity else None
        return subject(
            organisation_id=self.organisation_id,
            sector=self.sector,
            person_id=person_id,
            account_id=self.account_id,
        )


# Everything that can end a token is asked for here, at every request.
_HOLDER = text(
    f"""
    SELECT c.id AS client_id, c.organisation_id, c.sector, k.id AS consent_id,
           i.id AS issuance_id, i.account_id, i.level, a.phone_sealed,
           ARRAY(SELECT s FROM unnest(x.scopes) AS s
                  WHERE s = ANY(k.scopes) AND s = ANY(c.scopes)) AS scopes,
           i.person_id, p.person_key, p.document_type, p.document_sealed, p.name_sealed,
           x.created_at AS issued_at, x.expires_at
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           oidc.token x
      JOIN oidc.issuance i ON i.id = x.issuance_id
      {JOINS}
     WHERE x.token_hash = :hash AND x.expires_at > t AND {STANDS}
    """  # noqa: S608 - of constants
)


def holder(session: Session, *, token: str, now: datetime | None = None) -> Holder | None:
    """Return whose token this is, as the database knows them at this moment."""
    row = session.execute(_HOLDER, {"hash": hashed(token), "now": now}).mappings().first()
    if row is None:
        return None
    names = Holder.__dataclass_fields__.keys() - {"identity", "scopes"}
    facts: dict[str, Any] = {name: row[name] for name in names}
    return Holder(**facts, scopes=frozenset(row["scopes"]), identity=_identity(row))


def _identity(row: RowMapping) -> Identity | None:
    if row["person_id"] is None:
        return None
    names = ("person_id", "person_key", "document_type", "document_sealed", "name_sealed")
    return Identity(**{name: row[name] for name in names})


def tell(session: Session, found: Holder, *, now: datetime | None = None) -> dict[str, Any]:
    """Return the claims a holder agreed to, and write down that they were read."""
    told: dict[str, Any] = {"sub": found.subject}
    told |= _phone(found)
    if found.identity is not None:
        told |= person_claims(found.identity, found.scopes)
        look = Look(
            person_id=found.identity.person_id,
            reader_kind="partner",
            reader_id=found.client_id,
            organisation_id=found.organisation_id,
            purpose="oidc.userinfo",
            categories=tuple(sorted({SCOPES[name].category for name in found.scopes})),
            basis_type="consent",
            basis_id=found.consent_id,
        )
        note_access(session, look, now=now)
    return told


def _phone(found: Holder) -> dict[str, Any]:
    if "phone" not in found.scopes or found.phone_sealed is None:
        return {}
    number = crypto.current().open(found.phone_sealed, place=phone_place(found.account_id))
    return {"phone_number": number, "phone_number_verified": True}


def person_claims(identity: Identity, scopes: frozenset[str]) -> dict[str, Any]:
    """Return what scopes open of a proven person."""
    told: dict[str, Any] = {}
    if "profile" in scopes:
        told["name"] = name_of(identity)
    if "real_name" in scopes:
        told |= {"real_name_verified": True, "real_name_masked": masked_name(identity)}
    if "birthdate" in scopes and (born := birth_on(identity)) is not None:
        told["birthdate"] = born.isoformat()
    if "document" in scopes:
        told["document_type"] = identity.document_type
        told["document_number"] = document_number(identity)
    return told
