"""The heads of the audit chain, for everybody."""

from datetime import date
from typing import Any

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.audit.services import daily_heads, present_head
from citizen_cloud.portal import heads, schemas
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.marks import limited, public
from citizen_cloud.web.paging import page

blp = Blueprint(
    "open_audit", url_prefix="/open/audit", description="审计链公示 Heads of the audit chain"
)


@blp.route("/heads")
class AuditHeads(MethodView):
    """What the chain ends with."""

    @blp.arguments(schemas.HeadsQuery, location="query")
    @blp.response(200, schemas.HeadPageSchema)
    @blp.operation("listAuditHeads", cursors.BadCursor)
    @limited("60/minute", by="address")
    @public
    def get(self, query: dict[str, Any]) -> Response:
        """List the published heads of the audit chain

        First the present one, then the last of each city day, newest first. Keep what you get:
        whoever holds a head can show that an act before it was changed, removed or put in later.
        ``signed`` is a JWS (EdDSA, ``typ`` audit-head+jwt) under the keys of
        `/.well-known/credential-keys.json` and says the same as the words beside it.
        """
        limit = query["limit"]
        after = cursors.decode("heads", query["cursor"]) if "cursor" in query else None
        before = date.fromisoformat(after[0]) if after else date.max
        with db.transaction() as session:
            present = None if after else present_head(session)
            kept = daily_heads(session, before=before, limit=limit + 1)
        room = limit if present is None else limit - 1
        days = kept[:room]
        last = days[-1].day if days else before
        cursor = cursors.encode("heads", [last]) if len(kept) > room else None
        shown = [heads.shown(head) for head in (present, *days) if head is not None]
        return page(schemas.HeadPageSchema(), shown, cursor)
