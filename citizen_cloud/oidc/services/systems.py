"""Systems that act by themselves: who they are, and where they may do what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection

from citizen_cloud.db import first_row
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.oidc.services.decisions import hashed
from citizen_cloud.oidc.services.issuing import SERVICE
from citizen_cloud.web.caller import Caller, Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCaller(Caller):
    """A system of one organisation, with the permissions its token carries."""

    organisation_id: UUID
    scopes: frozenset[str]

    def granted(self, permission: str) -> Grant:
        """Return where it holds a permission: at its own organisation, or nowhere."""
        if permission not in self.scopes:
            return Grant()
        return Grant(organisation_ids=frozenset({self.organisation_id}))


_READ = """
SELECT c.id, c.account_id, c.organisation_id,
       ARRAY(SELECT s FROM unnest(x.scopes) AS s WHERE s = ANY(c.scopes))
  FROM oidc.token x
  JOIN oidc.client c ON c.id = x.client_id
  JOIN organisations.organisation o ON o.id = c.organisation_id
  JOIN accounts.account a ON a.id = c.account_id
 WHERE x.token_hash = %(hash)s AND x.issuance_id IS NULL
   AND x.expires_at > coalesce(%(now)s::timestamptz, statement_timestamp())
   AND (c.active_since IS NULL OR x.created_at >= c.active_since)
   AND c.type = 'service' AND c.status = 'active' AND o.status = 'active' AND a.status = 'active'
"""


def is_service_token(token: str) -> bool:
    """Return whether a token has the form of a system's."""
    return token.startswith(SERVICE)


def authenticate_system(
    connection: Connection, token: str, *, now: datetime | None = None
) -> ServiceCaller:
    """Return the system that holds this token, by one statement. Raises ``Unauthenticated``."""
    row = first_row(connection, _READ, {"hash": hashed(token), "now": now})
    if row is None:
        raise Unauthenticated
    client_id, account_id, organisation_id, scopes = row
    return ServiceCaller(
        account_id=account_id,
        # A system has no sign-in and no device; its client stands for both.
        sign_in_id=client_id,
        device_id=client_id,
        kind="service",
        level=0,
        organisation_id=organisation_id,
        scopes=frozenset(scopes),
    )
