"""What the privacy room's operations need: a bundle to fetch, a closure to ask after, a look."""

from datetime import timedelta

import people

from citizen_cloud import db
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.services import closures, exports


def build(city):
    owner, leaver = city["owner"].someone, people.citizen()
    with db.transaction() as session:
        bundle = exports.request_export(session, account_id=owner.account_id, kind="citizen")
        exports.build(session, export_id=bundle["id"], owners=owners.current())
        asked = closures.request_closure(
            session,
            account_id=leaver.account_id,
            kind="citizen",
            reason="moved",
            cool_off=timedelta(days=7),
        )
        look = Look(
            person_id=owner.person_id,
            reader_kind="staff",
            reader_id=city["clerk"].someone.account_id,
            purpose="masks.redeem",
            categories=("name", "bookings"),
            basis_type="booking",
        )
        note_access(session, look)
    city.ids["export_id"] = str(bundle["id"])
    city.facts["closure"] = {"id": str(asked.closure["id"]), "secret": asked.secret}


BODIES = {"getErasureCertificate": lambda city: city.facts["closure"]}
OWNERS = {"export_id": {"owner"}}
PEERS = dict.fromkeys(("neighbour", "newcomer", "other_clerk", "other_manager"), ("export_id",))
