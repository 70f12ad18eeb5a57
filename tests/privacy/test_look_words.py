"""Whoever looks at people says in words what for: a purpose or category without words fails."""

import ast
from pathlib import Path

import canary
import pytest

from citizen_cloud.counter import rules as counter
from citizen_cloud.counter.services.deciding import CHANGED
from citizen_cloud.families.services import clerks, representing
from citizen_cloud.modules.health_code.services.checks import inspectors
from citizen_cloud.modules.health_code.services.codes import paper_counter
from citizen_cloud.modules.health_code.services.power import correcting, hand, named, officers
from citizen_cloud.modules.masks.services import looks
from citizen_cloud.oidc.rules.scopes import SCOPES
from citizen_cloud.privacy import owners, rules
from citizen_cloud.text import Text

PACKAGE = Path(__file__).parents[2] / "citizen_cloud"
MODULES = {"masks", "health_code"}
PROXIES = {representing.purpose_of(scope) for scope in (*MODULES, "messages", "any")}
# What an expression of a Look stands for. One that is not here is new: say which words it gives.
PURPOSES = {
    ("counter/services/clerk.py", "f'counter.{kind}'"): {f"counter.{k}" for k in counter.KINDS},
    ("families/services/clerks.py", "PURPOSE"): {clerks.PURPOSE},
    ("modules/health_code/services/codes/acting.py", "purpose_of(SCOPE)"): PROXIES,
    ("modules/health_code/services/codes/paper_counter.py", "PURPOSE"): {paper_counter.PURPOSE},
    ("modules/masks/services/looks.py", "purpose"): {looks.REDEEM, looks.DAY},
    ("modules/health_code/services/colours/declaring.py", "purpose_of(MODULE)"): PROXIES,
    ("modules/health_code/services/power/named.py", "PURPOSE"): {named.PURPOSE},
    ("modules/health_code/services/power/officers.py", "PURPOSE"): {officers.PURPOSE},
    ("modules/health_code/services/power/agreed.py", "purpose"): {hand.PURPOSE, correcting.PURPOSE},
    ("modules/health_code/services/checks/inspectors.py", "PURPOSE"): {inspectors.PURPOSE},
    ("portal/bookings.py", "purpose_of(module)"): PROXIES,
}
CATEGORIES = {
    ("counter/services/clerk.py", "categories"): {
        *("name", "document"),
        *(each for changed in CHANGED.values() for each in changed),
    },
    ("modules/health_code/services/power/agreed.py", "categories"): {"health", "name", "document"},
    ("modules/health_code/services/checks/inspectors.py", "categories"): {"health", "name"},
    (
        "modules/masks/services/looks.py",
        "('document', *SEEN) if by_document else SEEN",
    ): {"document", *looks.SEEN},
    (
        "oidc/services/userinfo.py",
        "tuple(sorted({SCOPES[name].category for name in found.scopes}))",
    ): {scope.category for scope in SCOPES.values()},
}
# Rows written by a room's own statement: as purpose_of and category_of say.
OWN_STATEMENTS = {
    "accounts/services/data_access.py",
    "families/services/following.py",
    "families/services/representing.py",
}


def written():
    """Return the expressions of every Look in the code: (file, member, expression)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Look":
                for member in node.keywords:
                    if member.arg in ("purpose", "categories"):
                        yield str(path.relative_to(PACKAGE)), member.arg, member.value


def values(member, known):
    """Return what the code writes as this member; what nobody can say comes as its expression."""
    for file, name, expression in written():
        if name != member:
            continue
        try:
            value = ast.literal_eval(expression)
        except ValueError:
            said = ast.unparse(expression)
            yield from known.get((file, said), {f"{file}: {said}"})
            continue
        yield from (value,) if isinstance(value, str) else value


def titles():
    return {"masks": Text("口罩预约", "Masks"), "health_code": Text("健康码", "Health code")}


def test_every_purpose_has_words_of_its_own():
    found = {*values("purpose", PURPOSES), *PROXIES}
    assert {"masks.redeem", "counter.recovery", "families.attest", "accounts.suspend"} <= found
    unsaid = {one for one in found - PROXIES if one not in rules.PURPOSES}
    assert unsaid == set()
    # And none has words that nothing writes.
    assert rules.PURPOSES.keys() == found - PROXIES
    for one in PROXIES:
        assert rules.purpose_words(one, titles()).en.startswith("Acting for you")


def test_every_category_has_words_of_its_own():
    found = {*values("categories", CATEGORIES)}
    found |= {representing.category_of(scope) for scope in ("messages", "masks")}
    assert {"name", "document", "identifier", "account", "family"} <= found
    assert found - rules.CATEGORIES.keys() == set()


def test_nobody_else_writes_looks_by_a_statement_of_his_own():
    files = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "INSERT INTO accounts.data_access" in path.read_text()
    }
    assert files == OWN_STATEMENTS


@pytest.mark.parametrize(
    ("purpose", "english"),
    [
        ("families.proxy.masks", "Acting for you: Masks"),
        ("families.proxy.messages", "Acting for you: Messages"),
        ("families.proxy.any", "Acting for you"),
        ("families.proxy", "Acting for you"),
        ("toy.look", "A toy"),
        ("families.proxy.toy", "Acting for you: A toy"),
        ("hospitals.results", "Other business"),
    ],
)
def test_a_service_of_a_stranger_is_called_by_its_own_name(purpose, english):
    services = {**titles(), "toy": Text("玩具", "A toy")}
    assert rules.purpose_words(purpose, services).en == english


def test_the_canary_reads_no_internal_name_and_finds_who_it_was(me):
    seen = me.send("GET", "/me/data-access?limit=100").json["items"]
    other = {"Other business", "Other data", *(each.en for each in rules.ROOMS.values())}
    assert {one["purpose"] for one in seen} >= {
        "accounts.read",
        "counter.recovery",
        "families.attest",
        "families.proxy.any",
        "masks.redeem",
        "oidc.userinfo",
    }
    assert not [one for one in seen if one["purpose_text"]["en"] in other]
    for one in seen:
        assert not [each for each in one["categories"] if each["text"]["en"] == "Other data"]
    (partner,) = [one["reader"] for one in seen if one["purpose"] == "oidc.userinfo"]
    assert partner["service"] == {"zh": "海天医院", "en": "Haitian Hospital"}
    assert partner["organisation"]["zh"] == "海天大药房"
    assert [one["reader"]["service"] for one in seen if one["reader"]["service"]] == [
        partner["service"]
    ]


def test_a_system_is_called_as_it_was_registered(me):
    body = {"person_id": me.person_id, "reader_id": me.system_id}
    with canary.db.transaction() as session:
        session.execute(
            canary.text(
                "INSERT INTO accounts.data_access (person_id, at, reader_kind, reader_id, purpose,"
                " categories, basis_type, outcome) VALUES (:person_id, now(), 'service',"
                " :reader_id, 'masks.redeem', '{name}', 'booking', 'read')"
            ),
            body,
        )
    latest = me.send("GET", "/me/data-access").json["items"][0]
    assert latest["reader"]["service"]["en"] == "Haitian Hospital"


def test_every_room_that_holds_personal_data_has_a_title_in_both_languages():
    for owner in owners.current().owners:
        assert owner.title.zh != owner.name
        assert owner.title.en != owner.name
