"""Which operating-system user runs the engines, and where that user can work.

PostgreSQL refuses to run as root. Started by root, the engines run as ``postgres`` or ``nobody``;
when that user cannot enter the folder (a clone in /root), data and programs are kept under
/var/lib instead. Permissions of folders which the project did not create are never touched.
"""

import hashlib
import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

STATE = Path("/var/lib")
ENTER = 0o711
PRIVATE = 0o700
# sockaddr_un holds 108 bytes with the closing zero.
SOCKET_BYTES = 107
LONGEST_SOCKET = ".s.PGSQL.5432"


class EngineError(Exception):
    """The embedded servers cannot run here; the message is one sentence for people."""


class Switch(TypedDict, total=False):
    """The arguments of ``Popen`` which change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user the engines run as; ``self`` unless this process is root."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The user's name; the number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def switch(self) -> Switch:
        """Return what ``Popen`` needs to become this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, *argv: str | Path) -> bool:
        """Tell whether this user can run a command, by running it."""
        try:
            done = subprocess.run(  # noqa: S603 - the programs are ours
                list(map(str, argv)),
                capture_output=True,
                check=False,
                cwd="/",
                **self.switch(),
            )
        except OSError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this user reaches a folder, by going there."""
        return not self.switch() or self.can("/bin/sh", "-c", 'cd "$1"', "sh", folder)

    def owned_folder(self, path: Path) -> Path:
        """Make a folder only this user enters. Raises ``EngineError`` when it is not so."""
        try:
            path.mkdir(mode=PRIVATE)
            os.chown(path, self.uid, self.gid)
        except FileExistsError:
            found = path.lstat()
            private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
            if not private or found.st_uid != self.uid:
                message = f"{path} exists and is not a private folder of user {self.name}"
                raise EngineError(message) from None
        return path


def account_for(cluster: Path) -> Account:
    """Return the owner of a cluster that exists, else a user whom PostgreSQL accepts.

    Raises ``EngineError`` when this process is root and there is no such user.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if cluster.exists() and cluster.stat().st_uid != 0:
        return Account(cluster.stat().st_uid, cluster.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    message = "PostgreSQL refuses root, and there is no user postgres or nobody to run it"
    raise EngineError(message)


def make_folder(path: Path) -> Path:
    """Make a folder and its missing parents, enterable whatever the umask; leave others alone."""
    if not path.exists():
        make_folder(path.parent)
        path.mkdir()
        path.chmod(ENTER)
    return path


def settle(wanted: Path, account: Account, tell: Callable[[str], None]) -> Path:
    """Return the folder where the account can keep data: the wanted one if it can enter it."""
    make_folder(wanted)
    if account.can_enter(wanted):
        return wanted
    home = shelter_of(wanted)
    tell(f"user {account.name}, who runs PostgreSQL, cannot enter {wanted}: data is in {home}")
    return make_folder(home)


def shelter_of(folder: Path) -> Path:
    """Return the place under /var/lib that stands in for a folder; only root writes there."""
    return STATE / f"citizen-cloud-{_digest(folder)}"


def socket_folder(home: Path, account: Account) -> Path:
    """Return a private folder for sockets whose path the kernel can hold."""
    run = home / "run"
    if len(os.fsencode(run / LONGEST_SOCKET)) > SOCKET_BYTES:
        run = Path("/tmp") / f"citizen-cloud-{account.uid}-{_digest(home)}"  # noqa: S108 - owner and mode are checked
    return account.owned_folder(run)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
