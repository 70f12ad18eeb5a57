"""The owner of the contract's city has a phone, a share and a paper code; the neighbour has none."""

from uuid import UUID

import health_world
from phone import Phone
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.credentials import proofs, queries
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.modules.health_code.services.codes import paper_counter, shares
from citizen_cloud.modules.health_code.services.codes.disabilities import Counter

NAME = "王小明"
_BOTH_WORK_AT = text(
    """
    SELECT o.id FROM organisations.organisation o
      JOIN organisations.membership c ON c.organisation_id = o.id AND c.account_id = :clerk
      JOIN organisations.membership m ON m.organisation_id = o.id AND m.account_id = :manager
     WHERE o.kind = 'authority' ORDER BY o.id LIMIT 1
    """
)


def build(city):
    owner, neighbour = (city[name].someone for name in ("owner", "neighbour"))
    for each in (owner, neighbour):
        health_world.agree(each)
        health_world.say(health_world.declared(each.person_id, account_id=each.account_id))
    with db.transaction() as session:
        _phones(city, session, owner)
        _codes(city, session, owner)
        publish(session)
        # On a slow machine a file takes longer than a document stays fresh.
        session.execute(
            text("UPDATE accounts.device SET proven_at = proven_at + interval '1 hour'")
        )
    queries.forget()


def _phones(city, session, owner):
    phone, second = Phone(), Phone()
    facts = {"account_id": owner.account_id, "device_id": owner.device_id}

    def answered(one):
        drawn = credentials.challenge(session, **facts)
        challenge = proofs.to_text(drawn.challenge)
        return {
            "public_key": one.public_key,
            "challenge_id": str(drawn.id),
            "proof": one.registering(challenge),
        }

    first = answered(phone)
    credentials.register_device_key(
        session,
        **facts,
        challenge_id=UUID(first["challenge_id"]),
        public_key=proofs.from_text(first["public_key"]),
        proof=proofs.from_text(first["proof"]),
    )
    city.facts |= {"health_phone": answered(second), "health_show_key": phone.fresh_key()}


def _codes(city, session, owner):
    clerk, manager = (city[name].someone.account_id for name in ("clerk", "manager"))
    place = session.scalar(_BOTH_WORK_AT, {"clerk": clerk, "manager": manager})
    paper = paper_counter.give(
        session,
        claim=Claim(document_type="resident_id", number=owner.document_number, name=NAME),
        counter=Counter(account_id=clerk, organisation_id=place),
        disability_evidence="2026-0320",
    )
    share = shares.share(session, person_id=owner.person_id, account_id=owner.account_id)
    city.facts["health_hall"] = str(place)
    city.ids |= {"paper_id": str(paper.id), "share_id": str(share.id)}


def _document(city):
    number = city["owner"].someone.document_number
    return {
        "document_type": "resident_id",
        "document_number": number,
        "name": NAME,
        "organisation_id": city.facts["health_hall"],
    }


def _is_not_the_owner(actor):
    return actor.name != "owner"


def _works_elsewhere(actor):
    return actor.role in ("staff", "manager") and actor.name not in ("clerk", "manager")


def _has_no_paper(actor):
    return 404 if actor.name != "owner" else None


BODIES = {
    "registerHealthDevice": lambda city: city.facts["health_phone"],
    "issueHealthCredential": lambda city: city.facts["health_show_key"],
    "makeHealthPaperAtCounter": _document,
    "reportHealthPaperLostAtCounter": _document,
}
OWNERS = {"paper_id": {"owner"}, "share_id": {"owner"}}
OWNERS_IN = {("printHealthPaper", "paper_id"): {"clerk", "manager"}}
# Whoever has a phone gets no code from the server.
WHO = {"getHealthCode": "neighbour"}
KIND = {
    # The owner's phone signed, and nobody else's.
    "issueHealthCredential": _is_not_the_owner,
    "makeHealthPaper": _is_not_the_owner,
    "findHealthPaper": _has_no_paper,
    "makeHealthPaperAtCounter": _works_elsewhere,
    "reportHealthPaperLostAtCounter": _works_elsewhere,
}
PEERS = {
    **dict.fromkeys(("neighbour", "newcomer"), ("paper_id", "share_id")),
    **dict.fromkeys(("other_clerk", "other_manager"), ("paper_id",)),
}
EXCUSED = {
    "registerHealthDevice": "not every 33 bytes are a point of the curve",
    "issueHealthCredential": "not every 33 bytes are a point of the curve",
    "makeHealthPaperAtCounter": "an identity number has a check digit and a birth date inside",
    "reportHealthPaperLostAtCounter": "as makeHealthPaperAtCounter",
}
