"""The operator's commands: files of keys that are always whole, and refusals in words."""

import stat
from dataclasses import replace

import pytest
from click.testing import CliRunner

from citizen_cloud import crypto
from citizen_cloud.cli import keys as cli
from citizen_cloud.cli.keys import rings
from citizen_cloud.crypto import draw_key, parse_ring


@pytest.fixture
def ring(tmp_path, monkeypatch):
    path = tmp_path / "field_keys"
    path.write_text(draw_key("k1") + "\n")
    path.chmod(0o640)
    monkeypatch.setenv("CITIZEN_CLOUD_FIELD_KEYS_FILE", str(path))
    return path


def run(*arguments):
    return CliRunner().invoke(cli.command, list(arguments))


def test_a_key_is_added_behind_promoted_and_removed(ring, full, monkeypatch):
    city = full.city
    entry = city.fresh.settings.field_keys
    ring.write_text(entry)
    assert run("add", "field").exit_code == 0
    assert rings.kids(ring) == ["k1", "k2"]
    assert run("promote", "k2", "field").exit_code == 0
    assert rings.kids(ring) == ["k2", "k1"]

    def settings():
        # What a command reads: the file as it is now.
        return cli_settings(city, ring)

    monkeypatch.setattr(cli, "settings", settings)
    refused = run("remove", "k1", "field")
    assert refused.exit_code == 1
    assert "keys rewrite" in refused.output
    assert rings.kids(ring) == ["k2", "k1"]
    assert run("rewrite", "--batch", "2").exit_code == 0
    assert "field k1: safe to remove" in run("status").output
    assert run("remove", "k1", "field").exit_code == 0
    assert rings.kids(ring) == ["k2"]
    assert stat.S_IMODE(ring.stat().st_mode) == 0o640
    assert run("rewrite").exit_code == 0
    acts = city.rows("SELECT payload FROM audit.entry WHERE action = 'keys.rewritten'")
    assert [act.payload["field"] for act in acts] == ["k2"]


def cli_settings(city, ring):
    return replace(city.fresh.settings, field_keys=ring.read_text())


def test_the_key_that_writes_and_a_key_that_is_not_there_stay_where_they_are(ring):
    before = ring.read_text()
    for arguments, said in (
        (("remove", "k1", "token"), "no such file"),
        (("promote", "k7", "field"), "holds no key k7"),
        (("add", "quota"), "is not one of"),
    ):
        done = run(*arguments)
        assert done.exit_code != 0
        assert said in done.output.lower()
    assert ring.read_text() == before
    assert "promote another" in run("remove", "k1", "field").output
    assert ring.read_text() == before


def test_names_rise_and_no_output_shows_a_key(ring):
    for _ in range(10):
        done = run("add", "field")
        assert done.exit_code == 0
    assert rings.kids(ring)[-1] == "k11"
    for entry in ring.read_text().split():
        assert entry.partition(":")[2] not in done.output
    assert len(parse_ring(ring.read_text(), "x").keys) == 11


def test_a_file_that_is_no_ring_is_refused_and_left_alone(ring):
    ring.write_text("k1:AAAA\n")
    done = run("add", "field")
    assert done.exit_code == 1
    assert ring.read_text() == "k1:AAAA\n"
    assert crypto.KEY_BYTES == 32


def test_the_ring_of_trust_is_turned_by_the_same_commands(tmp_path, monkeypatch):
    path = tmp_path / "trust_keys"
    path.write_text(draw_key("k1") + "\n")
    monkeypatch.setenv("CITIZEN_CLOUD_TRUST_KEYS_FILE", str(path))
    for step in (("add", "trust"), ("promote", "k2", "trust"), ("remove", "k1", "trust")):
        assert run(*step).exit_code == 0
    assert rings.kids(path) == ["k2"]
