"""Standings as the API shows them."""

from typing import Any

from sqlalchemy.engine import RowMapping

from citizen_cloud import clock, crypto
from citizen_cloud.modules.health_code.queries.standings import Standing
from citizen_cloud.modules.health_code.rules.colours import Reason
from citizen_cloud.modules.health_code.services.colours.events import details_place


def status_json(standing: Standing | None) -> dict[str, Any]:
    """Return where somebody stands; of whom nothing was said the colour is none, as of now."""
    if standing is None:
        return {
            "colour": "none",
            "as_of": clock.now(),
            "reasons": [],
            "next_change_at": None,
            "green_from": None,
            "streak": 0,
            "codes_from": None,
        }
    return {
        "colour": standing.colour,
        "as_of": standing.as_of,
        "reasons": [reason_json(one) for one in standing.reasons],
        "next_change_at": standing.next_change_at,
        "green_from": standing.green_from,
        "streak": standing.streak,
        "codes_from": standing.codes_from,
    }


def reason_json(reason: Reason) -> dict[str, Any]:
    """Return one active rule."""
    return {
        "rule": reason.rule,
        "version": reason.version,
        "colour": reason.colour,
        "text": reason.text.as_json(),
        "until": reason.until,
        "event_id": reason.event_id,
    }


def event_json(row: RowMapping) -> dict[str, Any]:
    """Return one event with its words opened."""
    sealed, place = row["details_sealed"], details_place(row["id"])
    # ``class`` is no name a schema's member can have.
    facts = {
        ("exposure" if name == "class" else name): fact for name, fact in row["payload"].items()
    }
    return {
        "id": row["id"],
        "kind": row["kind"],
        "evidence": row["evidence"],
        "source": row["source_kind"],
        "occurred_at": row["occurred_at"],
        "recorded_at": row["recorded_at"],
        "facts": facts,
        "details": None if sealed is None else crypto.current().open(sealed, place=place),
        "withdraws": row["withdraws"],
        "is_withdrawn": row["is_withdrawn"],
    }
