"""Step-up and another phone number: codes that only the owner's device may spend."""

import people

from citizen_cloud import db
from citizen_cloud.accounts.services import otp

CODE = "246810"


def build(city):
    owner = city["owner"].someone
    with db.transaction() as session:
        for purpose in ("step_up", "new_phone"):
            challenge = otp.request_code(
                session,
                phone=people.new_phone(),
                code=CODE,
                language="zh",
                purpose=purpose,
                device=owner.device_id,
            )
            city.facts[f"{purpose}_challenge"] = str(challenge.challenge_id)
    people.let_minute_pass()


def _code(purpose):
    return lambda city: {"challenge_id": city.facts[f"{purpose}_challenge"], "code": CODE}


BODIES = {
    "stepUp": _code("step_up"),
    "changePhone": _code("new_phone"),
    "requestNewPhoneCode": lambda _: {"phone": people.new_phone()},
}


def _not_a_citizen(actor):
    return actor.role != "citizen"


def _not_the_owner(actor):
    """Citizens have codes of their own: the owner's is wrong for everybody else."""
    if actor.role != "citizen":
        return True
    return 401 if actor.name != "owner" else False


KIND = {
    "requestStepUpCode": _not_a_citizen,
    "requestNewPhoneCode": _not_a_citizen,
    "stepUp": _not_the_owner,
    "changePhone": _not_the_owner,
}
