"""A place of the outlet in the contract's city, and a record opened for an authority.

After ``counter.py``, at whose hall clerk and manager work.
"""

from uuid import UUID

import health_world
import places_world


def build(city):
    place_id = places_world.place(UUID(city.facts["outlet"]))
    for name in ("owner", "neighbour"):
        someone = health_world.agree(city[name].someone)
        health_world.say(health_world.declared(someone.person_id))
    opening_id = places_world.opening(place_id, city.facts["hall"], city["clerk"].someone)
    city.ids |= {"place_id": str(place_id), "opening_id": str(opening_id)}


BODIES = {
    "createHealthPlace": lambda city: {
        "organisation_id": city.facts["outlet"],
        "name": {"zh": "海天大药房正门", "en": "Haitian Pharmacy, front door"},
        "area_code": "210202",
    },
    "changeHealthPlace": lambda _: {"needs_nonce": True},
    "enterHealthPlace": lambda city: {"place_code": places_world.code(UUID(city.ids["place_id"]))},
}
OWNERS = {"place_id": {"clerk", "manager"}, "opening_id": {"clerk", "manager"}}
# Whoever stands before the screen may enter.
OWNERS_IN = {("enterHealthPlace", "place_id"): {"owner", "neighbour"}}
PEERS = dict.fromkeys(("other_clerk", "other_manager"), ("place_id", "opening_id"))


def _works_elsewhere(actor):
    return 404 if actor.name in PEERS else None


KIND = {"createHealthPlace": _works_elsewhere}
EXCUSED = {
    "enterHealthPlace": "a venue code carries a mark of its place that no pattern tells",
    "createHealthPlace": "a name holds no control characters, and an area is one of the register",
    "changeHealthPlace": "as createHealthPlace",
}
