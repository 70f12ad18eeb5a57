"""``citizen-cloud verify`` as a gate runs it: a process of its own, two files, no server."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gate_world as world
import pytest
from click.testing import CliRunner
from phone import Phone

from citizen_cloud.cli.gate_files import GateFiles
from citizen_cloud.cli.verify import command
from citizen_cloud.credentials.proofs import to_text
from citizen_cloud.modules.health_code.schemas.verifying import HealthScanBatchSchema

NONCE = bytes(range(16))
# Nobody listens there: whoever asks a server is refused at once.
NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
# Raises at any connection, so that even one that would fail is noticed.
WITHOUT_A_NETWORK = """
import socket, sys
def refuse(*args, **kwargs):
    raise SystemExit("a connection was tried")
socket.socket.connect = socket.create_connection = refuse
from citizen_cloud.cli import main
try:
    main(sys.argv[1:])
finally:
    behind = {"flask", "sqlalchemy", "psycopg", "redis", "gevent"} & set(sys.modules)
    assert not behind, behind
"""


class Gate:
    """The files of one gate, and the command run with them."""

    def __init__(self, folder):
        self.folder = folder
        self.roots = folder / "roots.json"
        self.snapshot = folder / "snapshot.jws"
        self.roots.write_text(json.dumps(world.ROOTS_DOCUMENT))
        self.renew()

    def renew(self, **facts):
        self.snapshot.write_text(world.snapshot_text(at=facts.pop("at", now()), **facts))

    def options(self, *more):
        return ["--snapshot", str(self.snapshot), "--roots", str(self.roots), *map(str, more)]

    def run(self, code, *more, typed=None):
        done = CliRunner().invoke(command, [*self.options(*more), "--", code], input=typed)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def said(self, code, *more, typed=None):
        done = self.run(code, "--json", *more, typed=typed)
        return [json.loads(line)["outcome"] for line in done.stdout.splitlines()]


def now():
    return datetime.now(UTC)


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.fixture
def phone():
    return Phone()


def fresh(phone, **facts):
    return world.credential(phone, iat=now() - timedelta(minutes=1), **facts)


def test_a_gate_works_with_everything_stopped(gate, phone):
    """No settings, unreachable engines, and a process in which a connection is a failure."""
    code = phone.show(fresh(phone, c="yellow"), now())
    kept = {name: value for name, value in os.environ.items() if "CITIZEN" not in name}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_A_NETWORK, "verify", code, *gate.options()],
        capture_output=True,
        text=True,
        check=False,
        cwd=gate.folder,
        env=kept | NOWHERE | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("黄码 YELLOW  有效 · Valid [valid]")
    assert done.stderr == ""


def test_a_refusal_is_exit_code_one_and_says_why(gate, phone):
    jws = fresh(phone)
    done = gate.run(phone.show(jws, now() - timedelta(seconds=90)))
    assert done.exit_code == 1
    assert "Not shown just now" in done.stdout
    assert "GREEN" not in done.stdout
    gate.renew(void=[world.jti_of(jws)])
    assert gate.said(phone.show(jws, now())) == ["revoked"]


def test_a_snapshot_or_roots_that_cannot_be_used_are_exit_code_two(gate, phone):
    code = phone.show(fresh(phone), now())
    genuine = gate.snapshot.read_text()
    for file, text in (
        (gate.snapshot, genuine[:-9] + "AAAAAAAAA"),
        (gate.snapshot, ""),
        (gate.roots, "{}"),
        (gate.roots, '{"keys": []}'),
        (gate.roots, "\udcff"),
    ):
        before = file.read_bytes()
        file.write_text(text, errors="surrogateescape")
        done = gate.run(code)
        assert done.exit_code == 2, text
        assert str(gate.folder) in done.stderr
        file.write_bytes(before)
    gate.snapshot.unlink()
    assert gate.run(code).exit_code == 2


def test_a_gate_reads_line_after_line(gate, phone):
    good = phone.show(fresh(phone), now())
    typed = f"{good}\n\nnonsense\ufffd\n{world.voucher()}\n{good}"
    assert gate.said("-", typed=typed) == ["valid", "malformed", "wrong_type", "replayed"]
    assert gate.run("-", typed=typed).exit_code == 1
    assert gate.run("-", typed="").exit_code == 0
    assert gate.run("-", "--scan-id", "s1", typed=typed).exit_code == 2


def test_what_a_gate_asks_for_is_asked(gate, phone):
    place = world.some_place()
    jws = fresh(phone)
    asked = ("--nonce", to_text(NONCE), "--place", place)
    assert gate.said(phone.show(jws, now(), nonce=NONCE, place_id=place), *asked) == ["valid"]
    assert gate.said(phone.show(jws, now()), *asked) == ["wrong_nonce"]
    paper = world.paper(iat=now())
    assert gate.said(paper) == ["valid"]
    assert gate.said(paper, "--types", "hc,ht") == ["wrong_type"]
    for wrong in (("--nonce", "!"), ("--nonce", ""), ("--types", "hc,xx"), ("--place", "here")):
        assert gate.run(paper, *wrong).exit_code == 2, wrong


def test_the_age_of_the_snapshot_is_the_gates_to_say(gate, phone):
    gate.renew(at=now() - timedelta(hours=2))
    assert gate.said(phone.show(fresh(phone), now())) == ["valid"]
    code = phone.show(fresh(phone), now())
    assert gate.said(code, "--max-age", "3600") == ["stale_status"]


def test_a_gate_started_anew_remembers_who_was_here(gate, phone):
    state = ("--state", gate.folder / "state.json")
    code = phone.show(fresh(phone), now())
    assert gate.said(code, *state, "--scan-id", "s1") == ["valid"]
    assert gate.said(code, *state, "--scan-id", "s1") == ["valid"]
    assert gate.said(code, *state, "--scan-id", "s2") == ["replayed"]
    assert gate.said(code) == ["valid"]
    assert (gate.folder / "state.json").stat().st_mode & 0o077 == 0
    assert "王" not in (gate.folder / "state.json").read_text()


def test_a_gate_started_anew_takes_no_older_snapshot(gate, phone):
    state = ("--state", gate.folder / "state.json")
    gate.renew(number=8)
    assert gate.said(phone.show(fresh(phone), now()), *state) == ["valid"]
    gate.renew(number=7)
    done = gate.run(phone.show(fresh(phone), now()), *state)
    assert done.exit_code == 2
    assert "older than 8" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"number": "x"}', '{"number": 1}'])
def test_a_memory_that_cannot_be_read_is_not_taken_for_an_empty_one(gate, phone, text):
    (gate.folder / "state.json").write_text(text)
    code = phone.show(fresh(phone), now())
    assert gate.run(code, "--state", gate.folder / "state.json").exit_code == 2


def test_two_gates_do_not_share_a_memory(gate, phone):
    state = gate.folder / "state.json"
    held = GateFiles(gate.snapshot, gate.roots, state)
    held.verifier(world.gate().gate)
    done = gate.run(phone.show(fresh(phone), now()), "--state", state)
    assert done.exit_code == 2
    assert "in use" in done.stderr
    held.close()
    assert gate.run(phone.show(fresh(phone), now()), "--state", state).exit_code == 0


def test_a_snapshot_that_is_replaced_is_used_from_the_next_scan(gate, phone):
    jws = fresh(phone)
    files = GateFiles(gate.snapshot, gate.roots)
    here = files.verifier(world.gate().gate)
    gate.renew(number=8, void=[world.jti_of(jws)])
    time.sleep(0.01)
    os.utime(gate.snapshot)
    files.renew(here)
    assert here.snapshot.number == 8
    assert here.check(phone.show(jws, now()), now=now()).outcome == "revoked"


def test_scans_are_kept_for_the_day_the_server_is_back(gate, phone):
    queue = gate.folder / "queue.jsonl"
    place = world.some_place()
    code = phone.show(fresh(phone), now(), nonce=NONCE)
    gate.run(code, "--queue", queue, "--nonce", to_text(NONCE), "--place", place)
    gate.run("-", "--queue", queue, typed=f"{world.voucher()}\n{'x' * 2000}\n")
    first, second = map(json.loads, queue.read_text().splitlines())
    assert first == {
        "scan_id": first["scan_id"],
        "code": code,
        "scanned_at": first["scanned_at"],
        "outcome": "valid",
        "place_id": str(place),
        "nonce": to_text(NONCE),
    }
    assert second["outcome"] == "wrong_type"
    assert first["scan_id"] != second["scan_id"]
    assert queue.stat().st_mode & 0o077 == 0


def test_a_code_of_an_ended_service_is_refused_with_the_next_snapshot(tmp_path):
    at_door = Gate(tmp_path)
    code = world.paper(iat=now() - timedelta(days=1))
    assert at_door.run(code).exit_code == 0
    at_door.renew(number=8, said={"ended_types": {"hp": None}})
    done = at_door.run(code)
    assert (done.exit_code, "[revoked]" in done.output) == (1, True)


def test_a_shops_barcode_before_the_scanner_holds_no_upload_up(gate, phone):
    """The batch door refuses a body as a whole for what it cannot read."""
    queue = gate.folder / "queue.jsonl"
    typed = f"010456789\x1d10ABC\nCC1:\u202e王\n{phone.show(fresh(phone), now())}\n"
    assert gate.said("-", "--queue", queue, typed=typed) == ["malformed", "malformed", "valid"]
    scans = [json.loads(line) for line in queue.read_text().splitlines()]
    assert [one["outcome"] for one in scans] == ["valid"]
    assert HealthScanBatchSchema().load({"scans": scans})


@pytest.mark.parametrize("scan_id", ["", "a b", "x" * 65, "号"])
def test_a_scan_id_that_could_not_be_uploaded_is_refused_at_once(gate, scan_id):
    assert gate.run("CC1:ABC", "--scan-id", scan_id).exit_code == 2


def test_the_memory_is_on_the_disk_before_it_takes_the_old_ones_place(gate, phone, monkeypatch):
    done = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("sync"), fsync(number)))
    monkeypatch.setattr(
        Path, "replace", lambda path, to: (done.append("replace"), replace(path, to))
    )
    gate.run(phone.show(fresh(phone), now()), "--state", gate.folder / "state.json")
    assert done == ["sync", "replace"] * 2
