"""Inspectors at their places, and codes held out to them through HTTP."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import people
import places_world
from family_world import rows

from citizen_cloud import clock
from citizen_cloud.credentials.proofs import to_text

ROOT = "/api/v1/health-code/verifications"


@dataclass(frozen=True)
class Post:
    """An inspector at the place of his organisation."""

    organisation_id: UUID
    someone: people.Someone
    place_id: UUID

    def place(self, **rules):
        """Return another place of the organisation, with rules of its own."""
        return places_world.place(self.organisation_id, **rules)


def post(**rules):
    organisation_id = people.pharmacy()
    someone = people.staff(organisation_id)
    return Post(organisation_id, someone, places_world.place(organisation_id, **rules))


def scanned(code, *, place_id=None, nonce=None, scan_id=None, **more):
    """Return what an inspector's device sends."""
    return {
        "scan_id": scan_id or str(uuid4()),
        "code": code,
        **({"place_id": str(place_id)} if place_id else {}),
        **({"nonce": to_text(nonce)} if nonce else {}),
        **more,
    }


def send(client, who, code, **facts):
    return client.post(ROOT, headers=who.headers, json=scanned(code, **facts))


def check(client, who, code, **facts):
    answer = send(client, who, code, **facts)
    assert answer.status_code == 200, answer.json
    return answer.json


def outcome(client, who, code, **facts):
    return check(client, who, code, **facts)["outcome"]


def offline(code, *, said="valid", at=None, **facts):
    """Return a scan as a gate uploads it later."""
    at = at or clock.now()
    return scanned(code, scanned_at=at.isoformat(), outcome=said, **facts)


def upload(client, who, *scans):
    answer = client.post(f"{ROOT}/batch", headers=who.headers, json={"scans": list(scans)})
    assert answer.status_code == 200, answer.json
    return answer.json


def looks(person_id):
    """Return what a person is shown of inspectors' looks: purpose, basis, categories."""
    return rows(
        "SELECT purpose, basis_type, categories FROM accounts.data_access "
        "WHERE person_id = :p AND purpose = 'health_code.verify' ORDER BY id",
        p=person_id,
    )
