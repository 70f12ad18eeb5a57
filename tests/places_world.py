"""A place for any test, made through the service and not through HTTP; its code; who is in."""

import threading
from concurrent.futures import ThreadPoolExecutor

import health_world
import people
from people import _in
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.modules.health_code.services.place_codes import shown_code
from citizen_cloud.modules.health_code.services.places import NewPlace, create_place
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
