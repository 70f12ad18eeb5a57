"""What only an inspector has: the checks he made. The canary's own code is among them, unnamed."""

import inspector_world

STAFFS = {"health_code.scan"}


def build(me):
    path = "/health-code/verifications"
    sent = inspector_world.scanned("CC1:ABC")
    answer = me.send("POST", path, headers=me.clerk.headers, json=sent)
    assert answer.status_code == 200, answer.json
