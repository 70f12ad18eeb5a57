"""A guardian declares for a child: under a link, noted, and with his own consent."""

import family_world
import people
from health_world import agree
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import ServiceModule
from citizen_cloud.modules.health_code.manifest import module

ROOT = "/health-code"
WELL = {"symptoms": [], "contact_with_case": False}


def declare(client, who, person_id=None):
    return family_world.post(client, f"{ROOT}/declarations", who, person_id, json=WELL)


def test_a_guardian_who_agreed_declares_for_a_child_and_it_is_noted(client):
    guardian = people.citizen()
    child = family_world.child_of(client, guardian, scopes=("health_code",))
    assert family_world.refusal(declare(client, guardian, child)) == (403, "consent_required")
    agree(guardian)
    assert declare(client, guardian, child).json["status"]["colour"] == "green"
    assert family_world.get(client, f"{ROOT}/status", guardian, child).json["colour"] == "green"
    # Nothing was said of the guardian.
    assert family_world.get(client, f"{ROOT}/status", guardian).json["colour"] == "none"
    with db.transaction() as session:
        looks = session.execute(
            text(
                "SELECT outcome, categories FROM accounts.data_access "
                "WHERE person_id = :p AND purpose = 'families.proxy.health_code'"
            ),
            {"p": child},
        ).all()
    assert {(row.outcome, tuple(row.categories)) for row in looks} == {
        ("changed", ("health",)),
        ("read", ("health",)),
    }


def test_a_link_for_masks_opens_nobodys_health(client):
    proxy, elder = agree(people.citizen()), agree(people.citizen())
    family_world.agreed(client, proxy, elder, scopes=("masks",))
    refused = (403, "proxy_not_permitted")
    assert family_world.refusal(declare(client, proxy, elder.person_id)) == refused
    seen = family_world.get(client, f"{ROOT}/status", proxy, elder.person_id)
    assert family_world.refusal(seen) == refused


def test_an_adult_who_takes_his_consent_back_is_read_by_nobody(client):
    proxy, elder = agree(people.citizen()), agree(people.citizen())
    family_world.agreed(client, proxy, elder, scopes=("health_code",))
    assert declare(client, proxy, elder.person_id).status_code == 200
    agree(elder, granted=False)
    seen = family_world.get(client, f"{ROOT}/status", proxy, elder.person_id)
    assert family_world.refusal(seen) == (403, "consent_required")


def test_the_module_runs_what_colours_need():
    assert isinstance(module, ServiceModule)
    assert {job.name for job in module.jobs} >= {
        "health_code.turn_colours",
        "health_code.follow_rules",
        "health_code.run_trials",
    }
    assert "health_code.activate_rules" in {kind.name for kind in module.decisions}
    assert "health_code.colour_changed" in module.handlers
    assert "unexpected_flips_ppm" in {setting.name for setting in module.settings}
