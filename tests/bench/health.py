"""The health code under load: green citizens with phones, inspectors, and codes to be checked.

Proofs cost a phone's signature each, so every request is made before the clock starts.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle

import crowd
import people
from bench import load
from phone import Phone, compressed
from sqlalchemy import text

from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.services import issue_held
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.services.places.places import NewPlace, create_place
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text

API = "/api/v1/health-code"
INSPECTORS = 60
_GREEN = (
    """
    INSERT INTO accounts.consent (account_id, purpose, version)
    SELECT a, 'health_code', 1 FROM unnest(cast(:accounts AS uuid[])) a
    """,
    """
    INSERT INTO health_code.standing (person_id, colour, green_from, rule_version)
    SELECT p, 'green', statement_timestamp(), v.number
      FROM unnest(cast(:people AS uuid[])) p, health_code.rule_version v WHERE v.status = 'live'
    """,
)
_PHONE = """
    INSERT INTO credentials.device_key (id, account_id, device_id, public_key)
    SELECT i, a, d, k
      FROM unnest(cast(:ids AS uuid[]), cast(:accounts AS uuid[]), cast(:devices AS uuid[]),
                  cast(:keys AS bytea[])) AS t (i, a, d, k)
"""


@dataclass
class Carrier:
    """A citizen with a registered phone."""

    citizen: crowd.Citizen
    phone: Phone = field(default_factory=Phone)
    key_id: object = field(default_factory=new_id)


@dataclass
class HealthStage:
    """Who takes part: some with phones, the others without, and those who check."""

    carriers: list
    thin: list
    inspectors: list
    place_id: object


def fill(session, citizens, *, carriers):
    """Let everybody agree and be green; give the first ones phones."""
    everybody = {
        "accounts": [citizen.account_id for citizen in citizens],
        "people": [citizen.person_id for citizen in citizens],
    }
    for statement in _GREEN:
        session.execute(text(statement), everybody)
    made = [Carrier(citizen) for citizen in citizens[:carriers]]
    session.execute(
        text(_PHONE),
        {
            "ids": [one.key_id for one in made],
            "accounts": [one.citizen.account_id for one in made],
            "devices": [crowd.uuid_of(crowd.DEVICE, one.citizen.number) for one in made],
            "keys": [compressed(one.phone.device_key) for one in made],
        },
    )
    hall = people.hall(session=session)
    place = NewPlace(
        organisation_id=hall, name=Text("火车站北出口", "North exit"), area_code="210202"
    )
    place_id = create_place(session, new=place, actor=Actor("system", None)).id
    inspectors = [people.staff(hall, session=session) for _ in range(INSPECTORS)]
    return HealthStage(made, citizens[carriers:], inspectors, place_id)


class HealthRequests:
    """The requests of one turn; each showing passes once, and each show key is fresh."""

    def __init__(self, here):
        self.here = here
        self.turn = 0

    def credentials(self, carriers):
        """Ask for a day's code, with a fresh show key signed for."""
        return [
            load.request(
                "POST",
                f"{API}/credential",
                token=one.citizen.token(),
                body=json.dumps(one.phone.fresh_key()).encode(),
            )
            for one in carriers
        ]

    def thin(self, citizens):
        """Ask for a minute's code."""
        return [load.request("GET", f"{API}/code", token=one.token()) for one in citizens]

    def verifications(self, session, carriers):
        """Check what phones show now, at a place, by inspectors in turn."""
        self.turn += 1
        now = datetime.now(UTC)
        checking = cycle([one.token for one in self.here.inspectors])
        return [
            load.request(
                "POST",
                f"{API}/verifications",
                token=next(checking),
                body=json.dumps(
                    {
                        "code": self._shown(session, one, now),
                        "place_id": str(self.here.place_id),
                        "scan_id": f"{self.turn}-{one.citizen.number}",
                    }
                ).encode(),
            )
            for one in carriers
        ]

    def _shown(self, session, one, now):
        key = one.phone.fresh_key()
        held = issue_held(
            session,
            type="hc",
            holder_id=one.citizen.person_id,
            colour="green",
            expires_at=None,
            show_key=proofs.from_text(key["show_key"]),
            device_key_id=one.key_id,
        )
        return one.phone.show(held.jws, now, place_id=self.here.place_id)
