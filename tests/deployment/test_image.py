"""The production image and its compose file, as far as they can be tried without an engine."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from citizen_cloud.config import Settings

ROOT = Path(__file__).parents[2]
KEYS = {"token_keys", "field_keys", "lookup_keys", "quota_key", "credential_keys", "trust_keys"}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [
        (word, rest) for word, _, rest in (li.partition(" ") for li in lines if li) if word != "#"
    ]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Return the parsed compose file."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return parsed


def test_every_copied_source_exists_and_reaches_the_engine() -> None:
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    for word, rest in instructions():
        if word == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in sent


def test_the_image_runs_as_nobody_special_and_reports_its_health() -> None:
    final = instructions()[max(i for i, (word, _) in enumerate(instructions()) if word == "FROM") :]
    words = dict(final)
    assert int(words["USER"]) > 1000
    assert "/livez" in words["HEALTHCHECK"]
    assert words["STOPSIGNAL"] == "SIGTERM"
    assert words["CMD"].startswith("[")
    assert [word for word, _ in final].index("USER") > [word for word, _ in final].index("RUN")


def test_the_base_image_is_a_build_argument() -> None:
    bases = [rest for word, rest in instructions() if word == "FROM"]
    assert len(bases) == 2
    assert all(base.startswith("${BASE}") for base in bases)


def test_nothing_is_installed_from_an_index_in_the_final_image() -> None:
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert "--no-index" in install
    assert "embedded" not in (ROOT / "Dockerfile").read_text().replace("no embedded servers", "")


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    for name in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "citizen_cloud", tmp_path / "citizen_cloud", ignore=ignore)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "."]
    subprocess.run(build, cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    files = (path for path in (tmp_path / "citizen_cloud").rglob("*") if path.is_file())
    assert {str(path.relative_to(tmp_path)) for path in files} <= held


def test_only_the_api_is_published_and_only_on_the_loopback(compose: dict[str, Any]) -> None:
    published = {name: s["ports"] for name, s in compose["services"].items() if "ports" in s}
    assert set(published) == {"app"}
    assert all(port.startswith("127.0.0.1:") for port in published["app"])
    assert compose["networks"]["inside"]["internal"]
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["inside"]


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|TOKEN|PASSWORD|DATABASE", name):
                assert name.endswith(("_FILE", "_DB"))
                assert name == "POSTGRES_DB" or Path(value).name in service["secrets"]
    assert all(Path(each["file"]).parent.name == "secrets" for each in compose["secrets"].values())


def test_only_the_migration_holds_the_owners_password(compose: dict[str, Any]) -> None:
    holders = {
        name
        for name, service in compose["services"].items()
        if "database_owner_url" in service.get("secrets", [])
    }
    assert holders == {"migrate"}
    assert compose["services"]["app"]["depends_on"]["migrate"]["condition"].endswith("successfully")


def test_the_drawn_secrets_are_the_ones_that_are_mounted(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    draw = [sys.executable, "-m", "citizen_cloud.cli", "secrets", str(tmp_path / "secrets")]
    subprocess.run(draw, check=True, capture_output=True)
    drawn = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert drawn == {*compose["secrets"], ".gitignore"}
    assert set(compose["secrets"]) > KEYS
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    again = subprocess.run(draw, check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "exists" in again.stderr


def test_secrets_of_an_older_version_get_what_is_new_and_keep_what_is_there(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "secrets"
    draw = [sys.executable, "-m", "citizen_cloud.cli", "secrets", str(folder)]
    subprocess.run(draw, check=True, capture_output=True)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    (folder / "trust_keys").unlink()
    subprocess.run(draw, check=True, capture_output=True)
    after = {path.name: path.read_text() for path in folder.iterdir()}
    assert after.pop("trust_keys") != before.pop("trust_keys")
    assert after == before
    # A ring that has sealed something is never drawn a second time.
    (folder / "field_keys").unlink()
    (folder / "trust_keys").unlink()
    assert subprocess.run(draw, check=False, capture_output=True).returncode == 1
    assert not (folder / "field_keys").exists()


def test_every_setting_is_in_the_operations_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    named = set(
        re.findall(
            r"env\.\w+\((?:ours \+ )?\"(\w+)\"", (ROOT / "citizen_cloud/config.py").read_text()
        )
    )
    assert len(named) >= len(Settings.__dataclass_fields__) - 1
    assert [name for name in sorted(named) if name not in manual] == []
