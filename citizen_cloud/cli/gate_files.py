"""The files of a gate: keys it pins, snapshot, memory, and scans waiting to be uploaded.

Nothing here knows a server; whatever is wrong with a file ends in a sentence (``Unusable``).
"""

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Snapshot, SnapshotInvalid
from citizen_cloud.credentials.verifier import keys_of as keys_in
from citizen_cloud.credentials.verifier.reading import Keys
from citizen_cloud.credentials.verifier.state import StateInvalid, dumped, number_in, restore

PRIVATE = 0o600


class Unusable(Exception):
    """A file this gate cannot work by; the message is for the person who set it up."""


@dataclass
class GateFiles:
    """Where a gate keeps what, and the lock on its memory while it runs."""

    snapshot: Path
    roots: Path
    state: Path | None = None
    queue: Path | None = None
    _lock: TextIO | None = field(default=None, repr=False)
    _read_at: int = field(default=0, repr=False)

    def verifier(self, gate: Gate) -> OfflineVerifier:
        """Return a verifier with its memory. Raises ``Unusable``."""
        before = self._remembered()
        try:
            number = number_in(before) if before else 0
            verifier = OfflineVerifier(self._snapshot(number), gate)
            if before:
                restore(verifier, before)
        except StateInvalid as error:
            raise Unusable(f"{self.state}: not the memory of a verifier") from error
        self.keep(verifier)
        return verifier

    def renew(self, verifier: OfflineVerifier) -> None:
        """Go by the snapshot's file if it was replaced. Raises ``Unusable``; the old one stays."""
        if self._written_at() != self._read_at:
            verifier.renew(self._snapshot(verifier.snapshot.number))

    def keep(self, verifier: OfflineVerifier) -> None:
        """Write the memory down, whole or not at all."""
        if self.state is not None:
            part = self.state.with_name(self.state.name + ".part")
            with _private(part, os.O_TRUNC) as file:
                json.dump(dumped(verifier), file)
                file.flush()
                # A gate that loses its power must not wake up with half a memory, or none.
                os.fsync(file.fileno())
            part.replace(self.state)

    def enqueue(self, scan: dict[str, Any]) -> None:
        """Append a scan to what will be uploaded: safe on the disk before the gate opens."""
        if self.queue is not None:
            with _private(self.queue, os.O_APPEND) as file:
                file.write(json.dumps(scan) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def close(self) -> None:
        """Let go of the memory."""
        if self._lock is not None:
            self._lock.close()

    def _snapshot(self, at_least: int) -> Snapshot:
        self._read_at = self._written_at()
        text = _text(self.snapshot).strip()
        try:
            return Snapshot.read(text, _roots(self.roots), at_least=at_least)
        except SnapshotInvalid as error:
            raise Unusable(f"{self.snapshot}: {error}") from error

    def _written_at(self) -> int:
        try:
            return self.snapshot.stat().st_mtime_ns
        except OSError as error:
            raise Unusable(f"{self.snapshot}: {error.strerror}") from error

    def _remembered(self) -> dict[str, Any]:
        if self.state is None:
            return {}
        self._hold(self.state.with_name(self.state.name + ".lock"))
        if not self.state.exists():
            return {}
        try:
            found = json.loads(_text(self.state))
        except ValueError as error:
            raise Unusable(f"{self.state}: not the memory of a verifier") from error
        if not isinstance(found, dict) or not found:
            raise Unusable(f"{self.state}: not the memory of a verifier")
        return found

    def _hold(self, lock: Path) -> None:
        """Keep others away: two verifiers with one memory would each let a showing pass."""
        self._lock = _private(lock, os.O_TRUNC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unusable(f"{self.state}: in use by another verifier") from error


def _roots(path: Path) -> Keys:
    try:
        return keys_in(json.loads(_text(path)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path}: no key set") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: not a text") from error


def _private(path: Path, how: int) -> TextIO:
    """Open a file that only its owner may read."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | how, PRIVATE)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    return os.fdopen(number, "w", encoding="utf-8")
