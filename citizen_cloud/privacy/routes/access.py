"""Who looked at my data."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.privacy import queries
from citizen_cloud.privacy.schemas import LookPageSchema
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, subject
from citizen_cloud.web.marks import acts_for, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

blp = Blueprint(
    "data_access", url_prefix="/me/data-access", description="查看记录 Who looked at my data"
)
LISTING = "me.data_access"


@blp.route("")
class DataAccess(MethodView):
    """Looks at my data."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, LookPageSchema)
    @blp.operation("listDataAccess", cursors.BadCursor)
    @signed_in(2)
    @acts_for("guardian")
    def get(self, query: dict[str, Any]) -> Response:
        """List who looked at my data

        Latest first: who (an organisation and a role; a proxy with a masked name; a partner's
        service or system by its name), when, what for, which kinds of data, by which right.
        Attempts that were refused are listed too. On behalf of a child, for its guardians; nobody
        sees an adult's.
        """
        limit, person = query["limit"], subject() or caller().person
        before = None
        if "cursor" in query:
            before = UUID(cursors.decode(LISTING, query["cursor"])[0])
        with db.transaction() as session:
            found = queries.looks_at(
                session, person_id=person.person_id, before=before, limit=limit + 1
            )
        more = cursors.encode(LISTING, [found[limit - 1]["id"]]) if len(found) > limit else None
        return page(LookPageSchema(), found[:limit], more)
