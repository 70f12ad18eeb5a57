"""Many citizens and offers at once, by bulk SQL: for load, faults and races through HTTP.

Ids are numbered, so that pgbench can compute them: ``uuid_of(PERSON, 7)`` is the eighth person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import text

from citizen_cloud import clock, crypto
from citizen_cloud.accounts import tokens
from citizen_cloud.accounts.identity import document_place, name_place
from citizen_cloud.booking.services import SYSTEM, NewSlot, publish_slots
from citizen_cloud.modules.masks.services.campaigns import NewCampaign, create_campaign
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.text import Text

PERSON, ACCOUNT, DEVICE, SIGN_IN, OUTLET, SLOT = range(0x01990001, 0x01990007)
BATCH = 5_000


def uuid_of(kind, number):
    return UUID(f"{kind:08x}-0000-7000-8000-{number:012x}")


@dataclass(frozen=True, slots=True)
class Citizen:
    number: int

    @property
    def account_id(self):
        return uuid_of(ACCOUNT, self.number)

    @property
    def person_id(self):
        return uuid_of(PERSON, self.number)

    def token(self, now=None):
        """Return a fresh access token; it lives ten minutes."""
        return tokens.issue(
            account_id=self.account_id,
            sign_in_id=uuid_of(SIGN_IN, self.number),
            now=now or clock.now(),
        )


_PEOPLE = (
    """
    INSERT INTO accounts.person (id, document_type, document_sealed, document_index, name_sealed,
                                 person_key, level, verified_by, verified_at)
    SELECT p, 'resident_id', d, k, n, k, 2, 'crowd', statement_timestamp()
      FROM unnest(cast(:people AS uuid[]), cast(:documents AS bytea[]), cast(:keys AS bytea[]),
                  cast(:names AS bytea[])) AS t (p, d, k, n)
    """,
    """
    INSERT INTO accounts.account (id, kind, person_id)
    SELECT a, 'citizen', p
      FROM unnest(cast(:accounts AS uuid[]), cast(:people AS uuid[])) AS t (a, p)
    """,
    """
    INSERT INTO accounts.device (id, account_id, secret_hash, proven_at)
    SELECT d, a, '\\x00', statement_timestamp()
      FROM unnest(cast(:devices AS uuid[]), cast(:accounts AS uuid[])) AS t (d, a)
    """,
    """
    INSERT INTO accounts.sign_in (id, account_id, device_id, amr, refresh_hash, expires_at)
    SELECT s, a, d, 'sms', '\\x00', statement_timestamp() + interval '30 days'
      FROM unnest(cast(:sign_ins AS uuid[]), cast(:accounts AS uuid[]),
                  cast(:devices AS uuid[])) AS t (s, a, d)
    """,
)


def make_citizens(session, count, *, first=0):
    """Add citizens with the real-name step done and one sign-in each."""
    rings = crypto.current()
    made = [Citizen(number) for number in range(first, first + count)]
    for begin in range(0, count, BATCH):
        batch = made[begin : begin + BATCH]
        numbers = [citizen.number for citizen in batch]
        people = [citizen.person_id for citizen in batch]
        values = {
            "people": people,
            "documents": [
                rings.seal(f"21020219800101{number % 10_000:04d}", place=document_place(person))
                for number, person in zip(numbers, people, strict=True)
            ],
            "keys": [sha256(str(number).encode()).digest() for number in numbers],
            "names": [rings.seal("王小明", place=name_place(person)) for person in people],
            "accounts": [citizen.account_id for citizen in batch],
            "devices": [uuid_of(DEVICE, number) for number in numbers],
            "sign_ins": [uuid_of(SIGN_IN, number) for number in numbers],
        }
        for statement in _PEOPLE:
            session.execute(text(statement), values)
    return made


def make_outlets(session, count):
    """Add pharmacies in two districts."""
    ids = [uuid_of(OUTLET, number) for number in range(count)]
    session.execute(
        text(
            """
            INSERT INTO organisations.organisation
                   (id, kind, code, name, address, county, town, latitude, longitude, datum, tokens)
            SELECT id, 'pharmacy', 'C' || n, jsonb_build_object('zh', '第' || n || '药店',
                   'en', 'Pharmacy ' || n), '解放路' || n || '号', '大连市',
                   CASE WHEN n % 2 = 0 THEN '中山区' ELSE '西岗区' END,
                   38.9 + n * 0.0001, 121.6 + n * 0.0001, 'wgs84', ARRAY['药店']
              FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS t (id, n)
            """
        ),
        {"ids": ids},
    )
    return ids


def make_campaign(session, *, profile="TW-2", product_class="adult", status="open"):
    """Open a campaign whose booking period is now."""
    now = datetime.now(UTC)
    today = clock.local_day(now)
    new = NewCampaign(
        title=Text("压力测试口罩", "Masks under load"),
        product_class=product_class,
        profile=profile,
        starts_on=today,
        ends_on=today + timedelta(days=13),
        opens_at=now - timedelta(hours=1),
        closes_at=now + timedelta(days=13),
        status=status,
    )
    return create_campaign(session, new=new, actor=SYSTEM).id


def make_offers(session, outlets, *, campaign_id, capacity, half="am", days_ahead=1):
    """Publish one offer per outlet and return their ids in order."""
    day = clock.local_day(datetime.now(UTC)) + timedelta(days=days_ahead)
    items = [
        WantedOffer(organisation_id=outlet, window_on=day, half=half, capacity=capacity)
        for outlet in outlets
    ]
    published = publish_offers(session, campaign_id=campaign_id, items=items, actor=SYSTEM)
    return [offer.offer_id for offer in published]


def make_slots(session, count, *, organisation_id, capacity):
    """Publish bare slots with numbered ids, for the statement without the application."""
    now = datetime.now(UTC)
    ids = [uuid_of(SLOT, number) for number in range(count)]
    slots = [
        NewSlot(
            id=slot_id,
            module="masks",
            organisation_id=organisation_id,
            starts_at=now + timedelta(days=1),
            ends_at=now + timedelta(days=1, hours=4),
            opens_at=now - timedelta(hours=1),
            closes_at=now + timedelta(days=1),
            capacity=capacity,
            title=Text("成人口罩", "Masks for adults"),
            place=Text("第1药店", "Pharmacy 1"),
        )
        for slot_id in ids
    ]
    publish_slots(session, slots=slots)
    return ids
