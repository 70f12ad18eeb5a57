"""What a citizen sees before answering a client: each scope, and what it would tell of him."""

from dataclasses import dataclass
from typing import Any

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import birth_on, document_number, masked_name, phone_place
from citizen_cloud.accounts.rules.phones import masked_phone
from citizen_cloud.accounts.services import SignedIn
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.oidc.rules.scopes import OPENID, SCOPES, Scope
from citizen_cloud.oidc.services.decisions import check_proof
from citizen_cloud.oidc.services.requests import Opened

ENDS = 4


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A request with the words and masked values for one citizen."""

    opened: Opened
    scopes: list[dict[str, Any]]
    agreed_before: bool
    # What the sign-in lacks for the least answer, in the words of ``step_up_required``
    step_up: dict[str, Any] | None


def preview(opened: Opened, caller: SignedIn, agreed: frozenset[str]) -> Preview:
    """Return what would be shared, masked; a recycled number is shown nothing of a person."""
    offered = [SCOPES[name] for name in opened.scopes if name in opened.allowed]
    return Preview(
        opened=opened,
        scopes=[_scope(scope, caller, agreed) for scope in offered],
        agreed_before={scope.name for scope in offered} <= agreed,
        step_up=_lacking(opened, caller),
    )


def _lacking(opened: Opened, caller: SignedIn) -> dict[str, Any] | None:
    try:
        check_proof(opened, caller, [OPENID])
    except StepUpRequired as refusal:
        return dict(refusal.facts)
    return None


def _scope(scope: Scope, caller: SignedIn, agreed: frozenset[str]) -> dict[str, Any]:
    return {
        "name": scope.name,
        "title": scope.title.as_json(),
        "claims": list(scope.claims),
        "required_level": scope.level,
        "is_available": caller.level >= scope.level,
        "value": _value(scope.name, caller),
        "agreed_before": scope.name in agreed,
    }


def _value(name: str, caller: SignedIn) -> str | None:
    """Return the masked value of a scope; None where there is nothing to show."""
    if name == "phone" and caller.phone_sealed is not None:
        place = phone_place(caller.account_id)
        return masked_phone(crypto.current().open(caller.phone_sealed, place=place))
    if caller.identity is None:
        return None
    if name in ("profile", "real_name"):
        return masked_name(caller.identity)
    if name == "birthdate":
        born = birth_on(caller.identity)
        return f"{born.year}-**-**" if born else None
    if name == "document":
        number = document_number(caller.identity)
        return "*" * max(0, len(number) - ENDS) + number[-ENDS:]
    return None
