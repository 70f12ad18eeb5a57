"""A small city for mask tests: outlets, campaigns, offers, citizens with documents, clerks."""

import itertools
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import callers
from sqlalchemy import event, text
from stdnum.cn import ric

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts import tokens
from citizen_cloud.accounts.identity import document_place, name_place
from citizen_cloud.booking.services import Actor
from citizen_cloud.db import new_id
from citizen_cloud.modules.masks.routes import citizen as citizen_routes
from citizen_cloud.modules.masks.routes import open_data
from citizen_cloud.modules.masks.services.campaigns import NewCampaign, create_campaign
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.organisations.rules import Point, county_and_town
from citizen_cloud.organisations.services import NewPlace, upsert_places
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Identity

API = "/api/v1/masks"
SYSTEM = Actor(kind="system", id=None)
numbers = itertools.count(1)
serials = itertools.count()


@dataclass(frozen=True)
class Citizen:
    account_id: UUID
    person_id: UUID
    document_number: str
    identity: Identity
    headers: dict[str, str] = field(default_factory=dict)

    def key(self, value=None):
        return {**self.headers, "Idempotency-Key": value or secrets.token_hex(8)}


def today():
    return clock.local_day(clock.now())


def forget_pages():
    citizen_routes.first_pages.clear()
    open_data.pages.clear()


def outlet(
    name="人民路药店",
    *,
    address="台北市信義區人民路1號",
    code=None,
    position=None,
    status=None,
    register="city",
):
    area = county_and_town(address)
    place = NewPlace(
        kind="pharmacy",
        register=register,
        code=code or f"PH{next(numbers):04d}{secrets.token_hex(2)}",
        name=Text(name, name),
        address=address,
        county=area.county,
        town=area.town,
        phone="02-27653147",
        position=Point(*position) if position else None,
    )
    with db.transaction() as session:
        placed = upsert_places(session, places=[place])[0].id
        if status:
            session.execute(
                text("UPDATE organisations.organisation SET status = :s WHERE id = :id"),
                {"s": status, "id": placed},
            )
    return placed


def campaign(
    *,
    profile="TW-1",
    product_class="adult",
    status="open",
    days=14,
    opens_in=timedelta(hours=-1),
    **more,
):
    now = datetime.now(UTC)
    new = NewCampaign(
        title=Text("成人口罩预约", "Masks for adults"),
        product_class=product_class,
        profile=profile,
        starts_on=today(),
        ends_on=today() + timedelta(days=days - 1),
        opens_at=now + opens_in,
        closes_at=now + timedelta(days=days),
        status=status,
        **more,
    )
    with db.transaction() as session:
        return create_campaign(session, new=new, actor=SYSTEM).id


def offer(
    campaign_id, organisation_id, *, capacity=10, half="am", days_ahead=1, begin=None, end=None
):
    item = WantedOffer(
        organisation_id=organisation_id,
        window_on=today() + timedelta(days=days_ahead),
        half=half,
        capacity=capacity,
        begin=begin,
        end=end,
    )
    with db.transaction() as session:
        return publish_offers(session, campaign_id=campaign_id, items=[item], actor=SYSTEM)[
            0
        ].offer_id


def move_window(offer_id, *, begins=timedelta(hours=-1), ends=timedelta(hours=1)):
    """Put an offer's window around now; what is due by the clock need not be waited for."""
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE booking.slot SET starts_at = statement_timestamp() + :b, "
                "ends_at = statement_timestamp() + :e, closes_at = statement_timestamp() + :e, "
                "opens_at = least(opens_at, statement_timestamp() + :b) - interval '1 hour' "
                "WHERE id = :id"
            ),
            {"b": begins, "e": ends, "id": offer_id},
        )


def document(birth="19900101", *, last=None):
    """Return a valid number; ``last`` asks for its final digit."""
    while True:
        # In turn, not at random: two people of one test must not draw the same number.
        head = f"210202{birth}{next(serials) % 999 + 1:03d}"
        number = head + ric.calc_check_digit(head + "0")
        if last is None or number[-1] == last:
            return number


def citizen(*, birth="19900101", name="王小明", number=None):
    """Return a citizen of level 2, signed in on a device where the document was shown."""
    rings = crypto.current()
    person_id, account_id, device_id, sign_in_id = (new_id() for _ in range(4))
    number = number or document(birth)
    person_key = rings.person_key("resident_id", number)
    identity = Identity(
        person_id=person_id,
        person_key=person_key,
        document_type="resident_id",
        document_sealed=rings.seal(number, place=document_place(person_id)),
        name_sealed=rings.seal(name, place=name_place(person_id)),
    )
    values = {
        "person": person_id,
        "account": account_id,
        "device": device_id,
        "sign_in": sign_in_id,
        "document": identity.document_sealed,
        "index": rings.lookup("document", number),
        "name": identity.name_sealed,
        "key": person_key,
    }
    with db.transaction() as session:
        for sql in _CITIZEN:
            session.execute(text(sql), values)
    token = tokens.issue(account_id=account_id, sign_in_id=sign_in_id, now=clock.now())
    return Citizen(account_id, person_id, number, identity, {"Authorization": f"Bearer {token}"})


_CITIZEN = (
    (
        "INSERT INTO accounts.person (id, document_type, document_sealed, document_index, name_sealed,"
        " person_key, level, verified_by, verified_at) VALUES (:person, 'resident_id', :document,"
        " :index, :name, :key, 2, 'test', statement_timestamp())"
    ),
    "INSERT INTO accounts.account (id, kind, person_id) VALUES (:account, 'citizen', :person)",
    (
        "INSERT INTO accounts.device (id, account_id, secret_hash, proven_at)"
        " VALUES (:device, :account, '-', statement_timestamp())"
    ),
    (
        "INSERT INTO accounts.sign_in (id, account_id, device_id, amr, refresh_hash, expires_at)"
        " VALUES (:sign_in, :account, :device, 'sms', '-', statement_timestamp() + interval '1 day')"
    ),
)


def clerk(*organisation_ids, role="staff"):
    return callers.staff(*((role, place) for place in organisation_ids))


def admin():
    return callers.staff("admin", kind="admin")


def book(client, who, offer_id, quantity=1, key=None):
    return client.post(
        f"{API}/offers/{offer_id}/bookings", json={"quantity": quantity}, headers=who.key(key)
    )


def value(sql, **values):
    with db.transaction() as session:
        return session.execute(text(sql), values).scalar()


def slot(offer_id):
    with db.transaction() as session:
        return (
            session.execute(text("SELECT * FROM booking.slot WHERE id = :id"), {"id": offer_id})
            .mappings()
            .one()
        )


@contextmanager
def counted(engine):
    """Collect the statements of a block, savepoints aside."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
