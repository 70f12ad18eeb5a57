"""Citizens at a place: scan its code, and see where one was."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts.refusals import ConsentRequired
from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services.consents import require_consent
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.rules.place_refusals import (
    PlaceClosed,
    PlaceCodeElsewhere,
    PlaceCodeInvalid,
    PlaceCodeStale,
    TooManyVisits,
)
from citizen_cloud.modules.health_code.schemas import visits as schemas
from citizen_cloud.modules.health_code.services.places.sealed_visits import OwnVisit, own_visits
from citizen_cloud.modules.health_code.services.places.visiting import Entered, enter
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, ports, subject
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import acts_for, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.refusals import ProxyNotPermitted
from citizen_cloud.web.schemas import PageQuery

LISTING = "health_code.own_visits"
SCOPE = "health_code"

blp = Blueprint(
    "health_code_visits",
    url_prefix="/places",
    description="扫场所码 · Enter a place by its code",
)
own = Blueprint(
    "health_code_own_visits",
    url_prefix="/me/health-code",
    description="我的到访记录 · Where I was",
)


@blp.route("/<uuid:place_id>/visits")
class Visits(MethodView):
    """Going in."""

    @blp.arguments(schemas.NewHealthVisitSchema)
    @blp.response(200, schemas.HealthVisitAnswerSchema)
    @blp.operation(
        "enterHealthPlace",
        NotFound,
        PlaceClosed,
        PlaceCodeInvalid,
        PlaceCodeElsewhere,
        PlaceCodeStale,
        TooManyVisits,
        ProxyNotPermitted,
        ConsentRequired,
    )
    @limited("30/minute", by="account")
    @signed_in(level=2)
    def post(self, sent: dict[str, Any], place_id: UUID) -> Any:
        """Enter a place by scanning its code

        The place id is in the code. Green enters, yellow as the place allows, red and no colour
        do not; each who may enter has a visit, sealed for 21 days. Companions are dependants whose
        link covers `health_code`. A code that is out of date or another place's notes nothing and
        never changes a colour; neither does a visit. Scanning the same code again is the same
        visit, so no Idempotency-Key is taken: its answer would be stored beside your account.
        """
        whom = _who_came(sent["companions"])
        with db.transaction() as session:
            for account_id in dict.fromkeys(whom.values()):
                require_consent(session, account_id=account_id, purpose=HEALTH_CODE)
            done = enter(
                session,
                place_id=place_id,
                place_code=sent["place_code"],
                person_ids=list(whom),
            )
        return _entered_json(done)


def _who_came(companions: list[UUID]) -> dict[UUID, UUID]:
    """Return the caller and the companions, each with the account that has to have agreed.

    Who has an account agrees there; for who has none, the one who acts. Raises
    ``ProxyNotPermitted`` for anybody the caller has no link to.
    """
    known = caller()
    whom = {known.person.person_id: known.account_id}
    for person_id in companions:
        if person_id not in whom:
            link = ports().represent(known, person_id, SCOPE, reads=True)
            whom[person_id] = link.account_id or known.account_id
    return whom


def _entered_json(done: Entered) -> dict[str, Any]:
    return {
        "place_id": done.place.id,
        "place_name": done.place.name,
        "at": done.at,
        "admitted": done.is_admitted,
        "entries": [
            {
                "person_id": entry.person_id,
                "colour": entry.colour,
                "outcome": entry.outcome,
                "text": entry.words.as_json(),
                "visit_id": entry.visit_id,
            }
            for entry in done.entries
        ],
    }


@own.route("/visits")
class OwnVisits(MethodView):
    """Where the caller was."""

    @own.arguments(PageQuery, location="query")
    @own.response(200, schemas.OwnHealthVisitPageSchema)
    @own.operation("listOwnHealthVisits", BadCursor)
    @signed_in(level=2)
    @acts_for("guardian")
    def get(self, query: dict[str, Any]) -> Response:
        """List where I was

        The last 21 days, newest first; after that a visit is deleted for good. Guardians see a
        child's. Nobody at the place or on the platform can make such a list.
        """
        someone = subject()
        after = cursors.decode(LISTING, query["cursor"]) if "cursor" in query else None
        with db.transaction() as session:
            found = own_visits(session, person_id=(someone or caller().person).person_id)
        rows = [visit for visit in found if after is None or _keys(visit) < after]
        shown = rows[: query["limit"]]
        more = cursors.encode(LISTING, _keys(shown[-1])) if len(rows) > len(shown) else None
        return page(schemas.OwnHealthVisitPageSchema(), [_own_json(one) for one in shown], more)


def _keys(visit: OwnVisit) -> list[str]:
    """Return what the list is sorted by: instants of one offset sort as text."""
    return [visit.at.isoformat(timespec="microseconds"), str(visit.id)]


def _own_json(visit: OwnVisit) -> dict[str, Any]:
    return {
        "id": visit.id,
        "place_id": visit.place_id,
        "place_name": visit.place_name,
        "at": visit.at,
        "deleted_by": rules.hour_of(visit.at) + rules.KEPT + rules.HOUR,
    }
