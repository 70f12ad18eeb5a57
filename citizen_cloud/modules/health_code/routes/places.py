"""The doors of venue staff: their places."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.modules.health_code.queries.places import PlaceRow, places
from citizen_cloud.modules.health_code.schemas import places as schemas
from citizen_cloud.modules.health_code.services.places.places import (
    NewPlace,
    change_place,
    create_place,
    place_of,
)
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import API_ROOT, Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.etag import expected_version, version_tag
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "health_code.places"

blp = Blueprint(
    "health_code_places",
    url_prefix="/places",
    description="场所与场所码 · Places, their codes and who entered",
)


def actor() -> Actor:
    """Return the caller as the audit names him."""
    return Actor(caller().kind, caller().account_id)


def _answer(row: PlaceRow) -> tuple[dict[str, Any], int, dict[str, str]]:
    return asdict(row), 200, {"ETag": version_tag(row.version)}


@blp.route("")
class Places(MethodView):
    """The caller's places."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.HealthPlacePageSchema)
    @blp.operation("listHealthPlaces", BadCursor)
    @requires("health_code.places.manage")
    def get(self, query: dict[str, Any]) -> Response:
        """List your places

        Those of the organisations you work for, open and closed, oldest first.
        """
        sent = query.get("cursor")
        held = grant()
        with db.transaction() as session:
            rows = places(
                session,
                organisation_ids=sorted(held.organisation_ids),
                everywhere=held.everywhere,
                after=UUID(str(cursors.decode(LISTING, sent)[0])) if sent else None,
                limit=query["limit"],
            )
        shown = rows[: query["limit"]]
        more = cursors.encode(LISTING, [shown[-1].id]) if len(rows) > len(shown) else None
        return page(schemas.HealthPlacePageSchema(), [asdict(row) for row in shown], more)

    @blp.arguments(schemas.NewHealthPlaceSchema)
    @blp.response(201, schemas.HealthPlaceSchema)
    @blp.operation("createHealthPlace", NotFound, key=False)
    @requires("health_code.places.manage")
    def post(self, sent: dict[str, Any]) -> Response:
        """Add a place

        One door with one code: a station's exit, a shop, a hall. `needs_nonce`, `accepts_thin`,
        `accepts_paper` and `max_status_age_s` tell its gates what to accept.
        """
        new = NewPlace(**{**sent, "name": Text(**sent["name"])})
        if not grant().covers(new.organisation_id):
            raise NotFound

        def work(session: Session) -> Answer:
            made = create_place(session, new=new, actor=actor())
            location = f"{API_ROOT}/places/{made.id}"
            return Answer(content=asdict(made), status=201, location=location)

        return answer_once(schemas.HealthPlaceSchema, work)


@blp.route("/<uuid:place_id>")
class OnePlace(MethodView):
    """One place."""

    @blp.response(200, schemas.HealthPlaceSchema)
    @blp.operation("getHealthPlace", NotFound)
    @requires("health_code.places.manage")
    def get(self, place_id: UUID) -> Any:
        """Show one of your places

        With the rules of its door.
        """
        with db.transaction() as session:
            found = place_of(session, place_id=place_id, grant=grant())
        return _answer(found)

    @blp.arguments(schemas.HealthPlaceChangeSchema)
    @blp.response(200, schemas.HealthPlaceSchema)
    @blp.operation("changeHealthPlace", NotFound, StaleVersion)
    @requires("health_code.places.manage")
    def patch(self, sent: dict[str, Any], place_id: UUID) -> Any:
        """Change a place, or close it

        A closed place has no code and takes no visits; it can be opened again. With If-Match the
        change is refused (412) where somebody else was faster.
        """
        with db.transaction() as session:
            changed = change_place(
                session,
                place_id=place_id,
                changes=sent,
                grant=grant(),
                expected_version=expected_version(request),
                actor=actor(),
            )
        return _answer(changed)
