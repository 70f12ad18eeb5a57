"""The house rules that a tool can hold: stairs, doors, keys, caps, contracts."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from personal_tables import NOT_PERSONAL, covered_tables, keys_of, personal_tables
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, text

from citizen_cloud import migrations
from citizen_cloud.db import Base
from citizen_cloud.portal.state import HOST
from citizen_cloud.registry.discovery import discover
from citizen_cloud.rooms import TABLES as ROOMS
from citizen_cloud.web.marks import access_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "citizen_cloud"
CAPS = {
    "manifest.py": 180,
    "rules.py": 150,
    "jobs.py": 150,
    "cards.py": 120,
}
CAP = 250
LONGEST_FUNCTION = 40
DEEPEST = 3
# A module that has grown divides its services by subject.
DEEPEST_IN_A_MODULE = 4


def sources():
    return sorted(
        path
        for path in PACKAGE.rglob("*.py")
        if "migrations" not in path.relative_to(PACKAGE).parts[:-1]
        or path.parent.name != "migrations"
    )


def test_imports_go_down_the_stairs():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command as l; sys.argv=['lint-imports']; l()",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_foreign_keys_go_down_the_stairs():
    order = list(ROOMS)
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            target = key.column.table.schema
            if table.schema not in order:
                assert target in (table.schema, *order), f"{table} points at {target}"
            elif target != table.schema:
                assert order.index(target) < order.index(table.schema), (
                    f"{table} points up at {target}"
                )


KNOWS_ITS_TABLES = """
import sys
from types import SimpleNamespace
from citizen_cloud import app
from citizen_cloud.db import Base
from citizen_cloud.rooms import TABLES as ROOMS
loaded = {table.schema for table in Base.metadata.tables.values()}
app.crypto.configure = lambda _: None
for install in (app.verifier, app.allowances, app.providers):
    install.from_settings = install.install = lambda *_: None
app.data_access.configure = app.heads.configure = lambda _: None
app.configure(SimpleNamespace(audit_heads_file=None))
assert set(ROOMS) <= {table.schema for table in Base.metadata.tables.values()}
for table in Base.metadata.tables.values():
    for key in table.foreign_keys:
        key.column
"""


def test_a_process_knows_every_table_that_its_own_point_at():
    """In a process of its own: whatever a test imported would hide what the server lacks."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", KNOWS_ITS_TABLES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_door_is_marked(shared_app):
    for rule in shared_app.url_map.iter_rules():
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            assert access_of(shared_app.view_functions[rule.endpoint], method), f"{method} {rule}"


def test_every_permission_asked_for_is_granted_to_some_role(shared_app):
    known = {permission.name for permission in shared_app.extensions[HOST].permissions}
    for rule in shared_app.url_map.iter_rules():
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            access = access_of(shared_app.view_functions[rule.endpoint], method)
            assert access.permission is None or access.permission in known, access.permission


# What the roles of a counter hold without serving anybody by it.
NOT_SERVING = {
    "masks.stock.manage",
    "counter.cases.read",
    "approvals.read",
    "approvals.propose",
    "approvals.decide",
    "health_code.colours.propose",
    "health_code.events.write",
    "health_code.places.manage",
    "health_code.visits.open",
}


def test_who_looks_after_the_platform_serves_nobody(shared_app):
    permissions = shared_app.extensions[HOST].permissions
    assert [one.name for one in permissions if not one.is_apart] == []
    serving = {one.name for one in permissions if one.serves}
    assert "masks.redeem" in serving
    # A new permission of the counter says whether it serves; forgetting it is noticed here.
    unsaid = {one.name for one in permissions if "staff" in one.roles} - serving - NOT_SERVING
    assert unsaid == set()


def test_no_first_party_module_is_quarantined():
    found = discover()
    assert not found.quarantined
    assert "masks" in found.modules


def test_models_and_migrations_agree(settings):
    migrations.check(settings)


def test_each_module_can_be_taken_away_with_its_tables(fresh_database):
    migrations.downgrade(fresh_database.settings, "masks@base")
    with fresh_database.owner() as connection:
        tables = connection.scalar(
            text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'masks'")
        )
        assert tables == 0
    migrations.upgrade(fresh_database.settings, progress=lambda _: None)
    with fresh_database.owner() as connection:
        assert connection.scalar(text("SELECT count(*) FROM masks.campaign")) == 0


def test_the_application_role_owns_nothing_and_cannot_rewrite_the_audit_trail(fresh_database):
    with fresh_database.database.statement() as connection:
        assert connection.scalar(text("SELECT current_user")) == "citizen_cloud_app"
        owned = connection.scalar(
            text(
                "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = current_user"
            )
        )
        assert owned == 0
        rights = connection.execute(
            text(
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
            )
        ).one()
        assert not any(rights)
        for act in (
            "UPDATE audit.entry SET action = 'x'",
            "DELETE FROM audit.entry",
            "DELETE FROM audit.seal",
            "TRUNCATE audit.entry",
            "CREATE TABLE audit.mine (id int)",
        ):
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(text(act))


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small_and_say_what_they_are_for(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= CAPS.get(path.name, CAP)
    assert lines, "an empty file"
    assert lines[0].startswith('"""'), "the first line says what the file is for"
    folders = path.relative_to(PACKAGE).parts[:-1]
    deepest = DEEPEST_IN_A_MODULE if folders[:1] == ("modules",) else DEEPEST
    assert len(folders) <= deepest


def test_functions_stay_short():
    import ast

    long = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(PACKAGE)}:{node.name} {length}")
    assert not long


@pytest.mark.parametrize("room", [*ROOMS, "portal", "modules.masks", "modules.health_code"])
def test_a_room_has_no_drawer(room):
    folder = Path(import_module(f"citizen_cloud.{room}").__file__).parent
    names = {path.stem for path in folder.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "common", "base", "manager", "handler", "misc"}


def test_every_table_with_a_person_or_account_key_is_covered(shared_app):
    """Found by walking the metadata; whoever exempts a table says why."""
    host = shared_app.extensions[HOST]
    covered = covered_tables((*host.contributions, *host.modules.values()))
    assert personal_tables() <= covered, personal_tables() - covered
    assert not covered & NOT_PERSONAL.keys()
    assert covered | NOT_PERSONAL.keys() <= Base.metadata.tables.keys()


@pytest.mark.parametrize(
    "name", ["person_id", "guardian_id", "applied_by", "reader_id", "holder_key", "requested_by"]
)
def test_a_new_table_with_a_key_of_a_person_is_noticed(name):
    table = Table("new", MetaData(), Column("id", Integer), Column(name, Uuid), schema="new")
    assert keys_of(table) == [name]


def test_the_project_names_no_index_and_no_workplace():
    # Put together here, so that this file does not find itself.
    halves = (
        ("py", "pi[.]org"),
        ("python", "hosted"),
        ("registry[.]npm", "js"),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
    )
    words = ["".join(pair) for pair in halves]
    done = subprocess.run(
        ["git", "grep", "-nIE", "|".join(words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
