"""``citizen-cloud accounts``: the first administrator, who lets everybody else in."""

import re

import click

from citizen_cloud import crypto, db
from citizen_cloud.accounts.refusals import UsernameTaken
from citizen_cloud.accounts.services import create_staff
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.organisations.services import Actor, add_member

USERNAME = re.compile("[a-z0-9][a-z0-9._-]{2,63}")
# Nobody is signed in at a terminal; the audit entry says that the machine's owner acted.
OPERATOR = Actor(kind="operator", id=None)


@click.group()
def command() -> None:
    """Look after accounts."""


@command.command("create-admin")
@click.option("--username", required=True, help="What the administrator signs in with.")
@click.option("--display-name", default=None, help="Shown to staff; the user name if left out.")
def create_admin(username: str, display_name: str | None) -> None:
    """Create an administrator and print a one-time password, once.

    The second factor is set up at the first sign-in.
    """
    if not USERNAME.fullmatch(username):
        raise click.BadParameter(
            "3 to 64 of a-z, 0-9, dot, dash and underscore", param_hint="username"
        )
    settings = settings_of_run()
    crypto.configure(settings)
    database = db.connect(settings)
    try:
        click.echo(new_admin(username, display_name or username))
    except UsernameTaken as error:
        raise click.ClickException(f"{username} is taken") from error
    finally:
        database.dispose()


def new_admin(username: str, display_name: str) -> str:
    """Create the account and its platform role together; return the one-time password."""
    with db.transaction() as session:
        account_id, password = create_staff(
            session, username=username, display_name=display_name, kind="admin"
        )
        add_member(
            session, organisation_id=None, account_id=account_id, role="admin", actor=OPERATOR
        )
    return password
