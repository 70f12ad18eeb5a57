"""Key rings in files: a new entry at the end, an entry to the front, an entry away."""

import os
from pathlib import Path

import click

from citizen_cloud.cli.environment import default_var
from citizen_cloud.config import SettingsError
from citizen_cloud.crypto import draw_key, parse_ring

# The quota key is none of them: another one would give everybody a second quota.
RINGS = ("token", "field", "lookup", "credential", "trust")


def file_of(ring: str) -> Path:
    """Return a ring's file: the one the settings name, else the embedded run's."""
    named = os.environ.get(f"CITIZEN_CLOUD_{ring.upper()}_KEYS_FILE")
    return Path(named) if named else default_var() / "keys" / f"{ring}_keys.key"


def kids(path: Path) -> list[str]:
    """Return the names in a ring, the one that writes first."""
    return [entry.partition(":")[0] for entry in _entries(path)]


def add(path: Path) -> str:
    """Draw a key behind all others, so that nothing is written with it yet; return its name."""
    entries = _entries(path)
    numbers = [int(kid[1:]) for kid in kids(path) if kid[:1] == "k" and kid[1:].isdigit()]
    # Names rise: counts stay with the key whose name comes first while two are held.
    kid = f"k{max(numbers, default=0) + 1}"
    _write(path, [*entries, draw_key(kid)])
    return kid


def promote(path: Path, kid: str) -> None:
    """Make a key the one that writes."""
    chosen, others = _apart(path, kid)
    _write(path, [chosen, *others])


def refuse_present(path: Path, kid: str) -> None:
    """Raise ``ClickException`` unless the ring holds the key and another one writes."""
    _apart(path, kid)
    if kids(path)[0] == kid:
        message = f"{kid} is the key of {path.name} that writes; promote another one first"
        raise click.ClickException(message)


def remove(path: Path, kid: str) -> None:
    """Take a key away; never the one that writes."""
    refuse_present(path, kid)
    _write(path, _apart(path, kid)[1])


def _apart(path: Path, kid: str) -> tuple[str, list[str]]:
    entries = _entries(path)
    chosen = [entry for entry in entries if entry.partition(":")[0] == kid]
    if not chosen:
        message = f"{path.name} holds no key {kid}; it holds {', '.join(kids(path))}"
        raise click.ClickException(message)
    return chosen[0], [entry for entry in entries if entry != chosen[0]]


def _entries(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise click.ClickException(message) from error
    return [entry.strip() for entry in text.replace("\n", ",").split(",") if entry.strip()]


def _write(path: Path, entries: list[str]) -> None:
    """Replace the file whole: a worker that starts meanwhile reads the old ring or the new one."""
    text = "\n".join(entries) + "\n"
    try:
        parse_ring(text, path.name)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    before = path.stat()
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        os.chown(draft, before.st_uid, before.st_gid)
    draft.chmod(before.st_mode & 0o777)
    draft.replace(path)
