"""A service hall in the contract's city: clerk and manager work there too, others elsewhere."""

import counter_world
import people

from citizen_cloud import db

WORKERS = {"clerk", "manager", "other_clerk", "other_manager"}


def build(city):
    hall, other = people.hall(), people.hall("沙河口区政务服务中心")
    for name, place in (
        ("clerk", hall),
        ("manager", hall),
        ("other_clerk", other),
        ("other_manager", other),
    ):
        role = "manager" if "manager" in name else "staff"
        counter_world.employ(city[name].someone, place, role)
    subject = people.citizen(name="赵小天")
    with db.transaction() as session:
        case = counter_world.recovery_case(
            session,
            subject,
            counter_world.clerk(city["manager"].someone, hall),
            people.new_phone(),
        )
        wish = counter_world.own_wish(session, city["neighbour"].someone)
    city.ids["case_id"] = str(case.id)
    city.ids["correction_id"] = str(wish.id)
    city.facts |= {"hall": hall, "counter_document": subject.document_number}


def _is_no_clerk(actor):
    """Say who holds the role and works at no counter."""
    return actor.role in ("staff", "manager") and actor.name not in WORKERS


BODIES = {
    "requestCounterCode": lambda _: {"phone": people.new_phone()},
    "openCounterCase": lambda city: {
        "kind": "name_correction",
        "document_type": "resident_id",
        "document_number": city.facts["counter_document"],
        "name": "赵小天",
        "new_name": "赵晓天",
        "evidence_reference": counter_world.EVIDENCE,
    },
    "askForNameCorrection": lambda _: {
        "name": "王晓明",
        "evidence_reference": counter_world.EVIDENCE,
    },
}
OWNERS = {"case_id": {"clerk", "manager", "auditor"}, "correction_id": {"neighbour"}}
WHO = {"withdrawNameCorrection": "neighbour"}
KIND = {
    "openCounterCase": _is_no_clerk,
    "requestCounterCode": _is_no_clerk,
    # Who opened the city's case does not decide it.
    "decideCounterCase": lambda actor: actor.name == "manager",
}
PEERS = dict.fromkeys(("neighbour", "newcomer", "other_clerk", "other_manager"), ("case_id",))
EXCUSED = {
    "requestCounterCode": "which numbers can receive a text is known to the numbering plan",
    "openCounterCase": "an identity number has a check digit inside; each kind has its own members",
    "askForNameCorrection": "a name is of one script",
    "decideCounterCase": "whether a new name is the document's is the verifier's word",
}
