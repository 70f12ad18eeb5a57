"""Standings as the API shows them."""

from typing import Any

from citizen_cloud import clock
from citizen_cloud.modules.health_code.queries.standings import Standing
from citizen_cloud.modules.health_code.rules.colours import Reason


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
        }
    return {
        "colour": standing.colour,
        "as_of": standing.as_of,
        "reasons": [reason_json(one) for one in standing.reasons],
        "next_change_at": standing.next_change_at,
        "green_from": standing.green_from,
        "streak": standing.streak,
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
