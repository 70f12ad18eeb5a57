"""``citizen-cloud verify``: a gate with every server stopped; it needs two files and a clock."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click

from citizen_cloud.cli.gate_files import GateFiles, Unusable
from citizen_cloud.credentials.claims import TYPES
from citizen_cloud.credentials.compact import LONGEST
from citizen_cloud.credentials.proofs import LONGEST_NONCE, from_text, to_text
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Outcome, Verdict
from citizen_cloud.credentials.verifier.gates import HEALTH_CODES, MAX_AGE
from citizen_cloud.credentials.verifier.outcomes import WORDS
from citizen_cloud.text import Text

REFUSED = 1
UNUSABLE = 2
# A scanner gone wild is cut off; what is longer is no code anyway.
LONGEST_LINE = 4096
LONGEST_SCAN_ID = 64
SCAN_ID = f"[A-Za-z0-9._-]{{1,{LONGEST_SCAN_ID}}}"
COLOURS = {
    "green": Text("绿码", "GREEN"),
    "yellow": Text("黄码", "YELLOW"),
    "red": Text("红码", "RED"),
}
FILE = click.Path(dir_okay=False, path_type=Path)


class Nonce(click.ParamType[bytes]):
    """A gate's nonce as its screen shows it: base64url."""

    name = "base64url"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes."""
        try:
            raw = from_text(value)
        except ValueError:
            raw = b""
        if not 1 <= len(raw) <= LONGEST_NONCE:
            self.fail(f"base64url of 1 to {LONGEST_NONCE} bytes", param, ctx)
        return raw


class Types(click.ParamType[frozenset[str]]):
    """Types of codes, separated by commas."""

    name = "types"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[str]:
        """Return the types."""
        types = value if isinstance(value, frozenset) else frozenset(value.split(","))
        if not types or not types <= TYPES.keys():
            self.fail(f"some of {', '.join(TYPES)}", param, ctx)
        return types


class ScanId(click.ParamType[str]):
    """A scan's id as the batch door takes it: another one would have its whole upload refused."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id."""
        if not re.fullmatch(SCAN_ID, value):
            self.fail(f"1 to {LONGEST_SCAN_ID} of A-Z a-z 0-9 . _ -", param, ctx)
        return str(value)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One code held in front of the scanner."""

    scan_id: str
    code: str
    scanned_at: datetime


@click.command()
@click.argument("code")
@click.option("--snapshot", type=FILE, required=True, help="/.well-known/credential-snapshot.jwt")
@click.option("--roots", type=FILE, required=True, help="/.well-known/credential-roots.json")
@click.option("--place", "place_id", type=click.UUID, help="The place this gate stands in.")
@click.option("--nonce", type=Nonce(), help="What this gate asks every code to be bound to.")
@click.option(
    "--max-age",
    type=click.IntRange(0, 7 * 86_400),
    default=int(MAX_AGE.total_seconds()),
    show_default=True,
    help="How many seconds old the snapshot may be.",
)
@click.option("--types", type=Types(), default=",".join(sorted(HEALTH_CODES)), show_default=True)
@click.option("--state", type=FILE, help="Remembers who was here, and the snapshot's number.")
@click.option("--queue", type=FILE, help="Collects the scans, for the batch door later.")
@click.option(
    "--scan-id", type=ScanId(), help="The scanner's own id of this scan; repeated, it repeats."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(  # noqa: PLR0913, PLR0917 - one for each option
    code: str,
    snapshot: Path,
    roots: Path,
    place_id: UUID | None,
    nonce: bytes | None,
    max_age: int,
    types: frozenset[str],
    state: Path | None,
    queue: Path | None,
    scan_id: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Verify CODE, or with "-" every line of the input, without any server.

    Exit code 0: every code is valid; 1: one was refused; 2: the snapshot, the roots or the memory
    cannot be used, and nobody was let in.
    """
    if code == "-" and scan_id is not None:
        raise click.UsageError("--scan-id names one scan, not a line of them")
    gate = Gate(place_id=place_id, nonce=nonce, types=types, max_age=timedelta(seconds=max_age))
    files = GateFiles(snapshot, roots, state, queue)
    try:
        verifier = files.verifier(gate)
        outcomes = [
            _checked(scan, verifier, files, as_json=as_json) for scan in _scans(code, scan_id)
        ]
    except Unusable as error:
        click.echo(f"无法核验 · cannot verify: {error}", err=True)
        sys.exit(UNUSABLE)
    finally:
        files.close()
    if not all(outcome is Outcome.VALID for outcome in outcomes):
        sys.exit(REFUSED)


def _scans(code: str, scan_id: str | None) -> Iterator[Scan]:
    """Yield the code, or what a scanner types in line by line, as it comes."""
    for line in _typed() if code == "-" else (code,):
        if text := line.strip("\r\n"):
            yield Scan(scan_id=scan_id or str(uuid4()), code=text, scanned_at=datetime.now(UTC))


def _typed() -> Iterator[str]:
    while line := sys.stdin.buffer.readline(LONGEST_LINE):
        yield line.decode("utf-8", "replace")


def _checked(scan: Scan, verifier: OfflineVerifier, files: GateFiles, *, as_json: bool) -> Outcome:
    try:
        files.renew(verifier)
    except Unusable as error:
        # What is held is still good, until the gate's patience ends.
        click.echo(f"快照未更新 · not renewed: {error}", err=True)
    verdict = verifier.check(scan.code, now=scan.scanned_at, scan_id=scan.scan_id)
    files.keep(verifier)
    if _is_uploadable(scan.code):
        files.enqueue(_queued(scan, verdict, verifier.gate))
    click.echo(_json(scan, verdict) if as_json else _sentence(verdict))
    return verdict.outcome


def _is_uploadable(code: str) -> bool:
    """Say whether a scan can be told of later; one row with, say, a shop's barcode cannot.

    The door refuses an upload as a whole for a row that it cannot read. Ours are all printable.
    """
    return len(code) <= LONGEST and code.isascii() and code.isprintable()


def _queued(scan: Scan, verdict: Verdict, gate: Gate) -> dict[str, Any]:
    """Return a scan as ``POST /api/v1/health-code/verifications/batch`` takes it."""
    return {
        "scan_id": scan.scan_id,
        "code": scan.code,
        "scanned_at": scan.scanned_at.isoformat(),
        "outcome": verdict.outcome,
        **({"place_id": str(gate.place_id)} if gate.place_id else {}),
        **({"nonce": to_text(gate.nonce)} if gate.nonce else {}),
    }


def _json(scan: Scan, verdict: Verdict) -> str:
    said = {
        "scan_id": scan.scan_id,
        "scanned_at": scan.scanned_at.isoformat(),
        "outcome": verdict.outcome,
        "type": verdict.type,
        "colour": verdict.colour,
        "name_masked": verdict.name,
        "as_of": verdict.as_of.isoformat() if verdict.as_of else None,
        "status_as_of": verdict.status_as_of.isoformat(),
        "reason": WORDS[verdict.outcome].as_json(),
    }
    return json.dumps(said, ensure_ascii=False)


def _sentence(verdict: Verdict) -> str:
    """Return what a guard reads: the colour first, then how old each word is."""
    words = WORDS[verdict.outcome]
    parts = [f"{words.zh} · {words.en} [{verdict.outcome}]"]
    if verdict.colour is not None:
        colour = COLOURS[verdict.colour]
        parts.insert(0, f"{colour.zh} {colour.en}")
    if verdict.name is not None:
        parts.append(verdict.name)
    if verdict.as_of is not None:
        parts.append(f"码签发于 issued {_local(verdict.as_of)}")
    parts.append(f"名单截至 status as of {_local(verdict.status_as_of)}")
    return "  ".join(parts)


def _local(instant: datetime) -> str:
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")
