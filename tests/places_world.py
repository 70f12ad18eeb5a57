"""A place for any test, made through the service and not through HTTP; its code; who is in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import approvals_world
import health_world
import people
from people import _in
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.app import contributions
from citizen_cloud.approvals import kinds
from citizen_cloud.approvals import services as approvals
from citizen_cloud.approvals.services import Proposer
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.modules.health_code.jobs.places import DECISIONS
from citizen_cloud.modules.health_code.manifest import module
from citizen_cloud.modules.health_code.rules import visits as visit_rules
from citizen_cloud.modules.health_code.services.places.place_codes import shown_code
from citizen_cloud.modules.health_code.services.places.places import NewPlace, create_place
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Grant

API = "/api/v1/places"


def place(organisation_id, *, name="青泥洼桥地铁站A口", area_code="210202", session=None, **rules):
    """Return the id of an open place of an organisation."""
    new = NewPlace(
        organisation_id=organisation_id,
        name=Text(name, "A station's exit"),
        area_code=area_code,
        **rules,
    )
    with _in(session) as opened:
        return create_place(opened, new=new, actor=Actor("system", None)).id


def code(place_id, *, now=None, session=None):
    """Return the text the place's screen shows, now or then."""
    with _in(session) as opened:
        return shown_code(opened, place_id=place_id, grant=Grant(everywhere=True), now=now).text


def green(**options):
    """Return a citizen who declared to be well."""
    return health_world.coloured(people.citizen(**options), "green")


def scan(client, someone, place_id, *, shown=None, companions=()):
    """Scan a place's code as the app does."""
    body = {"place_code": shown or code(place_id)}
    if companions:
        body["companions"] = [str(each) for each in companions]
    return client.post(f"{API}/{place_id}/visits", json=body, headers=someone.headers)


def entered(client, someone, place_id, **options):
    """Enter, and return the caller's own part of the answer."""
    answer = scan(client, someone, place_id, **options)
    assert answer.status_code == 200, answer.json
    return answer.json["entries"][0]


def visits():
    """Return how many visits there are."""
    with db.transaction() as session:
        return session.scalar(text("SELECT count(*) FROM health_code.visit"))


def move_visits(by):
    """Let every visit have been so much earlier, as far as the row tells it."""
    with db.transaction() as session:
        session.execute(text("UPDATE health_code.visit SET hour_at = hour_at - :by"), {"by": by})


def together(count, work):
    """Run a piece of work so many times, begun together; return what each returned."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def opening(place_id, unit_id, by=None, *, hours=2, case="流调 2026-0412", ahead=1):
    """Have the record of a place opened for an authority, by two others; return its id."""
    until = visit_rules.hour_of(clock.now()) + timedelta(hours=ahead)
    payload = {
        "place_id": place_id,
        "from_at": until - timedelta(hours=hours),
        "until_at": until,
        "case_number": case,
    }
    if by:
        people.somebody(by)
    proposer = Proposer(account_id=by and by.account_id, unit_id=unit_id, kind="staff")
    with known():
        with db.transaction() as session:
            proposal_id = approvals.propose(
                session,
                kind="health_code.open_visits",
                payload=payload,
                reason="contact_tracing",
                evidence_reference="流调报告 2026-11-0412",
                proposer=proposer,
            )
        approvals_world.agree(proposal_id, approvals_world.approvers())
    return proposal_id


def known():
    """Have this process know the module's kinds, if it does not."""
    missing = [kind for kind in DECISIONS if kind.name not in kinds.current()]
    return approvals_world.also(*missing)


def deliver():
    """Hand every event to the handlers of all rooms and of this module."""
    handlers = handlers_of([*contributions(), module])
    while dispatch(handlers):
        pass
