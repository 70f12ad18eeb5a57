"""Pure facts of signing in through others: what was vouched for, assurance levels, PKCE."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from citizen_cloud.text import Text

Kind = Literal["mini_program", "redirect"]
TITLES = {
    "wechat": Text("微信", "WeChat"),
    "alipay": Text("支付宝", "Alipay"),
    "oidc": Text("政务服务平台", "Government service platform"),
}
# How long an app may take between leaving for the provider and coming back, and then to link.
START_LIFE = timedelta(minutes=10)
TICKET_LIFE = timedelta(minutes=10)
# Factors that the provider saw within this count as shown just now.
FRESH_FOR = timedelta(minutes=5)
REAL_NAME = 2
LONGEST_SUBJECT = 255
_SUBJECT = re.compile(f"[!-~]{{1,{LONGEST_SUBJECT}}}")
# 2, L2, loa2, urn:example:assurance:L2, https://example.org/acr/2
_LEVEL = re.compile("(?:.*[:/#._-])?(?:l|loa|ial|al)?([1-3])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document and the name on it, as the provider wrote them; not yet judged."""

    document_type: str
    number: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """What a provider says of whoever signed in there.

    ``document`` only where the provider itself proved it (level 2 and above). ``is_fresh`` where
    the factors were shown just now, rather than some time ago.
    """

    subject: str
    level: int = 1
    document: Document | None = None
    is_fresh: bool = False


@dataclass(frozen=True, kw_only=True)
class Started:
    """What was kept when the citizen left for the provider."""

    nonce: str
    verifier: str


def is_subject(value: object) -> bool:
    """Return whether this can name somebody at a provider: short, printable, not empty."""
    return isinstance(value, str) and _SUBJECT.fullmatch(value) is not None


def challenge_of(verifier: str) -> str:
    """Return the S256 code challenge of a PKCE verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def assurance_level(claims: Mapping[str, Any]) -> int:
    """Return the level an upstream vouches for; 1 where it says nothing that is understood.

    ``assurance_level`` counts before ``acr``.
    """
    said = claims.get("assurance_level", claims.get("acr"))
    if isinstance(said, int) and not isinstance(said, bool):
        said = str(said)
    found = _LEVEL.fullmatch(said) if isinstance(said, str) else None
    return int(found[1]) if found else 1


def document_of(claims: Mapping[str, Any]) -> Document | None:
    """Return the document in the claims of an upstream that proved it; None below level 2."""
    kind = claims.get("document_type", "resident_id")
    number, name = claims.get("document_number"), claims.get("name")
    if assurance_level(claims) < REAL_NAME:
        return None
    if not (isinstance(kind, str) and isinstance(number, str) and isinstance(name, str)):
        return None
    return Document(document_type=kind, number=number, name=name)


def is_recent(auth_time: object, now: datetime) -> bool:
    """Return whether somebody's factors were shown a few minutes ago at most."""
    if not isinstance(auth_time, int) or isinstance(auth_time, bool):
        return False
    return 0 <= now.timestamp() - auth_time <= FRESH_FOR.total_seconds()
