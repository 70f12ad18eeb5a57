"""What a plug-in may look like, and that a bad one stands aside with its reason."""

from dataclasses import replace

import pytest
from flask.views import MethodView

from citizen_cloud.manifest import (
    BookingPolicy,
    Job,
    Permission,
    ServiceModule,
    Setting,
    Sunset,
)
from citizen_cloud.registry.discovery import discover
from citizen_cloud.text import Text
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import public


def blueprint(name="toy", prefix="/toy", marked=True):
    blp = Blueprint(name, url_prefix=prefix, description="A toy")

    class Ball(MethodView):
        def get(self):
            """Look at the ball"""
            return {}

        if marked:
            get = public(get)

    blp.route("/ball")(Ball)
    return blp


def module(**change):
    facts = {
        "name": "toy",
        "title": Text("玩具", "Toy"),
        "version": "1.0",
        "blueprints": (blueprint(),),
    }
    return ServiceModule(**{**facts, **change})


class Point:
    def __init__(self, name, loaded):
        self.name = name
        self._loaded = loaded

    def load(self):
        if isinstance(self._loaded, BaseException):
            raise self._loaded
        return self._loaded


def reason(loaded, name="toy"):
    found = discover([Point(name, loaded)])
    assert not found.modules
    return found.quarantined[name]


def test_a_good_module_is_found():
    assert set(discover([Point("toy", module())]).modules) == {"toy"}


@pytest.mark.parametrize(
    "fault", [ImportError("no such thing"), SyntaxError("bad"), SystemExit(3), RecursionError()]
)
def test_whatever_a_module_raises_on_import_the_host_goes_on(fault):
    found = discover([Point("bad", fault), Point("toy", module())])
    assert set(found.modules) == {"toy"}
    assert type(fault).__name__ in found.quarantined["bad"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Toy"}, "lower-case"),
        ({"name": "../toy"}, "lower-case"),
        ({"name": "other"}, "entry point"),
        ({"title": Text("玩具", "")}, "zh and en"),
        ({"blueprints": ()}, "serves nobody"),
        (
            {"permissions": (Permission(name="masks.x", title=Text("a", "b"), roles=frozenset()),)},
            "permissions",
        ),
        (
            {
                "permissions": (
                    Permission(
                        name="toy.serve",
                        title=Text("a", "b"),
                        roles=frozenset({"staff", "admin"}),
                        serves=True,
                    ),
                )
            },
            "serves citizens",
        ),
        ({"jobs": (Job(name="masks.steal", cron="* * * * *", run=print),)}, "jobs begin"),
        ({"blueprints": (blueprint(prefix="/masks"),)}, "outside"),
        ({"blueprints": (blueprint(marked=False),)}, "no access mark"),
        ({"blueprints": (blueprint(name="masks"),)}, "blueprint names"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_quarantined_with_the_rule(change, words):
    assert words in reason(module(**change), name=change.get("name", "toy").replace("other", "toy"))


def test_a_reserved_name_is_refused():
    assert "reserved" in reason(replace(module(), name="accounts"), name="accounts")


def test_something_that_is_no_module_is_refused():
    assert "ServiceModule" in reason(object())


def test_settings_are_checked_by_kind_and_bounds():
    from citizen_cloud.errors import Invalid
    from citizen_cloud.registry.services import check_settings

    known = (
        Setting(
            name="hours",
            title=Text("小时", "Hours"),
            kind="integer",
            default=1,
            minimum=1,
            maximum=9,
        ),
        Setting(name="on", title=Text("开", "On"), kind="boolean", default=True),
    )
    assert check_settings(known, {"hours": 9, "on": False}) == {"hours": 9, "on": False}
    for wrong in (
        {"hours": 0},
        {"hours": 10},
        {"hours": True},
        {"hours": "1"},
        {"on": 1},
        {"x": 1},
    ):
        with pytest.raises(Invalid):
            check_settings(known, wrong)


def test_no_two_services_share_a_type_of_codes_and_a_sunset_names_all_of_its_own():
    shared = Sunset(credentials=frozenset({"ticket"}))
    points = [
        Point("ball", module(name="ball", blueprints=(blueprint("ball", "/ball"),), sunset=shared)),
        Point("toy", module(sunset=shared)),
    ]
    found = discover(points)
    assert set(found.modules) == {"ball"}
    assert "codes of this type" in found.quarantined["toy"]
    policy = BookingPolicy(actions=None, cancel_policy=None, credential="ticket")
    found = discover([Point("toy", module(bookings=policy, sunset=Sunset()))])
    assert "names the codes of its bookings" in found.quarantined["toy"]
