"""``citizen-cloud keys revoke``: a key of codes that was stolen or lost counts no more."""

import getpass

import click

from citizen_cloud import crypto, db
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services.reissuing import left
from citizen_cloud.credentials.services.revoking import (
    REASONS,
    KeyUnknown,
    Reason,
    revoke_key,
    revoked_keys,
)


def revoke(kid: str, reason: Reason) -> None:
    """Revoke a key of codes and say what is to be done next."""
    with db.transaction() as session:
        try:
            is_new = revoke_key(session, kid=kid, reason=reason, by=getpass.getuser())
        except KeyUnknown as error:
            held = ", ".join(keys.names())
            raise click.ClickException(
                f"no key of codes is called {kid}; the ring holds {held}"
            ) from error
        usable = [name for name in keys.names() if name not in revoked_keys(session)]
        living = left(session, kids=[kid])
    click.echo(
        f"{kid} {'is revoked' if is_new else 'was revoked before'}: nothing it signed counts"
    )
    click.echo(f"{living} living codes to issue anew: citizen-cloud credentials reissue")
    if not usable:
        ring = next(iter(crypto.current().credentials.keys))
        click.echo(f"NO KEY IS LEFT THAT SIGNS: keys add credential, then reload; {ring} stays out")


REASON = click.Choice(REASONS)
