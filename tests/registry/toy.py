"""A module for the registry's tests."""

from test_discovery import module

from citizen_cloud.manifest import Setting
from citizen_cloud.text import Text

HOURS = Setting(
    name="hours", title=Text("小时", "Hours"), kind="integer", default=1, minimum=1, maximum=9
)


def toy():
    return module(settings=(HOURS,))
