"""``citizen-cloud modules``: what is plugged in, whether it keeps the rules, and its switch."""

import sys
from typing import cast, get_args

import click

from citizen_cloud import crypto, db
from citizen_cloud.cli.environment import settings
from citizen_cloud.manifest import ModuleState
from citizen_cloud.registry import services
from citizen_cloud.registry.discovery import discover


@click.group()
def command() -> None:
    """Look after plug-in services."""


@command.command("list")
def show() -> None:
    """List what is installed, with states, and what stands aside with its reason."""
    _connect()
    found = discover()
    with db.transaction() as session:
        for switch in services.switches(session, found.modules):
            title = found.modules[switch.name].title
            click.echo(f"{switch.name:16} {switch.state:10} {title.zh} {title.en}")
    for name, reason in found.quarantined.items():
        click.echo(f"{name:16} quarantined {reason}")


@command.command()
@click.argument("name")
def check(name: str) -> None:
    """Hold one module to the manifest's rules; exit code 1 with the rule it breaks."""
    found = discover()
    if name in found.modules:
        module = found.modules[name]
        click.echo(f"{name} {module.version} keeps the rules ({len(module.blueprints)} blueprints)")
        return
    click.echo(found.quarantined.get(name, "no package offers a module of this name"))
    sys.exit(1)


@command.command()
@click.argument("name")
@click.argument("state", type=click.Choice(get_args(ModuleState)))
@click.option("--reason", required=True, help="Why; it is audited.")
def switch(name: str, state: str, reason: str) -> None:
    """Put a module into a state; running workers follow within seconds."""
    module = discover().modules.get(name)
    if module is None:
        message = f"no module {name} is installed; see modules list"
        raise click.ClickException(message)
    if not reason.strip():
        raise click.BadParameter("say why", param_hint="reason")
    _connect()
    with db.transaction() as session:
        services.set_state(
            session,
            module=module,
            state=cast("ModuleState", state),
            reason=reason,
            actor_id=None,
            actor_kind="operator",
        )
    click.echo(f"{name} is {state}")


def _connect() -> None:
    found = settings()
    crypto.configure(found)
    db.install(db.PooledDatabase(found.database_url, pool_size=2))
