"""The one gate before every request: app, module, early answers, caller, permission, limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction, unwrap
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Flask, Response, g, request
from flask.globals import request_ctx

from citizen_cloud.errors import Forbidden, Invalid, StepUpRequired, Unauthenticated
from citizen_cloud.web.caller import EXTENSION, Caller, Ports
from citizen_cloud.web.context import address
from citizen_cloud.web.limits import enforce
from citizen_cloud.web.marks import Access, access_of, handler_of
from citizen_cloud.web.parser import ON_BEHALF_OF, check_names, single
from citizen_cloud.web.refusals import ClientTooOld, ModuleOff
from citizen_cloud.web.step_up import FRESH_FOR, FRESH_S

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_TOKEN = 4096
UUID_FORM = re.compile("[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class UnmarkedRoute(Exception):
    """A route says nowhere who may pass; the application does not start with it."""


class CoroutineRoute(Exception):
    """A route is a coroutine, which nothing here would wait for; the application does not start."""


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint and method: who may pass, and whose module it belongs to."""

    access: Access
    module: str | None


def install(app: Flask, ports: Ports, *, min_app_version: str) -> None:
    """Fill the ports and close every door that is not marked."""
    app.extensions[EXTENSION] = ports
    doors = _doors(app, ports.module_of_blueprint)
    oldest = _version(min_app_version)

    @app.before_request
    def gate() -> Response | None:
        # The request itself: each look through Flask's stand-in for it costs as much as a rule.
        asked = request_ctx.request
        rule, method = asked.url_rule, asked.method
        if rule is None or method == "OPTIONS":
            return None
        door = doors[rule.endpoint, method]
        access = door.access
        _check_app(oldest, access, asked.environ)
        if door.module is not None:
            _check_module(ports, door.module, access, method)
        if access.early is not None:
            answer = access.early(asked.view_args or {})
            if answer is not None:
                return answer
        _check_caller(ports, access)
        return None


def _doors(app: Flask, module_of_blueprint: Mapping[str, str]) -> dict[tuple[str, str], Door]:
    """Return the doors; the module is found by blueprint, never by URL."""
    doors = {}
    for rule in app.url_map.iter_rules():
        module = module_of_blueprint.get(rule.endpoint.rpartition(".")[0])
        for method in (rule.methods or set()) - {"OPTIONS"}:
            view = app.view_functions[rule.endpoint]
            access = access_of(view, method)
            if access is None:
                raise UnmarkedRoute(f"{method} {rule}")
            handler = handler_of(view, method)
            if handler is not None and iscoroutinefunction(unwrap(handler)):
                raise CoroutineRoute(f"{method} {rule}")
            doors[rule.endpoint, method] = Door(access, module)
    return doors


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]{1,6}", text)[:4])


def _check_app(oldest: tuple[int, ...], access: Access, environ: "WSGIEnvironment") -> None:
    """Turn away an app that says it is older than what is still served."""
    sent = environ.get("HTTP_X_APP_VERSION")
    if sent is not None and not access.any_version and _version(sent[:40]) < oldest:
        raise ClientTooOld(min_version=".".join(map(str, oldest)))


def _check_module(ports: Ports, name: str, access: Access, method: str) -> None:
    """Refuse by the module's state."""
    state = ports.module_state(name)
    if (
        state in ("off", "draft", "sunset")
        or (state == "read_only" and method not in SAFE)
        or (state == "draining" and access.new_business)
    ):
        raise ModuleOff(module=name, state=state)


def _check_caller(ports: Ports, access: Access) -> None:
    for limit in access.limits:
        if limit.by == "address":
            enforce(limit, request.endpoint or "", address())
    if access.public:
        return
    known = ports.authenticate(bearer_token())
    g.caller = known
    for limit in access.limits:
        if limit.by == "account":
            enforce(limit, request.endpoint or "", str(known.account_id))
    _check_kind(known, access)
    _check_level(known, access.level)
    _check_age(known, access)
    if access.permission is not None:
        g.grant = ports.granted(known, access.permission)
        if not g.grant:
            raise Forbidden
    _find_subject(ports, access, known)


def _find_subject(ports: Ports, access: Access, known: Caller) -> None:
    """Put whom the caller acts for where ``subject()`` finds it, by one further statement.

    A door that does not take the parameter refuses it: nothing is done for oneself by mistake.
    """
    if not request.query_string:
        return
    if access.acts_for is None:
        if ON_BEHALF_OF in request.args:
            raise Invalid(errors=[{"pointer": f"/{ON_BEHALF_OF}", "code": "unknown_field"}])
        return
    sent = single(request.args)
    if not access.has_query:
        check_names(sent, ON_BEHALF_OF)
    if ON_BEHALF_OF not in sent:
        return
    g.takes_on_behalf_of = True
    person_id = _person_id(sent[ON_BEHALF_OF])
    if known.kind != "citizen":
        raise Forbidden
    if person_id == known.person.person_id:
        return
    reads = request.method in SAFE
    g.represented = ports.represent(known, person_id, access.acts_for, reads=reads)


def _person_id(sent: str) -> UUID:
    if not UUID_FORM.fullmatch(sent):
        raise Invalid(errors=[{"pointer": f"/{ON_BEHALF_OF}", "code": "uuid_required"}])
    return UUID(sent)


def _check_kind(known: Caller, access: Access) -> None:
    """Let systems pass where a permission is asked for; they have no factors to show again."""
    if known.kind == "service" and (access.permission is None or access.fresh):
        raise Forbidden


def _check_level(known: Caller, level: int) -> None:
    if level and known.kind != "citizen":
        # Staff accounts are not people with quotas and inboxes: citizens' doors stay shut.
        if level > 1:
            raise Forbidden
        return
    if known.level < level:
        raise StepUpRequired(required_level=level)


def _check_age(known: Caller, access: Access) -> None:
    if access.fresh and known.proved_ago > FRESH_FOR:
        raise StepUpRequired(required_level=access.level, max_age_s=FRESH_S)


def bearer_token() -> str:
    """Return the token of the one Authorization header (RFC 6750). Raises ``Unauthenticated``."""
    # Two fields arrive as one with a comma, which no token of ours holds.
    sent: str = request.environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = sent.partition(" ")
    if scheme.lower() != "bearer" or not 1 <= len(token) <= LONGEST_TOKEN:
        raise Unauthenticated
    return token
