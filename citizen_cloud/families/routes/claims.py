"""What several doors of this room read: a document with its name, scopes, a cursor."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from citizen_cloud import clock
from citizen_cloud.accounts import verifier
from citizen_cloud.accounts.services import real_name
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.errors import Invalid
from citizen_cloud.families.rules import MESSAGES
from citizen_cloud.web import cursors
from citizen_cloud.web.caller import ports


def claim_of(sent: Mapping[str, Any]) -> Claim:
    """Return document and name as they are kept. Raises ``IdNumberInvalid``, ``NameInvalid``."""
    return real_name.claim(
        document_type=sent["document_type"],
        number=sent["document_number"],
        name=sent["name"],
        today=clock.local_day(clock.now()),
    )


def is_match(claim: Claim) -> bool:
    """Return what the verifier says; no connection is held meanwhile."""
    return verifier.current().matches(
        document_type=claim.document_type, number=claim.number, name=claim.name
    )


def scopes_of(sent: Mapping[str, Any]) -> list[str]:
    """Return the scopes, each once and in order. Raises ``Invalid`` for a service nobody knows."""
    known = {MESSAGES, *ports().module_of_blueprint.values()}
    errors = [
        {"pointer": f"/scopes/{number}", "code": "not_one_of"}
        for number, scope in enumerate(sent["scopes"])
        if scope not in known
    ]
    if errors:
        raise Invalid(errors=errors)
    return sorted(set(sent["scopes"]))


def before(listing: str, sent: Mapping[str, Any]) -> UUID | None:
    """Return the id a page begins behind. Raises ``BadCursor``."""
    return UUID(str(cursors.decode(listing, sent["cursor"])[0])) if "cursor" in sent else None


def more_behind(listing: str, rows: list[dict[str, Any]], limit: int) -> str | None:
    """Return the cursor of the next page, if there is one."""
    return cursors.encode(listing, [rows[limit - 1]["id"]]) if len(rows) > limit else None
