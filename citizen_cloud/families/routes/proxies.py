"""Who may act for me, and who asks to."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.errors import NotFound
from citizen_cloud.families import queries
from citizen_cloud.families.refusals import GuardiansFull, LinkDecided, ScopesNotNarrower
from citizen_cloud.families.routes.claims import before, more_behind
from citizen_cloud.families.schemas import (
    DecidedSchema,
    LinkDecisionSchema,
    LinkRequestPageSchema,
    ProxyPageSchema,
)
from citizen_cloud.families.services import deciding, ending
from citizen_cloud.families.services.deciding import Answer as Decision
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, subject
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, fresh, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

PROXIES, REQUESTS = "families.proxies", "families.requests"

blp = Blueprint(
    "proxies",
    url_prefix="/me",
    description="代办授权 · Who may act for somebody, and who asks to",
)


@blp.route("/proxies")
class Proxies(MethodView):
    """All of them."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, ProxyPageSchema)
    @blp.operation("listProxies", BadCursor)
    @signed_in(level=2)
    @acts_for("guardian")
    def get(self, query: dict[str, Any]) -> Response:
        """List who may act for me

        Live links, latest first. On behalf of a child, the child's guardians; nobody sees an
        adult's.
        """
        limit, person = query["limit"], subject() or caller().person
        with db.statement() as connection:
            rows = queries.proxies(
                connection,
                person_id=person.person_id,
                before=before(PROXIES, query),
                limit=limit + 1,
            )
        return page(ProxyPageSchema(), rows[:limit], more_behind(PROXIES, rows, limit))


@blp.route("/proxies/<uuid:proxy_id>")
class OneProxy(MethodView):
    """One of them."""

    @blp.response(204)
    @blp.operation("revokeProxy", NotFound)
    @signed_in(level=2)
    def delete(self, proxy_id: UUID) -> None:
        """Let somebody act for me no more

        Counts from that person's next request on. What was booked stays booked for you.
        """
        me = caller()
        with db.transaction() as session:
            ending.revoke(
                session,
                person=me.person,
                account_id=me.account_id,
                link_id=proxy_id,
                now=clock.now(),
            )


@blp.route("/link-requests")
class LinkRequests(MethodView):
    """What waits for an answer."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, LinkRequestPageSchema)
    @blp.operation("listLinkRequests", BadCursor)
    @signed_in(level=2)
    def get(self, query: dict[str, Any]) -> Response:
        """List requests that wait for my answer

        To act for me, or for a child of whom I am guardian; latest first.
        """
        limit = query["limit"]
        with db.transaction() as session:
            found = deciding.open_requests(
                session,
                person=caller().person,
                before=before(REQUESTS, query),
                limit=limit + 1,
                now=clock.now(),
            )
        rows = queries.with_asker(found)
        return page(LinkRequestPageSchema(), rows[:limit], more_behind(REQUESTS, rows, limit))


@blp.route("/link-requests/<uuid:link_request_id>/decision")
class LinkDecision(MethodView):
    """The answer."""

    @blp.arguments(LinkDecisionSchema)
    @blp.response(200, DecidedSchema)
    @blp.operation(
        "decideLinkRequest", NotFound, LinkDecided, ScopesNotNarrower, GuardiansFull, key=False
    )
    @signed_in(level=2)
    @fresh
    def post(self, sent: dict[str, Any], link_request_id: UUID) -> Response:
        """Agree to a request, or refuse it

        `scopes` may leave services out; a guardian gives no more than the guardian's own. Whoever
        was agreed to may act from the next request on, and is seen at `GET /me/proxies`.
        """
        me, now = caller(), clock.now()

        def work(session: Session) -> Answer:
            status = deciding.decide(
                session,
                person=me.person,
                account_id=me.account_id,
                link_id=link_request_id,
                answer=Decision(**sent),
                now=now,
            )
            return Answer(content={"id": link_request_id, "status": status})

        return answer_once(DecidedSchema, work)
