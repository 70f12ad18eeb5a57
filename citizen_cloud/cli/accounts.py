"""``citizen-cloud accounts``: administrators and auditors, who come from the machine's owner."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import click

from citizen_cloud import crypto, db
from citizen_cloud.accounts.refusals import UsernameTaken
from citizen_cloud.accounts.services import create_staff, staff
from citizen_cloud.accounts.services.resets import ask_reset
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations.services import Actor, add_member

USERNAME = re.compile("[a-z0-9][a-z0-9._-]{2,63}")
# Nobody is signed in at a terminal; the audit entry says that the machine's owner acted.
OPERATOR = Actor(kind="operator", id=None)
PlatformRole = Literal["admin", "auditor"]


@click.group()
def command() -> None:
    """Look after accounts."""


@command.command("create-admin")
@click.option("--username", required=True, help="What the administrator signs in with.")
@click.option("--display-name", default=None, help="Shown to staff; the user name if left out.")
def create_admin(username: str, display_name: str | None) -> None:
    """Create an administrator and print a one-time password, once.

    It is good for 72 hours and replaced at the first sign-in, which sets a second factor up.
    """
    _create(username, display_name, "admin")


@command.command("create-auditor")
@click.option("--username", required=True, help="What the auditor signs in with.")
@click.option("--display-name", default=None, help="Shown to staff; the user name if left out.")
def create_auditor(username: str, display_name: str | None) -> None:
    """Create an auditor, who sees everything and changes nothing; like create-admin."""
    _create(username, display_name, "auditor")


def _create(username: str, display_name: str | None, role: PlatformRole) -> None:
    if not USERNAME.fullmatch(username):
        raise click.BadParameter(
            "3 to 64 of a-z, 0-9, dot, dash and underscore", param_hint="username"
        )
    with _database():
        try:
            click.echo(new_account(username, display_name or username, role))
        except UsernameTaken as error:
            raise click.ClickException(f"{username} is taken") from error


def new_account(username: str, display_name: str, role: PlatformRole) -> str:
    """Create the account and its platform role together; return the one-time password."""
    with db.transaction() as session:
        account_id, password = create_staff(
            session,
            username=username,
            display_name=display_name,
            kind="admin" if role == "admin" else "staff",
        )
        add_member(session, organisation_id=None, account_id=account_id, role=role, actor=OPERATOR)
    return password


@command.command("reset")
@click.option("--username", required=True, help="Whose password or authenticator is lost.")
def reset(username: str) -> None:
    """Shut a staff or administrator account and print the code that opens it, once.

    For an installation without two administrators who could do it. The code is good for 24 hours.
    """
    with _database():
        try:
            click.echo(new_reset(username))
        except NotFound as error:
            raise click.ClickException(f"there is no {username}") from error


def new_reset(username: str) -> str:
    """Reset an account as the machine's owner and return the code. Raises ``NotFound``."""
    with db.transaction() as session:
        found = staff.find(session.connection(), username=username)
        made = ask_reset(
            session,
            account_id=found.account_id,
            needs_second=False,
            actor_kind=OPERATOR.kind,
            actor_id=None,
        )
    return str(made.code)


@contextmanager
def _database() -> Iterator[None]:
    settings = settings_of_run()
    crypto.configure(settings)
    database = db.connect(settings)
    try:
        yield
    finally:
        database.dispose()
