"""Marks on doors: who may pass. A route without a mark is refused, and never starts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from flask import Response
from flask.views import MethodView

View = TypeVar("View", bound=Callable[..., Any])
Early = Callable[[dict[str, Any]], Response | None]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most so many passages per network address or account; e.g. ``30/minute``."""

    rate: str
    by: Literal["address", "account"]


@dataclass(frozen=True, kw_only=True)
class Access:
    """Everything the gate needs to know of one door."""

    public: bool = False
    level: int = 0
    fresh: bool = False
    permission: str | None = None
    new_business: bool = False
    any_version: bool = False
    early: Early | None = None
    acts_for: str | None = None
    # Whether a schema reads the query, and with it what nobody declared.
    has_query: bool = False
    limits: tuple[Limit, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Return whether somebody said who may pass."""
        return self.public or self.level > 0 or self.permission is not None


def _marked(view: View, **change: Any) -> View:
    access = getattr(view, "_access", Access())
    view._access = replace(access, **change)  # type: ignore[attr-defined]  # noqa: SLF001
    return view


def public(view: View) -> View:
    """Let everybody pass."""
    return _marked(view, public=True)


def signed_in(level: int = 1) -> Callable[[View], View]:
    """Let accounts pass whose assurance level is at least this.

    1 phone, 2 document and name, 3 in person or by face.
    """
    return lambda view: _marked(view, level=level)


def fresh(view: View) -> View:
    """Ask for factors shown in the last minutes; an old sign-in must step up first (RFC 9470)."""
    return _marked(view, fresh=True)


def requires(permission: str) -> Callable[[View], View]:
    """Let accounts pass that hold a permission somewhere; services narrow it to the place."""
    return lambda view: _marked(view, permission=permission)


def acts_for(scope: str) -> Callable[[View], View]:
    """Take ``on_behalf_of``: the door serves whoever the caller may represent in this scope.

    A module's own name, ``messages``, ``any`` where the room itself narrows what is shown to
    the scopes of the link, or ``guardian``: a child's guardians only, whatever services their link
    names. ``web.caller.subject`` says whose business it is.
    """
    return lambda view: _marked(view, acts_for=scope)


def new_business(view: View) -> View:
    """Close this door already while the module is draining."""
    return _marked(view, new_business=True)


def any_version(view: View) -> View:
    """Answer apps too old for everything else."""
    return _marked(view, any_version=True)


def early(answer: Early) -> Callable[[View], View]:
    """Ask ``answer`` before the query, the body and the caller are read; public facts only.

    What it returns is the response. App and module were judged by then, limits were not.
    """
    return lambda view: _marked(view, early=answer)


def limited(rate: str, *, by: Literal["address", "account"]) -> Callable[[View], View]:
    """Bound how often one address or account may pass."""

    def mark(view: View) -> View:
        held = getattr(view, "_access", Access()).limits
        return _marked(view, limits=(*held, Limit(rate=rate, by=by)))

    return mark


def handler_of(view: Callable[..., Any], method: str) -> Callable[..., Any] | None:
    """Return what answers one HTTP method: a view function, or a MethodView's method."""
    view_class: type[MethodView] | None = getattr(view, "view_class", None)
    name = "get" if method == "HEAD" else method.lower()
    return getattr(view_class, name, None) if view_class else view


def access_of(view: Callable[..., Any], method: str) -> Access | None:
    """Return the mark of a view function or MethodView for one HTTP method."""
    target = handler_of(view, method)
    access: Access | None = getattr(target, "_access", None)
    if access is None or not access.is_decided:
        return None
    arguments = getattr(target, "_apidoc", {}).get("arguments", {}).get("parameters", ())
    return replace(access, has_query=any(one["in"] == "query" for one in arguments))
