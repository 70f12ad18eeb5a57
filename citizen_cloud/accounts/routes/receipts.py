"""The history of a citizen's consents."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts import queries
from citizen_cloud.accounts.schemas.receipts import ConsentReceiptPageSchema, receipt_json
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.marks import signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

blp = Blueprint(
    "receipts", url_prefix="/me/consents/receipts", description="同意回执 Consent receipts"
)
LISTING = "me.receipts"


@blp.route("")
class ReceiptsView(MethodView):
    """Every answer to every purpose."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, ConsentReceiptPageSchema)
    @blp.operation("listConsentReceipts", cursors.BadCursor)
    @signed_in()
    def get(self, asked: dict[str, Any]) -> Response:
        """List my consent receipts

        Latest first. Each yes and each no leaves one, in the terms of ISO/IEC TS 27560: purpose
        and version, the fingerprint of the words shown, when, how, to whom, and until when. A
        device on which the account's document was not shown sees none older than itself.
        """
        known = caller()
        limit = asked["limit"]
        before = None
        if "cursor" in asked:
            before = UUID(cursors.decode(LISTING, asked["cursor"])[0])
        with db.statement() as connection:
            found = queries.own_receipts(
                connection,
                account_id=known.account_id,
                since_device=known.device_id if known.is_stranger else None,
                before=before,
                limit=limit + 1,
            )
        more = cursors.encode(LISTING, [found[limit - 1]["id"]]) if len(found) > limit else None
        return page(ConsentReceiptPageSchema(), [receipt_json(row) for row in found[:limit]], more)
