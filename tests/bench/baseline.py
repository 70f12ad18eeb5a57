"""The booking's own statement without the application: pgbench, prepared, at its best."""

import os
import re
import subprocess

from bench.stage import SLOTS
from crowd import ACCOUNT, PERSON, SLOT

from citizen_cloud.booking.statement import BOOK_RATIONED
from citizen_cloud.embedded.account import account_for
from citizen_cloud.embedded.programs import postgres_programs


def _numbered(kind, variable):
    return f"('{kind:08x}-0000-7000-8000-' || lpad(to_hex(:{variable}::int), 12, '0'))::uuid"


# No colon in a constant: pgbench would take what follows for a variable.
VALUES = {
    "id": "uuidv7()",
    "slot_id": _numbered(SLOT, "slot"),
    "person_id": _numbered(PERSON, "person"),
    "booked_by": _numbered(ACCOUNT, "person"),
    "quantity": "1",
    "reference": "'P' || to_hex(:n::bigint)",
    "request_key": "'pgbench' || :n::bigint",
    "request_hash": "sha256(int8send(:n::bigint))",
    "payload": "'{}'::jsonb",
    "actor_kind": "'citizen'",
    "salt": "substr(sha256(int8send(:n::bigint)), 1, 16)",
    "hold_for": "NULL::interval",
    "now": "NULL::timestamptz",
    "scope": "'bench'",
    "person_key": "sha256(int8send(:n::bigint))",
    "period": "'rolling'",
    "max": "9",
    "days": "14",
    "window_from": "current_date",
}
COUNTER = r"""\set i :i + 1
\set n :run * 60000 + :client_id * 1000000 + :i
"""
CHOICE = {
    "spread": "\\set slot :n % {slots}\n\\set person :n % {citizens}\n",
    # A slot of its own for every run, and as many people for each client.
    "hot": "\\set slot {slots} + :run\n\\set person (:client_id * :share + :i) % {citizens}\n",
}


def script(kind, *, citizens):
    """Return the statement as a pgbench script; the values are made by the server."""
    head = COUNTER + CHOICE[kind].format(slots=SLOTS, citizens=citizens)
    sql = re.sub(r"%\((\w+)\)s(::\w+)?", lambda match: VALUES[match[1]], BOOK_RATIONED)
    return head + sql.strip() + ";\n"


class Pgbench:
    """pgbench on the stage's database; each run books other people into other slots."""

    def __init__(self, stage):
        self._stage = stage
        self._runs = 0
        account = account_for(stage.postgres.cluster)
        self._program = postgres_programs(account, stage.postgres.home) / "pgbench"
        self._scripts = {}
        for kind in CHOICE:
            self._scripts[kind] = stage.folder / f"{kind}.sql"
            self._scripts[kind].write_text(script(kind, citizens=len(stage.citizens)))

    def run(self, *, clients, seconds, kind="spread"):
        """Return confirmed bookings a second."""
        self._runs += 1
        command = [
            self._program, "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
            "-T", str(seconds), "-D", "i=0", "-D", f"run={self._runs}",
            "-D", f"share={len(self._stage.citizens) // clients}", "-f", self._scripts[kind], self._stage.postgres.url(),
        ]  # fmt: skip
        done = subprocess.run(
            command,
            env={**os.environ, "PGOPTIONS": "-c role=citizen_cloud_app"},
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        if done.returncode or not found or "failed" in done.stderr:
            raise RuntimeError(done.stdout + done.stderr)
        return float(found[1])

    def best_clients(self, *, seconds, kind="spread"):
        """Return the number of clients that books the most."""
        tried = {n: self.run(clients=n, seconds=seconds, kind=kind) for n in (1, 4, 8, 16, 32)}
        return max(tried, key=tried.get)
