"""The open stock feed: what is free to book, in bands, for everybody."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.modules.masks.queries.stock import open_stock
from citizen_cloud.modules.masks.routes.citizen import after_id
from citizen_cloud.modules.masks.routes.fresh import Fresh, Page, answer, page_of_rows
from citizen_cloud.modules.masks.routes.shown import instant, stock_json
from citizen_cloud.modules.masks.schemas.citizen import MaskStockPageSchema, MaskStockQuery
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import public

LISTING = "masks.stock"
FRESH_S = 10
pages = Fresh(FRESH_S)

blp = Blueprint(
    "masks_open", url_prefix="/open/masks", description="口罩库存开放数据 · Open data on mask stock"
)


@blp.route("/stock")
class OpenStock(MethodView):
    """Stock free to book."""

    @blp.arguments(MaskStockQuery, location="query")
    @blp.response(200, MaskStockPageSchema)
    @blp.operation("readOpenMaskStock", BadCursor)
    @public
    def get(self, query: dict[str, Any]) -> Response:
        """Read the open mask stock

        What is free to book in offers whose window is not over, as bands: 100+, 30-99, 1-29, 0.
        `as_of` says when it was read, `counted_at` when the outlet counted. Cache it as the
        header says, and send the ETag back.
        """
        key = request.query_string
        return answer(pages.get(key, lambda: _read(query)))


def _read(query: dict[str, Any]) -> Page:
    after: UUID | None = after_id(LISTING, query)
    as_of = clock.now()
    with db.statement() as connection:
        rows = open_stock(
            connection, district=query.get("district"), after=after, limit=query["limit"]
        )
    shown = rows[: query["limit"]]
    more = cursors.encode(LISTING, [shown[-1]["slot_id"]]) if len(rows) > len(shown) else None
    items = [stock_json(row) for row in shown]
    return page_of_rows(items, more, max_age_s=FRESH_S, as_of=instant(as_of))
