"""The contract's city gets a family: an owner who acts, is acted for, and is asked."""

from uuid import UUID

import people

from citizen_cloud import clock, db
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.families.services import asking, attesting
from citizen_cloud.families.services.asking import Request, Wish
from citizen_cloud.families.services.clerks import Counter
from citizen_cloud.web.caller import Identity


def claim(number, name="王小明"):
    return Claim(document_type="resident_id", number=number, name=name)


def shown(number, name="王小明"):
    return {"document_type": "resident_id", "document_number": number, "name": name}


def attest(counters, acting, represented, relation="elder"):
    """Let two clerks vouch for a link; return its id."""
    for counter in counters:
        with db.transaction() as session:
            made = attesting.attest_new(
                session,
                counter=counter,
                acting=claim(acting),
                represented=claim(represented),
                wish=Wish(relation=relation, scopes=["masks"]),
                now=clock.now(),
            )
    assert made.status == "active"
    return made.id


def ask(asker, number, relation="adult"):
    identity = _identity(asker)
    request = Request(
        asker=identity,
        account_id=asker.account_id,
        claim=claim(number),
        is_match=True,
        wish=Wish(relation=relation, scopes=["masks"]),
    )
    with db.transaction() as session:
        return asking.ask(session, request=request, now=clock.now())


def _identity(someone):
    from sqlalchemy import text

    with db.transaction() as session:
        row = session.execute(
            text(
                "SELECT id AS person_id, person_key, document_type, document_sealed, name_sealed "
                "FROM accounts.person WHERE id = :id"
            ),
            {"id": someone.person_id},
        )
        return Identity(**row.mappings().one())


def build(city):
    owner = city["owner"].someone
    place = UUID(city.ids["organisation_id"])
    counters = [
        Counter(account_id=each.account_id, organisation_id=place, evidence="2026-0317")
        for each in (people.staff(place), people.staff(place))
    ]
    elder, proxy, asker = people.document("19400101"), people.citizen(), people.citizen()
    city.facts |= {
        "elder": elder,
        "owner_document": owner.document_number,
        "fresh_elder": people.document("19410101"),
        "stranger": people.document("19910101"),
    }
    city.ids |= {
        "link_id": str(attest(counters, owner.document_number, elder)),
        "proxy_id": str(attest(counters, proxy.document_number, owner.document_number)),
        "link_request_id": str(ask(asker, owner.document_number)),
    }


def attested(city):
    return {
        "acting": shown(city.facts["owner_document"]),
        "represented": shown(city.facts["fresh_elder"]),
        "relation": "elder",
        "scopes": ["masks"],
        "evidence_reference": "2026-0318",
    }


BODIES = {
    "askForDependant": lambda city: {
        **shown(city.facts["stranger"]),
        "relation": "adult",
        "scopes": ["masks"],
    },
    "attestLink": attested,
    "endLinkAtCounter": lambda city: {
        "acting": shown(city.facts["owner_document"]),
        "represented": shown(city.facts["elder"]),
        "evidence_reference": "2026-0319",
    },
}
OWNERS = {"link_id": {"owner"}, "proxy_id": {"owner"}, "link_request_id": {"owner"}}
PEERS = {
    "neighbour": ("link_id", "proxy_id", "link_request_id"),
    "newcomer": ("link_id", "proxy_id", "link_request_id"),
}
EXCUSED = {
    "askForDependant": "an identity number has a check digit, and scopes are names of services",
    "narrowDependant": "scopes are names of services",
    "decideLinkRequest": "scopes are those of the request",
    "attestLink": "as askForDependant; and either the acting person or the request is named",
    "endLinkAtCounter": "an identity number has a check digit and a birth date inside",
}
