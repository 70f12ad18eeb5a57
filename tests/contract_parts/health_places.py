"""A place of the outlet in the contract's city."""

from uuid import UUID

import places_world


def build(city):
    city.ids["place_id"] = str(places_world.place(UUID(city.facts["outlet"])))


BODIES = {
    "createHealthPlace": lambda city: {
        "organisation_id": city.facts["outlet"],
        "name": {"zh": "海天大药房正门", "en": "Haitian Pharmacy, front door"},
        "area_code": "210202",
    },
    "changeHealthPlace": lambda _: {"needs_nonce": True},
}
OWNERS = {"place_id": {"clerk", "manager"}}
PEERS = dict.fromkeys(("other_clerk", "other_manager"), ("place_id",))


def _works_elsewhere(actor):
    return 404 if actor.name in PEERS else None


KIND = {"createHealthPlace": _works_elsewhere}
