"""What a verifier must remember when it is started anew: the snapshot's number, and who was here.

Without it a restart would let an older snapshot in again, and a showing pass twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from citizen_cloud.credentials.verifier.gates import OfflineVerifier, Verdict
from citizen_cloud.credentials.verifier.outcomes import Outcome


class StateInvalid(Exception):
    """Not what ``dumped`` wrote; to go on without it would be to forget."""


def dumped(verifier: OfflineVerifier) -> dict[str, Any]:
    """Return the memory as JSON: ids of codes and times, nobody's name."""
    return {
        "number": verifier.snapshot.number,
        "seen": [
            [str(jti), step, at.isoformat()]
            for (jti, step), (at, _) in verifier.seen.entries.items()
        ],
        "answers": [
            [scan_id, digest.hex(), at.isoformat(), _written(verdict)]
            for (scan_id, digest), (at, verdict) in verifier.answers.entries.items()
        ],
    }


def number_in(state: Mapping[str, Any]) -> int:
    """Return the number below which no snapshot counts. Raises ``StateInvalid``."""
    try:
        return int(state["number"])
    except (KeyError, TypeError, ValueError) as error:
        raise StateInvalid from error


def restore(verifier: OfflineVerifier, state: Mapping[str, Any]) -> None:
    """Give a verifier its memory back. Raises ``StateInvalid``."""
    try:
        for jti, step, at in state["seen"]:
            verifier.seen.entries[UUID(jti), step] = (datetime.fromisoformat(at), True)
        for scan_id, digest, at, verdict in state["answers"]:
            key = (scan_id, bytes.fromhex(digest))
            verifier.answers.entries[key] = (datetime.fromisoformat(at), _read(verdict))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StateInvalid from error


def _written(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "status_as_of": verdict.status_as_of.isoformat(),
        "type": verdict.type,
        "colour": verdict.colour,
        "name": verdict.name,
        "as_of": verdict.as_of.isoformat() if verdict.as_of else None,
        "jti": str(verdict.jti) if verdict.jti else None,
        "step": verdict.step,
    }


def _read(written: Mapping[str, Any]) -> Verdict:
    return Verdict(
        outcome=Outcome(written["outcome"]),
        status_as_of=datetime.fromisoformat(written["status_as_of"]),
        type=written["type"],
        colour=written["colour"],
        name=written["name"],
        as_of=datetime.fromisoformat(written["as_of"]) if written["as_of"] else None,
        jti=UUID(written["jti"]) if written["jti"] else None,
        step=written["step"],
    )
