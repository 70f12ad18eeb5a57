"""What only an inspector has: the checks he made. The canary's own code is among them, unnamed."""

import inspector_world

STAFFS = {"health_code.scan"}


def build(me):
    path = "/health-code/verifications"
    sent = inspector_world.scanned("CC1:ABC")
    me.send("POST", path, sent, headers=me.clerk.headers)
