"""Which installation a command speaks to: the environment's, else the ``serve`` that runs here."""

import json
import os
import signal
from pathlib import Path

import click

from citizen_cloud.config import Settings, load_settings
from citizen_cloud.embedded import is_in_use

VAR = "CITIZEN_CLOUD_VAR"
FILE = "environment.json"


def default_var() -> Path:
    """Return the folder of the embedded run: ``CITIZEN_CLOUD_VAR``, else ``./var``."""
    return Path(os.environ.get(VAR) or "var").absolute()


def settings(var: Path | None = None) -> Settings:
    """Return the settings of a command.

    Without ``DATABASE_URL`` it joins the ``serve`` that runs on ``var``, whose variables become
    those of this process. Raises ``ClickException`` when there is none.
    """
    if not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")):
        os.environ.update(_published(var or default_var()))
    return load_settings()


def publish(var: Path, environment: dict[str, str]) -> None:
    """Write down the variables of a run, for commands started in another terminal."""
    draft = var / f"{FILE}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(environment, file)
    draft.replace(var / FILE)


def reload_run(var: Path) -> bool:
    """Ask the ``serve`` on ``var`` to let its services read their keys again; False without one."""
    if not is_in_use(var):
        return False
    os.kill(int((var / "serve.lock").read_text()), signal.SIGUSR1)
    return True


def _published(var: Path) -> dict[str, str]:
    path = var / FILE
    # The file may have survived a crash; the lock cannot.
    if not path.exists() or not is_in_use(var):
        message = f"DATABASE_URL is not set and no serve runs on {var}; start ./scripts/serve first"
        raise click.ClickException(message)
    environment: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return environment
