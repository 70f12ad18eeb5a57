"""The key rings of an embedded installation: drawn once, never again."""

import os
import shutil
from pathlib import Path

from citizen_cloud.crypto import draw_key
from citizen_cloud.embedded.account import EngineError

RINGS = ("token_keys", "field_keys", "lookup_keys", "quota_key", "credential_keys")
# Rings that older installations lack. They seal nothing, so one drawn later loses nothing.
LATER = ("trust_keys",)


def keys(var: Path) -> dict[str, str]:
    """Return the ``CITIZEN_CLOUD_*_FILE`` variables, drawing the rings on the first run.

    The folder appears whole or not at all. A key missing later is not drawn anew: what it has
    sealed would never open again. Raises ``EngineError`` in that case.
    """
    folder = var / "keys"
    if not folder.exists():
        _draw(folder)
    _draw_later(folder)
    files = {ring: folder / f"{ring}.key" for ring in (*RINGS, *LATER)}
    for file in files.values():
        if not file.exists():
            message = f"{file} is missing; put it back, or start anew with --fresh"
            raise EngineError(message)
    return {f"CITIZEN_CLOUD_{ring.upper()}_FILE": str(file) for ring, file in files.items()}


def _draw(folder: Path) -> None:
    draft = folder.with_name("keys.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    for ring in RINGS:
        _write(draft / f"{ring}.key")
    draft.rename(folder)


def _draw_later(folder: Path) -> None:
    for ring in LATER:
        file = folder / f"{ring}.key"
        if not file.exists():
            draft = file.with_suffix(".new")
            draft.unlink(missing_ok=True)
            _write(draft)
            draft.rename(file)


def _write(file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(draw_key() + "\n")
        out.flush()
        os.fsync(out.fileno())
