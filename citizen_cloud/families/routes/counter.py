"""Links made and ended at a counter, with the documents on the table."""

from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import (
    IdNumberInvalid,
    NameInvalid,
    RealNameMismatch,
    SecondPersonRequired,
    VerifierUnavailable,
)
from citizen_cloud.errors import Invalid, NotFound
from citizen_cloud.families.refusals import (
    AlreadyLinked,
    DependantsFull,
    GuardiansFull,
    LinkDecided,
    ProxyCycle,
    ProxySelf,
    RelationMismatch,
    ScopesNotNarrower,
)
from citizen_cloud.families.routes.claims import claim_of, is_match, scopes_of
from citizen_cloud.families.schemas import (
    CounterEndSchema,
    CounterLinkMadeSchema,
    CounterLinkSchema,
)
from citizen_cloud.families.services import attesting, clerks
from citizen_cloud.families.services.asking import Wish
from citizen_cloud.families.services.clerks import Counter
from citizen_cloud.organisations.queries import counters_among
from citizen_cloud.organisations.refusals import NotACounter
from citizen_cloud.organisations.services.counters import counter_of
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, requires

blp = Blueprint(
    "families_counter",
    url_prefix="/counter",
    description="窗口代办登记 · A counter records who acts for whom",
)


def _counter(sent: dict[str, Any]) -> Counter:
    """Return who attests, and at which counter. Raises ``NotACounter`` or ``Invalid``."""
    with db.statement() as connection:
        counters = counters_among(connection, grant().organisation_ids)
    return Counter(
        account_id=caller().account_id,
        organisation_id=counter_of(counters, sent.get("organisation_id")),
        evidence=sent["evidence_reference"],
    )


@blp.route("/links")
class CounterLinks(MethodView):
    """Links made here."""

    @blp.arguments(CounterLinkSchema)
    @blp.response(200, CounterLinkMadeSchema)
    @blp.operation(
        "attestLink",
        NotFound,
        NotACounter,
        IdNumberInvalid,
        NameInvalid,
        RealNameMismatch,
        VerifierUnavailable,
        ProxySelf,
        RelationMismatch,
        AlreadyLinked,
        ProxyCycle,
        DependantsFull,
        GuardiansFull,
        LinkDecided,
        ScopesNotNarrower,
        SecondPersonRequired,
        key=False,
    )
    @requires("families.attest")
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """Record who acts for whom

        At a counter of a public authority. Both are here with their documents: `acting` and
        `represented`. Or only the represented person is, and the other one's request is named:
        `request_id`. Two clerks of one counter vouch for it: the first one's call answers
        `pending`, and the second one's, with the same documents or the link as `request_id`,
        `active`. Within 24 hours, and never by one who appointed the other
        (`second_person_required`). Meanwhile the person, or a child's guardian, may refuse as any
        request. Who is not known yet is enrolled at level 3 and needs no phone. Both find the
        record in their messages and under who looked at their data, and so does a child's other
        guardian.
        """
        if ("acting" in sent) == ("request_id" in sent):
            raise Invalid(errors=[{"pointer": "/acting", "code": "required"}])
        counter, represented = _counter(sent), claim_of(sent["represented"])
        acting = claim_of(sent["acting"]) if "acting" in sent else None
        wish = Wish(
            relation=sent["relation"], scopes=scopes_of(sent), expires_on=sent.get("expires_on")
        )
        if not all(is_match(each) for each in (represented, acting) if each is not None):
            raise RealNameMismatch
        facts: dict[str, Any] = {
            "counter": counter,
            "represented": represented,
            "wish": wish,
            "now": clock.now(),
        }

        def work(session: Session) -> Answer:
            if acting is None:
                made = attesting.attest_request(session, link_id=sent["request_id"], **facts)
            else:
                made = attesting.attest_new(session, acting=acting, **facts)
            return Answer(content=made)

        return answer_once(CounterLinkMadeSchema, work)


@blp.route("/links/end")
class EndedCounterLink(MethodView):
    """A link ended here."""

    @blp.arguments(CounterEndSchema)
    @blp.response(200, CounterLinkMadeSchema)
    @blp.operation(
        "endLinkAtCounter", NotFound, NotACounter, IdNumberInvalid, NameInvalid, key=False
    )
    @requires("families.attest")
    @limited("30/minute", by="account")
    def post(self, sent: dict[str, Any]) -> Response:
        """End a link by evidence

        A court took a guardian's rights away, or a person without a phone wants nobody to act any
        more. Both are told. Without a live link between the two: 404.
        """
        now, counter = clock.now(), _counter(sent)
        acting, represented = claim_of(sent["acting"]), claim_of(sent["represented"])

        def work(session: Session) -> Answer:
            link_id = clerks.end_link(
                session, counter=counter, acting=acting, represented=represented, now=now
            )
            return Answer(content={"id": link_id, "status": "revoked"})

        return answer_once(CounterLinkMadeSchema, work)
