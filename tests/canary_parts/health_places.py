"""A visit of the canary's, through the door. No column tells whose it is, so no table is named."""

from uuid import UUID

import health_world
import places_world


def build(me):
    place_id = places_world.place(me.outlet)
    me.send("POST", "/me/consents", {"purpose": "health_code", "version": 1})
    health_world.say(health_world.declared(UUID(me.person_id)))
    body = {"place_code": places_world.code(place_id)}
    found = me.send("POST", f"/places/{place_id}/visits", body).json
    assert found["admitted"], found
