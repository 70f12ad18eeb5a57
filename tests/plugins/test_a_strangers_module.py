"""A stranger's package is installed, switched on, drained and removed, and cannot take us down."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from live import ROOT, environment, serving
from people import admin_token
from sqlalchemy import text

HERE = Path(__file__).parent


def install(package, target, tmp_path):
    """Install a package from its folder, as an operator would, into a folder of its own."""
    source = tmp_path / f"source-{package}"
    shutil.copytree(HERE / package, source)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--target",
            str(target),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def database(command, settings, site):
    """Run ``citizen-cloud db`` as an operator would."""
    subprocess.run(
        [sys.executable, "-m", "citizen_cloud.cli", "db", *command.split()],
        check=True,
        cwd=ROOT,
        env=environment(settings, PYTHONPATH=str(site)),
        timeout=60,
        capture_output=True,
    )


def eventually(server, call, expected, seconds=5.0):
    """Ask until both workers give the expected status; return how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if all(server.call(*call)[0] == expected for _ in range(8)):
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError([server.call(*call)[0] for _ in range(8)])


def switch(server, token, state):
    path = "/api/v1/admin/modules/toys/state"
    status, _, body = server.call("PUT", path, {"state": state, "reason": "试验"}, token=token)
    assert status == 200, body


def test_a_module_lives_and_goes_without_touching_the_host(fresh_database, tmp_path):
    settings, site, log = fresh_database.settings, tmp_path / "site", tmp_path / "api.log"
    install("toy_service", site, tmp_path)
    install("broken_service", site, tmp_path)
    database("upgrade", settings, site)
    shelf, add = ("GET", "/api/v1/toys/shelf"), ("POST", "/api/v1/toys/shelf", {"name": "皮球"})
    with serving(settings, log, PYTHONPATH=str(site)) as server:
        token = admin_token(settings)
        status, _, listed = server.call("GET", "/api/v1/admin/modules", token=token)
        states = {item["name"]: item for item in listed["items"]}
        assert status == 200
        assert states["toys"]["state"] == "off"
        assert states["broken"]["state"] == "quarantined"
        assert "licence server" in states["broken"]["reason"]
        assert server.call(*shelf)[0] == 503
        assert server.call(*shelf)[2]["code"] == "module_off"
        switch(server, token, "active")
        assert eventually(server, shelf, 200) < 5
        assert server.call(*add)[0] == 201
        assert "toys" in str(server.call("GET", "/api/v1/modules")[2])
        switch(server, token, "draining")
        assert eventually(server, add, 503) < 5
        kept = server.call(*shelf)[2]["items"]
        assert {item["name"] for item in kept} == {"皮球"}
        switch(server, token, "off")
        assert eventually(server, shelf, 503) < 5
    database("downgrade toys@base", settings, site)
    shutil.rmtree(site)
    with fresh_database.owner() as connection:
        assert connection.scalar(text("SELECT to_regclass('toys.toy')")) is None
    with serving(settings, log) as server:
        assert server.call(*shelf)[0] == 404
        assert server.call("GET", "/livez")[0] == 200
