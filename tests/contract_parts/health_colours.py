"""The contract's citizens agree to the health code; the owner has declared."""

import health_world
import people


def build(city):
    for name in ("owner", "neighbour"):
        health_world.agree(city[name].someone)
    owner = city["owner"].someone
    health_world.say(health_world.declared(owner.person_id, account_id=owner.account_id))


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
EXCUSED = {"declareHealthTrip": "a trip that was made lies within the last 60 days"}
