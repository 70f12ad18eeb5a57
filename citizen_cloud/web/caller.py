"""Who is asking, as the routes see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn, Protocol, cast
from uuid import UUID

from flask import current_app, g

from citizen_cloud.errors import StepUpRequired
from citizen_cloud.manifest import ModuleState, Role
from citizen_cloud.text import Language
from citizen_cloud.web.refusals import ProxyNotPermitted
from citizen_cloud.web.step_up import FRESH_FOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The proven person behind an account; document and name stay sealed until needed.

    They come with the one statement that authenticates, so that a booking needs no second read.
    """

    person_id: UUID
    person_key: bytes
    document_type: str
    document_sealed: bytes
    name_sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated account. ``identity`` is set once the real-name step is done."""

    account_id: UUID
    sign_in_id: UUID
    device_id: UUID
    kind: str
    level: int
    identity: Identity | None = None
    # Whether the account belongs to a person, proven on this device or not.
    has_person: bool = False
    # Since the factors of this sign-in were last shown, and the document on this device.
    proved_ago: timedelta = timedelta(0)
    document_ago: timedelta | None = None
    language: Language = "zh"

    @property
    def person(self) -> Identity:
        """Return the identity; doors marked ``signed_in(level=2)`` always have one."""
        if self.identity is None:
            raise StepUpRequired(required_level=2)
        return self.identity

    @property
    def is_stranger(self) -> bool:
        """Return whether the account has a person who was not proven on this device.

        A number changes hands: its next holder must not read, or undo, what the last one left.
        """
        return self.has_person and self.identity is None

    def require_own(self) -> None:
        """Let pass whose document, if the account has one, was shown on this device."""
        if self.is_stranger:
            raise StepUpRequired(required_level=2)

    def require_document(self) -> None:
        """Let pass whose document, if the account has one, was shown on this device just now.

        Whoever finds an unlocked phone reads the codes that are texted to it. What cannot be
        undone asks for what a phone does not hold.
        """
        self.require_own()
        if self.has_person and (self.document_ago is None or self.document_ago > FRESH_FOR):
            raise StepUpRequired(required_level=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where a caller holds a permission: everywhere, or at some organisations."""

    everywhere: bool = False
    organisation_ids: frozenset[UUID] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        """Return whether the permission is held anywhere."""
        return self.everywhere or bool(self.organisation_ids)

    def covers(self, organisation_id: UUID) -> bool:
        """Return whether the permission is held at an organisation."""
        return self.everywhere or organisation_id in self.organisation_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Represented:
    """Somebody the caller may act for now: by which link, and in which services."""

    identity: Identity
    scopes: frozenset[str]
    link_id: UUID
    # The person's own living account, if there is one.
    account_id: UUID | None = None


class Represent(Protocol):
    """Return whom a link lets the caller act for. Raises ``ProxyNotPermitted``."""

    def __call__(self, caller: Caller, person_id: UUID, scope: str, *, reads: bool) -> Represented:
        """Look the link up, once per request; ``reads`` notes the look at once."""
        ...


def _for_nobody(*_: object, **__: object) -> NoReturn:
    raise ProxyNotPermitted


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What the gate asks of the rooms above; ``app.py`` fills it.

    ``authenticate`` raises ``Unauthenticated`` or ``Forbidden``; ``granted`` never raises.
    """

    authenticate: Callable[[str], Caller]
    granted: Callable[[Caller, str], Grant]
    module_state: Callable[[str], ModuleState]
    module_of_blueprint: dict[str, str] = field(default_factory=dict)
    represent: Represent = _for_nobody
    # Who may do what: permission → roles
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)


EXTENSION = "citizen_cloud.ports"


def ports() -> Ports:
    """Return the ports of the current application."""
    return cast("Ports", current_app.extensions[EXTENSION])


def caller() -> Caller:
    """Return the caller of this request; only routes that are not public have one."""
    return cast("Caller", g.caller)


def represented() -> Represented | None:
    """Return whom the caller acts for in this request; None in his own business."""
    return cast("Represented | None", g.get("represented"))


def subject() -> Identity | None:
    """Return whose business this is: the person named by ``on_behalf_of``, else the caller.

    None for a caller who did not take the real-name step yet.
    """
    someone = represented()
    return caller().identity if someone is None else someone.identity


def grant() -> Grant:
    """Return where the caller holds the permission this route requires."""
    return cast("Grant", g.grant)
