"""``citizen-cloud secrets``: the files that compose.yaml mounts, drawn once."""

import os
import secrets
from pathlib import Path

import click

from citizen_cloud.crypto import draw_key
from citizen_cloud.db import APP_ROLE
from citizen_cloud.embedded.keys import LATER, RINGS
from citizen_cloud.embedded.postgres import DATABASE, OWNER_ROLE

# Given by whoever sends the texts and verifies the names; empty until somebody fills them in.
PROVIDERS = ("sms_token", "verifier_token")


@click.command("secrets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="postgres:5432", show_default=True, help="The database server.")
def command(folder: Path, host: str) -> None:
    """Draw keys and passwords into FOLDER; where it exists, only what a newer version asks for."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError as error:
        if drawn := _drawn_later(folder):
            click.echo(f"{folder} has {' and '.join(drawn)} now; nothing else was touched")
            return
        message = f"{folder} exists; what its keys have sealed opens with no others"
        raise click.ClickException(message) from error
    passwords = {name: secrets.token_hex(24) for name in ("postgres", "owner", "app")}
    files = {f"{name}_password": text for name, text in passwords.items()}
    files["database_url"] = _url(APP_ROLE, passwords["app"], host)
    files["database_owner_url"] = _url(OWNER_ROLE, passwords["owner"], host)
    files |= {ring: draw_key() for ring in (*RINGS, *LATER)}
    files |= dict.fromkeys(PROVIDERS, "")
    for name, text in files.items():
        _write(folder / name, text)
    _write(folder / ".gitignore", "*\n")
    click.echo(f"{len(files)} files in {folder}; fill in {' and '.join(PROVIDERS)}")


def _drawn_later(folder: Path) -> list[str]:
    """Draw the rings that an installation of an older version lacks; return their names."""
    if not all((folder / ring).exists() for ring in RINGS):
        return []
    missing = [ring for ring in LATER if not (folder / ring).exists()]
    for ring in missing:
        _write(folder / ring, draw_key())
    return missing


def _url(role: str, password: str, host: str) -> str:
    return f"postgresql://{role}:{password}@{host}/{DATABASE}"


def _write(path: Path, text: str) -> None:
    # Readable by the containers' users, to whom each file is mounted; the folder keeps others out.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(0o644)
