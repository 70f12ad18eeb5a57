"""Find modules through entry points; set a bad one aside with its reason."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points

import structlog
from flask import Flask

from citizen_cloud.manifest import ServiceModule
from citizen_cloud.web.blueprint import API_ROOT, Blueprint
from citizen_cloud.web.marks import access_of

GROUP = "citizen_cloud.modules"
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
# Words that are rooms or schemas of the host.
RESERVED = frozenset(
    {
        *(
            "accounts",
            "admin",
            "app",
            "approvals",
            "audit",
            "auth",
            "booking",
            "bookings",
            "credentials",
            "home",
        ),
        *("jobs", "me", "messages", "modules", "open", "organisations", "portal", "procrastinate"),
        *("public", "registry", "web"),
    }
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Installed:
    """The modules that can serve, and those that cannot, with the reason."""

    modules: dict[str, ServiceModule] = field(default_factory=dict)
    quarantined: dict[str, str] = field(default_factory=dict)


class BadManifest(Exception):
    """A manifest breaks a rule; the message is shown to administrators."""


def discover(found: Iterable[EntryPoint] | None = None) -> Installed:
    """Load every module of the entry-point group.

    A module that raises anything on import (``SystemExit`` too) or breaks a rule of the manifest
    is quarantined; the host starts without it.
    """
    installed = Installed()
    points = entry_points(group=GROUP) if found is None else found
    for point in sorted(points, key=lambda p: p.name):
        try:
            module = point.load()
            _check(point.name, module, installed)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything
            reason = f"{type(error).__name__}: {error}"[:500]
            installed.quarantined[point.name] = reason
            log.warning("module_quarantined", module=point.name, reason=reason)
        else:
            installed.modules[module.name] = module
    return installed


def _check(point_name: str, module: object, installed: Installed) -> None:
    if not isinstance(module, ServiceModule):
        raise BadManifest("the entry point does not name a ServiceModule")
    for is_broken, reason in _rules(point_name, module, installed):
        if is_broken:
            raise BadManifest(reason)
    for blueprint in module.blueprints:
        _check_routes(module, blueprint)


def _rules(point_name: str, module: ServiceModule, installed: Installed) -> list[tuple[bool, str]]:
    name = module.name
    jobs = [job.name for job in module.jobs]
    return [
        (not NAME.fullmatch(name), "name: lower-case letters, digits and _, 2 to 31 long"),
        (name != point_name, "name differs from the entry point"),
        (name in RESERVED, "name is reserved by the host"),
        (name in installed.modules, "another module has this name"),
        (
            module.sunset is not None and module.code_types != module.sunset.credentials,
            "the sunset names the codes of its bookings",
        ),
        # The end of one service would end the other's codes.
        (
            any(module.code_types & other.code_types for other in installed.modules.values()),
            "another module has codes of this type",
        ),
        (not all(module.title), "title is needed in zh and en"),
        (not module.blueprints, "a module without routes serves nobody"),
        (
            any(not p.name.startswith(f"{name}.") for p in module.permissions),
            f"permissions begin with {name}.",
        ),
        (
            not all(permission.is_apart for permission in module.permissions),
            "what serves citizens is no administrator's and no auditor's",
        ),
        (
            any(not kind.name.startswith(f"{name}.") for kind in module.decisions),
            f"decisions begin with {name}.",
        ),
        (any(not job.startswith(f"{name}.") for job in jobs), f"jobs begin with {name}."),
        (len(set(jobs)) != len(jobs), "two jobs share a name"),
        (
            any(not b.name.startswith(name) for b in module.blueprints),
            f"blueprint names begin with {name}",
        ),
    ]


def _check_routes(module: ServiceModule, blueprint: object) -> None:
    """Register the blueprint on a scratch app: every door is marked and under its own roots."""
    if not isinstance(blueprint, Blueprint):
        raise BadManifest("blueprints are citizen_cloud.web.blueprint.Blueprint")
    scratch = Flask("scratch")
    scratch.register_blueprint(blueprint)
    segment = module.segment
    roots = (
        f"{API_ROOT}/{segment}",
        f"{API_ROOT}/me/{segment}",
        f"{API_ROOT}/open/{segment}",
        *module.url_roots,
    )
    for rule in scratch.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        path = str(rule)
        if not any(path == root or path.startswith(root + "/") for root in roots):
            raise BadManifest(f"route {path} lies outside {', '.join(roots)}")
        view = scratch.view_functions[rule.endpoint]
        for method in rule.methods or ():
            if method not in ("OPTIONS", "HEAD") and access_of(view, method) is None:
                raise BadManifest(f"route {method} {path} carries no access mark")
