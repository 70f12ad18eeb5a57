"""The contract's citizens agree to the health code; the owner has declared; rules are tried."""

import health_world
import people

from citizen_cloud import db
from citizen_cloud.modules.health_code.rules.profiles import PROFILES
from citizen_cloud.modules.health_code.services.colours.trials import start_trial
from citizen_cloud.modules.health_code.services.colours.versions import Draft, draft


def build(city):
    for name in ("owner", "neighbour"):
        health_world.agree(city[name].someone)
    owner = city["owner"].someone
    health_world.say(health_world.declared(owner.person_id, account_id=owner.account_id))
    author = city["admin"].someone.account_id
    new = Draft(profile="c", rules=PROFILES["c"])
    with db.transaction() as session:
        fresh, tried = (draft(session, new=new, created_by=author)["id"] for _ in range(2))
        run = start_trial(session, version_id=tried, started_by=author)
    city.ids |= {"version_id": str(fresh), "run_id": str(run["id"])}


def _trip(_):
    day = str(people.today())
    return {
        "from_area": "210200",
        "to_area": "210100",
        "departed_on": day,
        "arrived_on": day,
        "transport": "train",
        "number": "G8056",
    }


BODIES = {"declareHealthTrip": _trip}
# A trip's days are compared with today, which no schema can say.
EXCUSED = {
    "declareHealthTrip": "a trip that was made lies within the last 60 days",
    "draftHealthRules": "rules are a language of their own, read more strictly than a schema can say",
}
