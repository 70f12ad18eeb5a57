"""What a client may ask of a citizen, and how the citizen is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from citizen_cloud.text import Text

OPENID = "openid"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One scope: its words, the level of assurance it needs, and the data it opens.

    ``category`` is the word under which the citizen finds a look at it.
    """

    name: str
    title: Text
    category: str
    level: int = 1
    claims: tuple[str, ...] = ()


SCOPES = {
    scope.name: scope
    for scope in (
        Scope(
            name=OPENID,
            title=Text("以仅此机构可见的编号识别您", "Know you by an id that only it sees"),
            category="identifier",
            claims=("sub",),
        ),
        Scope(
            name="profile",
            title=Text("您的姓名", "Your name"),
            category="name",
            level=2,
            claims=("name",),
        ),
        Scope(
            name="phone",
            title=Text("您的手机号码", "Your phone number"),
            category="phone",
            claims=("phone_number", "phone_number_verified"),
        ),
        Scope(
            name="birthdate",
            title=Text("您的出生日期", "Your date of birth"),
            category="birth_date",
            level=2,
            claims=("birthdate",),
        ),
        Scope(
            name="real_name",
            title=Text(
                "您已实名认证，及部分姓名", "That your name is verified, and part of your name"
            ),
            category="name",
            level=2,
            claims=("real_name_verified", "real_name_masked"),
        ),
        Scope(
            name="document",
            title=Text("您的证件类型与号码", "Type and number of your identity document"),
            category="document",
            level=2,
            claims=("document_type", "document_number"),
        ),
    )
}
ACR = "urn:citizen-cloud:acr:L"
LEVELS = (1, 2, 3)
# The rooms, which look after people, places and the platform itself: their permissions are theirs.
PLATFORM = frozenset(
    {
        *(
            "accounts",
            "approvals",
            "audit",
            "booking",
            "counter",
            "credentials",
            "families",
            "federation",
        ),
        *("jobs", "messages", "oidc", "organisations", "portal", "privacy", "registry", "web"),
    }
)


def acr_of(level: int) -> str:
    """Return the authentication context class of a level of assurance."""
    return f"{ACR}{level}"


def level_of(acr_values: Sequence[str]) -> int:
    """Return the lowest level that satisfies one of the values; unknown ones ask for nothing."""
    known = {form: level for level in LEVELS for form in (f"L{level}", acr_of(level))}
    return min((known[value] for value in acr_values if value in known), default=1)


def claims_of(scopes: Iterable[str]) -> frozenset[str]:
    """Return the claims that scopes open."""
    return frozenset(claim for name in scopes if name in SCOPES for claim in SCOPES[name].claims)


def level_needed(scopes: Iterable[str]) -> int:
    """Return the level of assurance that all of these scopes have."""
    return max((SCOPES[name].level for name in scopes), default=1)


def delegable(roles: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the permissions that a system may hold at its organisation.

    Those of services that somebody working at an organisation holds. What only the platform's own
    people may do, no system may; nor what gives rights to people, for through them it would have
    any.
    """
    return frozenset(
        name
        for name, held in roles.items()
        if held & {"staff", "manager"} and name.partition(".")[0] not in PLATFORM
    )
