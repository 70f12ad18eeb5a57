"""``citizen-cloud modules``: what is plugged in, does it keep the rules, its switch, its end."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast, get_args

import click

from citizen_cloud import db
from citizen_cloud.app import configure, contributions
from citizen_cloud.cli.environment import settings
from citizen_cloud.cli.privacy import keys_of
from citizen_cloud.credentials import keys as own_keys
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.credentials.verifier import Keys
from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import ModuleState
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.services import purging
from citizen_cloud.privacy.services.destruction import read_destruction
from citizen_cloud.registry import services
from citizen_cloud.registry.discovery import discover
from citizen_cloud.registry.purging import ModulePurged, Purge, purge_of


@click.group()
def command() -> None:
    """Look after plug-in services."""


@command.command("list")
def show() -> None:
    """List what is installed, with states, and what stands aside with its reason."""
    found = discover()
    with _connected(), db.transaction() as session:
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
    try:
        with _connected(), db.transaction() as session:
            services.set_state(
                session,
                module=module,
                state=cast("ModuleState", state),
                reason=reason,
                actor_id=None,
                actor_kind="operator",
            )
    except ModulePurged as error:
        message = f"{name} was purged and stays in sunset"
        raise click.ClickException(message) from error
    click.echo(f"{name} is {state}")


@command.command()
@click.argument("name")
def purge(name: str) -> None:
    """Carry out a purge that two people agreed to; may be stopped and run again."""
    with _connected():
        ending = owners.current().endings.get(name)
        if ending is None:
            message = f"no module {name} is installed that says how it ends"
            raise click.ClickException(message)
        said: dict[str, int] = {}
        while (found := _step(ending)) is not None:
            if found.progress != said:
                said = dict(found.progress)
                click.echo(f"step {said.get(purging.STEP, 0)} of {len(purging.STEPS)}: {said}")
        with db.transaction() as session:
            done = purge_of(session, name)
    if done is None or done.certificate is None:
        raise click.ClickException("ordered less than a minute ago; run it again")
    click.echo(done.certificate)


def _step(ending: owners.Ending) -> Purge | None:
    while True:
        try:
            with db.transaction() as session:
                return purging.advance(session, ending)
        except purging.NotYet:
            time.sleep(1)
        except NotFound as error:
            raise click.ClickException("nobody ordered that; see approvals") from error


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "key_set",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved /.well-known/credential-keys.json; the installation's own keys if left out.",
)
def certificate(file: Path, key_set: Path | None) -> None:
    """Verify a destruction certificate and show what it says; exit code 1 if it is not genuine."""
    known = _own_keys() if key_set is None else keys_of(key_set.read_text(encoding="utf-8"))
    try:
        claims = read_destruction(file.read_text(encoding="utf-8"), keys=known)
    except (StatementInvalid, UnicodeDecodeError) as error:
        click.echo(f"not genuine: {error}")
        sys.exit(1)
    click.echo(json.dumps(claims, ensure_ascii=False, indent=2))


def _own_keys() -> Keys:
    configure(settings())
    return own_keys.public_keys()


@contextmanager
def _connected() -> Iterator[None]:
    found = settings()
    configure(found)
    here = discover()
    owners.install(
        owners.owners_of(contributions(), here.modules.values(), absent=here.quarantined)
    )
    database = db.PooledDatabase(found.database_url, pool_size=2)
    db.install(database)
    try:
        yield
    finally:
        database.dispose()
