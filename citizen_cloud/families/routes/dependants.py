"""For whom I act, or ask to."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import IdNumberInvalid, NameInvalid, VerifierUnavailable
from citizen_cloud.errors import NotFound
from citizen_cloud.families import queries
from citizen_cloud.families.refusals import (
    AlreadyLinked,
    AskedTooOften,
    DependantsFull,
    ProxyCycle,
    ProxySelf,
    RelationMismatch,
    ScopesNotNarrower,
)
from citizen_cloud.families.routes.claims import before, claim_of, is_match, more_behind, scopes_of
from citizen_cloud.families.schemas import (
    DependantPageSchema,
    DependantSchema,
    NewDependantSchema,
    ScopesSchema,
)
from citizen_cloud.families.services import asking, ending
from citizen_cloud.families.services.asking import Request, Wish
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import fresh, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "families.dependants"

blp = Blueprint(
    "dependants",
    url_prefix="/me/dependants",
    description="家人代办 · Those somebody acts for: children, elders, disabled people",
)


@blp.route("")
class Dependants(MethodView):
    """All of them."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, DependantPageSchema)
    @blp.operation("listDependants", BadCursor)
    @signed_in(level=2)
    def get(self, query: dict[str, Any]) -> Response:
        """List my dependants

        Links and requests, latest first, with those that ended. An active one has a `person_id`:
        pass it as `on_behalf_of` to the services of its `scopes`.
        """
        limit = query["limit"]
        with db.statement() as connection:
            rows = queries.dependants(
                connection,
                acting_id=caller().person.person_id,
                before=before(LISTING, query),
                limit=limit + 1,
            )
        return page(DependantPageSchema(), rows[:limit], more_behind(LISTING, rows, limit))

    @blp.arguments(NewDependantSchema)
    @blp.response(202, DependantSchema)
    @blp.operation(
        "askForDependant",
        IdNumberInvalid,
        NameInvalid,
        ProxySelf,
        RelationMismatch,
        AlreadyLinked,
        ProxyCycle,
        DependantsFull,
        AskedTooOften,
        VerifierUnavailable,
        key=False,
    )
    @limited("10/minute", by="account")
    @signed_in(level=2)
    @fresh
    def post(self, sent: dict[str, Any]) -> Response:
        """Ask to act for somebody

        An adult agrees from the own account, a child's guardian from the guardian's; the first
        guardian of a child, and whoever has no phone, agrees at a counter with documents. The
        answer is the same whether or not that person, that name or an account exists: `pending`,
        until somebody agrees, refuses, or 30 days are over. At most eight dependants; the same
        person three times a month.
        """
        me, now = caller(), clock.now()
        claim, scopes = claim_of(sent), scopes_of(sent)
        wish = Wish(relation=sent["relation"], scopes=scopes, expires_on=sent.get("expires_on"))
        request = Request(
            asker=me.person,
            account_id=me.account_id,
            claim=claim,
            is_match=is_match(claim),
            wish=wish,
        )

        def work(session: Session) -> Answer:
            link_id = asking.ask(session, request=request, now=now)
            made = queries.dependant(session, acting_id=me.person.person_id, link_id=link_id)
            return Answer(content=made, status=202)

        return answer_once(DependantSchema, work)


@blp.route("/<uuid:link_id>")
class OneDependant(MethodView):
    """One link."""

    @blp.arguments(ScopesSchema)
    @blp.response(200, DependantSchema)
    @blp.operation("narrowDependant", NotFound, ScopesNotNarrower)
    @signed_in(level=2)
    def patch(self, sent: dict[str, Any], link_id: UUID) -> dict[str, Any]:
        """Leave services out

        Names the services that stay. More than before needs a new request.
        """
        me, scopes = caller(), scopes_of(sent)
        with db.transaction() as session:
            ending.narrow(
                session,
                person=me.person,
                account_id=me.account_id,
                link_id=link_id,
                scopes=scopes,
            )
            return queries.dependant(session, acting_id=me.person.person_id, link_id=link_id)

    @blp.response(204)
    @blp.operation("endDependant", NotFound)
    @signed_in(level=2)
    def delete(self, link_id: UUID) -> None:
        """End a link, or withdraw a request

        Counts from the next request on. What was booked stays booked for the person.
        """
        me = caller()
        with db.transaction() as session:
            ending.give_up(
                session,
                person=me.person,
                account_id=me.account_id,
                link_id=link_id,
                now=clock.now(),
            )
