"""A demo city with its server and its job worker, as ``serve`` runs them."""

import subprocess
import sys
from dataclasses import replace

import pytest
from live import ROOT, environment, serving

from citizen_cloud import db
from citizen_cloud.cli.demo import prepare


@pytest.fixture
def city(fresh_database, tmp_path):
    """A database with the demo city, its server and its worker."""
    var = tmp_path / "var"
    var.mkdir()
    settings = replace(fresh_database.settings, sms_log=var / "sms.log")
    prepare(settings, var, lambda _: None)
    db.install(fresh_database.database)
    with (tmp_path / "jobs.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "citizen_cloud.cli", "jobs", "work"],
            cwd=ROOT,
            env=environment(settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with serving(settings, tmp_path / "api.log") as server:
            yield server, settings, var
    finally:
        worker.terminate()
        worker.wait(20)
