"""The counter: hand over, take back, look up the day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.booking.refusals import AlreadyRedeemed, WrongState
from citizen_cloud.booking.services import Actor
from citizen_cloud.credentials import refusals as credentials
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.masks.routes.shown import (
    expected_json,
    hand_over_json,
)
from citizen_cloud.modules.masks.rules.refusals import (
    OutsideWindow,
    UndoTooLate,
    WrongOutlet,
)
from citizen_cloud.modules.masks.schemas import staff as schemas
from citizen_cloud.modules.masks.services import looks, redemptions
from citizen_cloud.modules.masks.services.counter import After, expected
from citizen_cloud.modules.masks.services.redemptions import Presented
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires
from citizen_cloud.web.paging import page

DAY = "masks.day"

blp = Blueprint(
    "masks_staff",
    url_prefix="/masks/staff",
    description="口罩领取点 · Hand masks over, look up the day",
)


def actor() -> Actor:
    """Return the caller as kernel and audit name him."""
    return Actor(kind=caller().kind, id=caller().account_id)


@blp.route("/redemptions")
class Redemptions(MethodView):
    """Hand-overs."""

    @blp.arguments(schemas.NewRedemptionSchema)
    @blp.response(200, schemas.RedemptionSchema)
    @blp.operation(
        "redeemMasks",
        NotFound,
        AlreadyRedeemed,
        WrongOutlet,
        OutsideWindow,
        WrongState,
        BulkReadStopped,
        *credentials.ALL,
        key=False,
    )
    @requires("masks.redeem")
    @limited("120/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Hand masks over

        Send the scanned code; without a phone, the reference together with the number of the
        document on the table. Only at the booked outlet, in its window, and once: the second of
        two clerks gets `already_redeemed` with the time. Compare the document with the name.
        """
        presented = Presented(**sent)

        def work(session: Session) -> Answer:
            done = redemptions.redeem(session, presented=presented, grant=grant(), actor=actor())
            return Answer(content=hand_over_json(done))

        return answer_once(schemas.RedemptionSchema, work)


@blp.route("/redemptions/<uuid:redemption_id>/undo")
class UndoneRedemption(MethodView):
    """A hand-over taken back."""

    @blp.response(200, schemas.UndoneRedemptionSchema)
    @blp.operation("undoMaskRedemption", NotFound, UndoTooLate, WrongState, key=False)
    @requires("masks.redeem")
    def post(self, redemption_id: UUID) -> Response:
        """Take a hand-over back

        Within five minutes, at the same outlet. The booking can be collected again. Taking back
        what was taken back changes nothing.
        """

        def work(session: Session) -> Answer:
            booking_id = redemptions.undo(
                session, redemption_id=redemption_id, grant=grant(), actor=actor()
            )
            return Answer(content={"id": redemption_id, "booking_id": booking_id})

        return answer_once(schemas.UndoneRedemptionSchema, work)


@blp.route("/bookings")
class Day(MethodView):
    """Who collects today."""

    @blp.arguments(schemas.MaskCollectionQuery, location="query")
    @blp.response(200, schemas.MaskCollectionPageSchema)
    @blp.operation("listMaskCollections", BadCursor, BulkReadStopped)
    @requires("masks.redeem")
    @limited("120/minute", by="account")
    def get(self, query: dict[str, Any]) -> Response:
        """List the day's collections

        Bookings of your outlets on a day, in window order, with masked names. `q` finds the
        beginning of a reference, or part of a name. A name is shown until a day after the window;
        each is noted, and its holder sees by whom it was read.
        """
        after: After = None
        if "cursor" in query:
            starts_at, booking_id = cursors.decode(DAY, query["cursor"])
            after = (datetime.fromisoformat(starts_at), UUID(booking_id))
        with db.transaction() as session:
            rows = expected(
                session,
                organisation_ids=sorted(grant().organisation_ids),
                on=query.get("date") or clock.local_day(clock.now()),
                q=query.get("q"),
                after=after,
                limit=query["limit"],
            )
            shown = rows[: query["limit"]]
            looks.note_day(
                session,
                [row.collection for row in shown if row.person_name],
                actor=actor(),
            )
        more = None
        if len(rows) > len(shown):
            last = shown[-1].collection
            more = cursors.encode(DAY, [last.starts_at.isoformat(), last.booking_id])
        return page(schemas.MaskCollectionPageSchema(), [expected_json(row) for row in shown], more)
