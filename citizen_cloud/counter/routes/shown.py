"""Cases as clients get them."""

from typing import Any

import orjson
from flask import Response

from citizen_cloud.accounts.identity import mask_name
from citizen_cloud.accounts.rules.phones import masked_phone
from citizen_cloud.counter.queries import Case
from citizen_cloud.counter.schemas import CounterCaseDetailSchema
from citizen_cloud.counter.services.reading import Seen

SHOWN = (
    "id",
    "kind",
    "status",
    "organisation_id",
    "asked_by",
    "opened_by",
    "opened_at",
    "expires_at",
    "decided_by",
    "decided_at",
)


def case_json(case: Case) -> dict[str, Any]:
    """Return a case without its contents; whom it is about only once it was approved."""
    person_id = case.person_id if case.status == "approved" else None
    return {**{name: getattr(case, name) for name in SHOWN}, "person_id": person_id}


def detail_json(seen: Seen) -> Response:
    """Answer a case with what is compared."""
    asked = seen.asked
    content = {
        **case_json(seen.case),
        "person": seen.card,
        "new_phone": masked_phone(asked.phone) if asked.phone else None,
        "new_name": _name(seen),
        "evidence_reference": seen.evidence,
        "reason": seen.reason,
    }
    body = orjson.dumps(CounterCaseDetailSchema().dump(content))
    return Response(body, mimetype="application/json")


def _name(seen: Seen) -> str | None:
    """Return the new name: in full for who compares it with the evidence, masked afterwards."""
    new_name = seen.asked.new_name
    if new_name is None or seen.case.status == "open":
        return new_name
    return mask_name(new_name)
