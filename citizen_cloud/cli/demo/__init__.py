"""The demo city: loaded on the first embedded run, and a guided tour through it over HTTP."""

from citizen_cloud.cli.demo.city import prepare
from citizen_cloud.cli.demo.walk import command

__all__ = ["command", "prepare"]
