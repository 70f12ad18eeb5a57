"""The ``citizen-cloud`` command. Each subcommand is a file beside this one, loaded when called."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from citizen_cloud.config import SettingsError

COMMANDS = {
    "accounts": "citizen_cloud.cli.accounts:command",
    "approvals": "citizen_cloud.cli.approvals:command",
    "audit": "citizen_cloud.cli.audit:command",
    "credentials": "citizen_cloud.cli.credentials:command",
    "db": "citizen_cloud.cli.db:command",
    "demo": "citizen_cloud.cli.demo:command",
    "health-code": "citizen_cloud.cli.health_code:command",
    "jobs": "citizen_cloud.cli.jobs:command",
    "keys": "citizen_cloud.cli.keys:command",
    "masks": "citizen_cloud.cli.masks:command",
    "modules": "citizen_cloud.cli.modules:command",
    "oidc": "citizen_cloud.cli.oidc:command",
    "openapi": "citizen_cloud.cli.openapi:command",
    "privacy": "citizen_cloud.cli.privacy:command",
    "secrets": "citizen_cloud.cli.draw:command",
    "serve": "citizen_cloud.cli.serve:command",
    "verify": "citizen_cloud.cli.verify:command",
}


class Subcommands(click.Group):
    """A group that imports a subcommand only when it is wanted, and lists those that exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names whose file is there."""
        return [name for name, place in COMMANDS.items() if find_spec(place.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; None when there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; settings that are missing end in a sentence, not in a traceback."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error


@click.command(cls=Subcommands)
def main() -> None:
    """Serve and look after Citizen Cloud."""
