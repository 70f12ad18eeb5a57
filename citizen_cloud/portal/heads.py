"""The audit chain's heads as signed statements: what anybody may keep, to hold us to it later."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Head, note_head
from citizen_cloud.config import Settings
from citizen_cloud.credentials import statements
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.credentials.verifier import Keys

TYPE = "audit-head"
ISSUER = "citizen-cloud"

_file: list[Path | None] = [None]


def configure(settings: Settings) -> None:
    """Take from the settings the file outside the database that heads are appended to."""
    _file[:] = [settings.audit_heads_file]


def statement(head: Head) -> str:
    """Sign a head: the same head signs to the same text as long as the key stays."""
    claims = {
        "iss": ISSUER,
        "iat": int(head.sealed_at.timestamp()),
        "number": head.number,
        "hash": head.hash.hex(),
        "sealed_at": head.sealed_at.isoformat(),
        "day": head.day.isoformat(),
    }
    return statements.sign(claims, type=TYPE)


def shown(head: Head) -> dict[str, Any]:
    """Return a head as everybody gets it."""
    return {
        "number": head.number,
        "hash": head.hash.hex(),
        "sealed_at": head.sealed_at,
        "day": head.day,
        "signed": statement(head),
    }


def publish(session: Session) -> Head | None:
    """Keep the present head in the database and, where one is named, in the file outside it."""
    head = note_head(session)
    path = _file[0]
    if head is not None and path is not None:
        line = f"{statement(head)}\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
    return head


def read(lines: Iterable[str], *, keys: Keys) -> Mapping[int, bytes]:
    """Return the heads of a kept file, one statement a line. Raises ``StatementInvalid``.

    A saved answer of ``GET /open/audit/heads`` is taken as well: its statements count, not the
    words beside them.
    """
    text = "".join(lines).strip()
    if text.startswith("{"):
        try:
            texts = [str(item["signed"]) for item in json.loads(text)["items"]]
        except (ValueError, KeyError, TypeError) as error:
            raise StatementInvalid("not a list of heads") from error
    else:
        texts = text.split()
    found: dict[int, bytes] = {}
    for one in texts:
        claims = statements.read(one, type=TYPE, keys=keys)
        number, said = int(claims["number"]), bytes.fromhex(claims["hash"])
        if found.setdefault(number, said) != said:
            raise StatementInvalid(f"two heads of number {number} differ")
    return found
