"""The platform's own doors: campaigns and what is offered in them."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import Conflict, NotFound, StaleVersion
from citizen_cloud.modules.masks.queries.campaigns import CampaignRow, campaigns
from citizen_cloud.modules.masks.routes.citizen import after_id, more_behind
from citizen_cloud.modules.masks.routes.shown import campaign_json
from citizen_cloud.modules.masks.routes.staff import actor
from citizen_cloud.modules.masks.rules.refusals import (
    CampaignOver,
    OffersConflict,
    RationingConflict,
)
from citizen_cloud.modules.masks.schemas import admin as schemas
from citizen_cloud.modules.masks.services.campaigns import (
    HOURS,
    NewCampaign,
    change_campaign,
    create_campaign,
)
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.text import Text
from citizen_cloud.web.blueprint import API_ROOT, Blueprint
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.etag import expected_version, version_tag
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "masks.admin.campaigns"
STATES = ("draft", "open", "paused", "closed")

blp = Blueprint(
    "masks_admin",
    url_prefix="/masks/admin",
    description="口罩活动管理 · Campaigns and offers (back office)",
)


def _new_campaign(sent: dict[str, Any]) -> NewCampaign:
    hours = {name: value for name, value in sent.items() if name in HOURS}
    plain = ("product_class", "profile", "starts_on", "ends_on", "opens_at", "closes_at", "status")
    return NewCampaign(
        title=Text(**sent["title"]),
        conditions=sent.get("conditions", {}),
        hours=hours,
        **{name: sent[name] for name in plain},
    )


@blp.route("/campaigns")
class Campaigns(MethodView):
    """All campaigns."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, schemas.MaskCampaignPageSchema)
    @blp.operation("listAllMaskCampaigns", BadCursor)
    @requires("masks.read")
    def get(self, query: dict[str, Any]) -> Response:
        """List every mask campaign

        Drafts and closed ones as well, newest first.
        """
        with db.transaction() as session:
            rows = campaigns(
                session, statuses=STATES, after=after_id(LISTING, query), limit=query["limit"]
            )
        more = more_behind(LISTING, rows, query["limit"])
        shown = [campaign_json(row) for row in rows[: query["limit"]]]
        return page(schemas.MaskCampaignPageSchema(), shown, more)

    @blp.arguments(schemas.NewMaskCampaignSchema)
    @blp.response(201, schemas.MaskCampaignSchema)
    @blp.operation("createMaskCampaign", RationingConflict, key=False)
    @requires("masks.campaigns.manage")
    def post(self, sent: dict[str, Any]) -> Response:
        """Add a mask campaign

        One product class under one quota profile; profile and conditions never change later. On
        the same days only one profile may ration a class.
        """
        new = _new_campaign(sent)

        def work(session: Session) -> Answer:
            made = create_campaign(session, new=new, actor=actor())
            location = f"{API_ROOT}/masks/campaigns/{made.id}"
            return Answer(content=campaign_json(made), status=201, location=location)

        return answer_once(schemas.MaskCampaignSchema, work)


def _answer(row: CampaignRow) -> tuple[dict[str, Any], int, dict[str, str]]:
    return campaign_json(row), 200, {"ETag": version_tag(row.version)}


@blp.route("/campaigns/<uuid:campaign_id>")
class OneCampaign(MethodView):
    """One campaign."""

    @blp.arguments(schemas.MaskCampaignChangeSchema)
    @blp.response(200, schemas.MaskCampaignSchema)
    @blp.operation("changeMaskCampaign", NotFound, StaleVersion, CampaignOver, Conflict)
    @requires("masks.campaigns.manage")
    def patch(self, sent: dict[str, Any], campaign_id: UUID) -> Any:
        """Rename, open, pause or close a mask campaign

        Pausing closes its slots for new bookings; what is booked can still be collected. Closing
        is for good. With If-Match the change is refused (412) where somebody else was faster.
        """
        with db.transaction() as session:
            changed = change_campaign(
                session,
                campaign_id=campaign_id,
                title=Text(**sent["title"]) if "title" in sent else None,
                status=sent.get("status"),
                expected_version=expected_version(request),
                actor=actor(),
            )
        return _answer(changed)


@blp.route("/campaigns/<uuid:campaign_id>/offers")
class Offers(MethodView):
    """What a campaign offers."""

    @blp.arguments(schemas.MaskOfferBatchSchema)
    @blp.response(200, schemas.MaskOfferBatchAnswerSchema)
    @blp.operation("publishMaskOffers", NotFound, CampaignOver, OffersConflict, key=False)
    @requires("masks.campaigns.manage")
    def post(self, sent: dict[str, Any], campaign_id: UUID) -> Response:
        """Publish offers

        Up to 1,000 at once, all of them or none; the pairs that clash are reported. An item that
        is published exactly so already changes nothing, so a batch may be sent again.
        """
        items = [WantedOffer(**item) for item in sent["items"]]

        def work(session: Session) -> Answer:
            done = publish_offers(session, campaign_id=campaign_id, items=items, actor=actor())
            created = sum(one.is_new for one in done)
            content = {
                "created": created,
                "unchanged": len(done) - created,
                "items": [
                    {
                        "offer_id": one.offer_id,
                        "organisation_id": one.item.organisation_id,
                        "window_on": one.item.window_on,
                        "half": one.item.half,
                        "change": "created" if one.is_new else "unchanged",
                    }
                    for one in done
                ],
            }
            return Answer(content=content)

        return answer_once(schemas.MaskOfferBatchAnswerSchema, work)
