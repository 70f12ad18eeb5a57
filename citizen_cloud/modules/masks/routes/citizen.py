"""Find masks and book them."""

from base64 import urlsafe_b64decode
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request
from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.accounts.identity import masked_name
from citizen_cloud.booking import combiner
from citizen_cloud.booking.refusals import (
    AlreadyBooked,
    LimitReached,
    NotOpen,
    SlotClosed,
    SlotFull,
)
from citizen_cloud.booking.schemas import BookingSchema, booking_json
from citizen_cloud.booking.sold_out import sold_out
from citizen_cloud.errors import NotFound, Unauthenticated
from citizen_cloud.modules.masks.queries.campaigns import campaign, campaigns
from citizen_cloud.modules.masks.queries.offers import Search, offers, order_keys
from citizen_cloud.modules.masks.routes.fresh import Fresh, Page, answer, page_of_rows
from citizen_cloud.modules.masks.routes.shown import campaign_json, offer_json
from citizen_cloud.modules.masks.rules.refusals import NotEligible, QuantityAboveLimit
from citizen_cloud.modules.masks.schemas.citizen import (
    MaskCampaignPageSchema,
    MaskCampaignSchema,
    MaskOfferPageSchema,
    MaskOfferQuery,
    NewMaskBookingSchema,
    position,
)
from citizen_cloud.modules.masks.services.booking import order_for
from citizen_cloud.modules.masks.services.policy import actions
from citizen_cloud.modules.masks.services.slots import MODULE
from citizen_cloud.organisations.rules import Point
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import API_ROOT, Blueprint
from citizen_cloud.web.caller import caller, represented, subject
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.etag import version_tag
from citizen_cloud.web.gate import bearer_token
from citizen_cloud.web.idempotency import request_hash, request_key
from citizen_cloud.web.marks import acts_for, early, limited, new_business, public, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.problems import problem
from citizen_cloud.web.schemas import PageQuery

CAMPAIGNS = "masks.campaigns"
FRESH_S = 1
first_pages = Fresh(FRESH_S)

blp = Blueprint(
    "masks",
    url_prefix="/masks",
    description="口罩预约 · Find a pharmacy with stock, book a share, collect it with a code",
)


@blp.route("/campaigns")
class Campaigns(MethodView):
    """Campaigns that run or will."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, MaskCampaignPageSchema)
    @blp.operation("listMaskCampaigns", BadCursor)
    @public
    def get(self, query: dict[str, Any]) -> Response:
        """List mask campaigns

        Campaigns that are not over, newest first. A paused one takes no bookings at present.
        """
        with db.statement() as connection:
            rows = campaigns(
                connection,
                statuses=("open", "paused"),
                after=after_id(CAMPAIGNS, query),
                limit=query["limit"],
                today=clock.local_day(clock.now()),
            )
        more = more_behind(CAMPAIGNS, rows, query["limit"])
        shown = [campaign_json(row) for row in rows[: query["limit"]]]
        response = page(MaskCampaignPageSchema(), shown, more)
        response.headers["Cache-Control"] = f"public, max-age={FRESH_S}"
        return response


def after_id(listing: str, query: dict[str, Any]) -> UUID | None:
    """Return the id a page begins behind."""
    sent = query.get("cursor")
    return UUID(str(cursors.decode(listing, sent)[0])) if sent else None


def more_behind(listing: str, rows: list[Any], limit: int) -> str | None:
    """Return the cursor of the next page of a list by id, if there is one."""
    return cursors.encode(listing, [rows[limit - 1].id]) if len(rows) > limit else None


@blp.route("/campaigns/<uuid:campaign_id>")
class OneCampaign(MethodView):
    """One campaign."""

    @blp.response(200, MaskCampaignSchema)
    @blp.operation("getMaskCampaign", NotFound)
    @public
    def get(self, campaign_id: UUID) -> Any:
        """Show a mask campaign

        With its quota and conditions in numbers, and the hours of its half-days.
        """
        with db.statement() as connection:
            found = campaign(connection, campaign_id)
        if found is None or found.status == "draft":
            raise NotFound
        return campaign_json(found), 200, {"ETag": version_tag(found.version)}


def _fresh_page(arguments: dict[str, Any]) -> Response | None:
    """Answer the first page from memory before its query is read: it was, a second ago."""
    found = first_pages.held((arguments["campaign_id"], request.query_string))
    return None if found is None else answer(found)


@blp.route("/campaigns/<uuid:campaign_id>/offers")
class Offers(MethodView):
    """Where and when masks can be had."""

    @blp.arguments(MaskOfferQuery, location="query")
    @blp.alt_response(304, description="What If-None-Match names is still right")
    @blp.response(200, MaskOfferPageSchema)
    @blp.operation("listMaskOffers", NotFound, BadCursor)
    @early(_fresh_page)
    @public
    def get(self, query: dict[str, Any], campaign_id: UUID) -> Response:
        """Find masks

        Offers whose window is not over, in time order; with `near`, those within `radius`,
        nearest first. `remaining` is what is free to book, at most a second old. The first page
        carries an ETag.
        """
        if "cursor" in query:
            return answer(_read(campaign_id, query))
        key = (campaign_id, request.query_string)
        return answer(first_pages.get(key, lambda: _read(campaign_id, query)))


def _read(campaign_id: UUID, query: dict[str, Any]) -> Page:
    near = Point(*position(query["near"])) if "near" in query else None
    search = Search(
        district=query.get("district"),
        q=query.get("q"),
        near=near,
        radius_m=query["radius"],
        is_available=query["available"],
    )
    listing = f"masks.offers:{campaign_id}:{'near' if near else 'time'}"
    after = cursors.decode(listing, query["cursor"]) if "cursor" in query else None
    with db.statement() as connection:
        rows = offers(
            connection,
            campaign_id=campaign_id,
            search=search,
            after=after,
            limit=query["limit"],
        )
    if rows is None:
        raise NotFound
    shown = rows[: query["limit"]]
    more = None
    if len(rows) > len(shown):
        names = order_keys(is_near=near is not None)
        more = cursors.encode(listing, [shown[-1][name] for name in names])
    return page_of_rows([offer_json(row) for row in shown], more, max_age_s=FRESH_S)


def _sold_out(arguments: dict[str, Any]) -> Response | None:
    """Say that nothing is left, for the second it is known, to all but those who hold a share."""
    offer_id = arguments["offer_id"]
    if not sold_out.knows(offer_id):
        return None
    refusal = sold_out.answer_for(offer_id, _account_hint())
    return None if refusal is None else problem(refusal)


def _account_hint() -> UUID | None:
    """Return whom the token names, unverified: it decides only who may ask the database."""
    try:
        _, payload, _ = bearer_token().split(".")
        return UUID(orjson.loads(urlsafe_b64decode(payload + "=="))["sub"])
    except (Unauthenticated, KeyError, TypeError, ValueError, AttributeError):
        return None


@blp.route("/offers/<uuid:offer_id>/bookings")
class OfferBookings(MethodView):
    """Shares of one offer."""

    @blp.arguments(NewMaskBookingSchema)
    @blp.response(201, BookingSchema)
    @blp.operation(
        "bookMasks",
        NotFound,
        SlotFull,
        SlotClosed,
        NotOpen,
        LimitReached,
        AlreadyBooked,
        NotEligible,
        QuantityAboveLimit,
        key=True,
    )
    @signed_in(level=2)
    @acts_for(MODULE)
    @new_business
    @early(_sold_out)
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any], offer_id: UUID) -> Any:
        """Book masks

        Books some pieces for yourself, or on behalf of a dependant, with the dependant's quota
        and age; Location names the booking. Send the same Idempotency-Key again after a lost
        answer: you get the same booking, with `Idempotent-Replayed: true`. The booking's code is
        at `/bookings/{id}/code`.
        """
        key, me, someone = request_key(required=True), caller(), represented()
        holder = subject() or me.person
        order = order_for(
            offer_id=offer_id,
            person=holder,
            link_id=someone.link_id if someone else None,
            booked_by=me.account_id,
            quantity=sent["quantity"],
            request_key=str(key),
            request_hash=request_hash(),
            read=db.statement,
        )
        booked = combiner.book(order=order)
        headers = {"Location": f"{API_ROOT}/bookings/{booked.booking_id}"}
        if booked.replayed:
            headers["Idempotent-Replayed"] = "true"
        content = booking_json(
            booked.row,
            masked_name=masked_name(holder),
            actions=actions(booked.row.facts, clock.now()),
        )
        return content, 201, headers
