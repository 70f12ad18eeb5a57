"""What an outlet does with its stock: count it, pause it, send it as a file."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.booking.refusals import BelowReserved
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.masks.queries.stock import outlet_offers
from citizen_cloud.modules.masks.routes.citizen import after_id
from citizen_cloud.modules.masks.routes.shown import (
    outlet_offer_json,
)
from citizen_cloud.modules.masks.routes.staff import actor
from citizen_cloud.modules.masks.rules.refusals import (
    FileRefused,
    OutletClosed,
    RowsRejected,
)
from citizen_cloud.modules.masks.schemas import staff as schemas
from citizen_cloud.modules.masks.services import outlets
from citizen_cloud.modules.masks.services.imports import StockFile, import_stock
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import grant
from citizen_cloud.web.context import language
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page

OFFERS = "masks.outlet_offers"

blp = Blueprint(
    "masks_stock",
    url_prefix="/masks/staff",
    description="网点库存 · An outlet's stock and stock files",
)


@blp.route("/offers")
class OutletOffers(MethodView):
    """The outlet's own offers."""

    @blp.arguments(schemas.OutletOfferQuery, location="query")
    @blp.response(200, schemas.OutletOfferPageSchema)
    @blp.operation("listOutletOffers", BadCursor)
    @requires("masks.stock.manage")
    def get(self, query: dict[str, Any]) -> Response:
        """List your outlets' offers

        Latest published first, with what is reserved of each.
        """
        with db.transaction() as session:
            rows = outlet_offers(
                session.connection(),
                organisation_ids=sorted(grant().organisation_ids),
                on=query.get("date"),
                after=after_id(OFFERS, query),
                limit=query["limit"],
            )
        shown = rows[: query["limit"]]
        more = cursors.encode(OFFERS, [shown[-1].offer_id]) if len(rows) > len(shown) else None
        items = [outlet_offer_json(row) for row in shown]
        return page(schemas.OutletOfferPageSchema(), items, more)


@blp.route("/offers/<uuid:offer_id>")
class OutletOffer(MethodView):
    """One of the outlet's own offers."""

    @blp.arguments(schemas.OutletOfferChangeSchema)
    @blp.response(200, schemas.OutletOfferSchema)
    @blp.operation("changeOutletOffer", NotFound, BelowReserved)
    @requires("masks.stock.manage")
    def patch(self, sent: dict[str, Any], offer_id: UUID) -> Any:
        """Count an offer anew, pause it or open it

        The capacity cannot fall below what is reserved. A paused offer takes no bookings; what is
        booked can still be collected.
        """
        with db.transaction() as session:
            changed = outlets.change_offer(
                session,
                offer_id=offer_id,
                capacity=sent.get("capacity"),
                status=sent.get("status"),
                grant=grant(),
                actor=actor(),
            )
        return outlet_offer_json(changed)


@blp.route("/outlets/<uuid:organisation_id>")
class Outlet(MethodView):
    """The outlet as a whole."""

    @blp.arguments(schemas.OutletChangeSchema)
    @blp.response(200, schemas.OutletStateSchema)
    @blp.operation("changeOutlet", NotFound, OutletClosed)
    @requires("masks.stock.manage")
    def patch(self, sent: dict[str, Any], organisation_id: UUID) -> Any:
        """Pause the whole outlet or open it

        No offer of a paused outlet can be booked; what is booked can still be collected.
        """
        with db.transaction() as session:
            status = outlets.change_outlet(
                session,
                organisation_id=organisation_id,
                status=sent["status"],
                grant=grant(),
                actor=actor(),
            )
        return {"organisation_id": organisation_id, "status": status}


@blp.route("/imports")
class StockImports(MethodView):
    """Stock files."""

    @blp.arguments(schemas.NewStockImportSchema, location="multipart")
    @blp.response(200, schemas.StockReportSchema)
    @blp.operation("importStock", FileRefused, RowsRejected, key=False)
    @requires("masks.stock.manage")
    @limited("20/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Send a stock file

        CSV (UTF-8 or GB18030) or XLSX. Sets the capacity of your outlets' offers and publishes
        those that are missing. Every row is reported; with a wrong row nothing is applied, unless
        `partial` is true. The same file again changes nothing. Columns: outlet_code, window_on,
        half, product_class, capacity.
        """
        file = StockFile(
            raw=sent["file"].stream.read(),
            grant=grant(),
            actor=actor(),
            on=sent.get("on"),
            half=sent.get("half"),
            partial=sent["is_partial"],
            language=language(),
        )

        def work(session: Session) -> Answer:
            return Answer(content=import_stock(session, file=file).as_json(file.language))

        return answer_once(schemas.StockReportSchema, work)
