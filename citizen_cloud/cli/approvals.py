"""``citizen-cloud approvals``: the first approvers come from the machine's owner.

Who appoints is the owner of the tables: the application's role, which may be stolen, cannot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.accounts.services import staff
from citizen_cloud.approvals import queries, services
from citizen_cloud.approvals.refusals import NobodyBound, NotEligible
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.clock import local
from citizen_cloud.errors import NotFound


@click.group()
def command() -> None:
    """Look after those who decide together."""


@command.command("appoint")
@click.option("--username", required=True, help="What the member of staff signs in with.")
@click.option("--unit", required=True, type=click.UUID, help="The authority's id.")
def appoint(username: str, unit: UUID) -> None:
    """Appoint an approver; later ones are appointed by two approvers and need no machine.

    Two of different authorities are needed before anything can be decided. The account is bound
    to its person first (POST /me/person-binding). Whose account was reset or bound anew is
    appointed anew.
    """
    with _as_owner() as session:
        try:
            approver_id = services.appoint(
                session, account_id=_account(session, username), unit_id=unit
            )
        except NotEligible as error:
            raise click.ClickException(
                f"{username} is no active staff of an open public authority {unit}"
            ) from error
        except NobodyBound as error:
            raise click.ClickException(
                f"{username} stands for nobody yet: its citizen confirms it first"
            ) from error
    click.echo(f"{username} decides from now on, as {approver_id}")


@command.command("end")
@click.option("--username", required=True, help="Who shall decide no more.")
def end(username: str) -> None:
    """End an appointment; what he agreed to counts no more where it is still open."""
    with _as_owner() as session:
        try:
            services.dismiss(session, account_id=_account(session, username))
        except NotFound as error:
            raise click.ClickException(f"{username} is no approver") from error
    click.echo(f"{username} decides no more")


@command.command("list")
def list_approvers() -> None:
    """Show who is appointed, and whose appointment counts no more."""
    with _as_owner() as session:
        found = queries.approvers(session)
    for one in found:
        since = local(one.appointed_at).date()
        state = "stands" if one.stands else "VOID: reset, bound anew, suspended, or left since"
        click.echo(f"{one.username}  {one.unit} ({one.unit_id})  since {since}  {state}")
    units = {one.unit_id for one in found if one.stands}
    if len(units) < 2:  # noqa: PLR2004 - two people of different units
        click.echo("nothing can be decided: approvers of two authorities are needed", err=True)


def _account(session: Session, username: str) -> UUID:
    found = staff.find(session.connection(), username=username)
    if found.account_id == staff.NOBODY:
        raise click.ClickException(f"there is no {username}")
    return found.account_id


@contextmanager
def _as_owner() -> Iterator[Session]:
    settings = settings_of_run()
    crypto.configure(settings)
    database = db.PooledDatabase(settings.database_owner_url, pool_size=1, role=None)
    try:
        with database.transaction() as session:
            yield session
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        message = "only the owner of the tables appoints: give DATABASE_OWNER_URL"
        raise click.ClickException(message) from error
    finally:
        database.dispose()
