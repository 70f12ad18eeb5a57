"""People, places and stock for any test, made through the rooms' services and not through HTTP."""

import itertools
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import text
from stdnum.cn import ric

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.models import Account
from citizen_cloud.accounts.services import citizens, devices, real_name, sign_ins, standing_for
from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import SYSTEM, Actor, Order
from citizen_cloud.db import PooledDatabase, new_id
from citizen_cloud.messages.services.inbox import Note, notify
from citizen_cloud.modules.masks.rules.rationing import PROFILES
from citizen_cloud.modules.masks.rules.rationing import quota as quota_of
from citizen_cloud.modules.masks.services import redemptions
from citizen_cloud.modules.masks.services.campaigns import NewCampaign, create_campaign
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.organisations.services import NewPlace, add_member, create_organisation
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Grant

BIRTH = "19900101"
serials = itertools.count()
numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Someone:
    """An account that is signed in, and what it sends with every request."""

    account_id: UUID
    token: str
    device_id: UUID
    person_id: UUID | None = None
    person_key: bytes | None = None
    document_number: str | None = None
    refresh_token: str = ""
    membership_ids: tuple[UUID, ...] = field(default=())

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def key(self, value=None):
        """Return the headers with an Idempotency-Key, fresh unless one is given."""
        return {**self.headers, "Idempotency-Key": value or secrets.token_hex(8)}


@contextmanager
def _in(session):
    """Use the session given, or open a transaction."""
    if session is not None:
        yield session
        return
    with db.transaction() as opened:
        yield opened


def new_phone():
    return f"+86138{secrets.randbelow(10**8):08d}"


def document(birth=BIRTH):
    """Return a valid identity number that nobody else has; in turn, for drawn ones may repeat."""
    head = f"210202{birth}{next(serials) % 1000:03d}"
    return head + ric.calc_check_digit(head + "0")


def citizen(
    level=2, *, phone=None, name="王小明", number=None, birth=BIRTH, language="zh", session=None
):
    """Return a citizen: level 1 has proven a phone, level 2 a document on this device as well."""
    with _in(session) as opened:
        account_id = citizens._create(opened, phone or new_phone(), language)
        someone = _sign_in(opened, account_id, "citizen", "sms")
        if level < 2:
            return someone
        number = number or document(birth)
        claim = real_name.claim(
            document_type="resident_id",
            number=number,
            name=name,
            today=clock.local_day(clock.now()),
        )
        proven = real_name.prove(
            opened,
            account_id=account_id,
            device_id=someone.device_id,
            claim=claim,
            verified_by="test",
        )
    return Someone(
        **{
            **vars(someone),
            "person_id": proven.person_id,
            "person_key": crypto.current().person_key("resident_id", number),
            "document_number": number,
        }
    )


def staff(organisation_id=None, role="staff", *, kind="staff", session=None):
    """Return a staff account; without an organisation the role is the platform's, or none."""
    with _in(session) as opened:
        account_id = new_id()
        # Not through create_staff: nobody here signs in by password, and argon2 is slow on purpose.
        opened.add(Account(id=account_id, kind=kind, username=f"u{secrets.token_hex(6)}"))
        opened.flush()
        memberships = ()
        if role:
            memberships = (
                add_member(
                    opened,
                    organisation_id=organisation_id,
                    account_id=account_id,
                    role=role,
                    actor=Actor(kind="system", id=None),
                ),
            )
        someone = _sign_in(opened, account_id, kind, "pwd otp")
    return Someone(**{**vars(someone), "membership_ids": memberships})


def bind(someone, person_id=None, *, session=None):
    """Let a staff account stand for a person, a new one unless told; return who it is."""
    with _in(session) as opened:
        person_id = person_id or opened.scalar(
            text(
                "INSERT INTO accounts.person (document_type, verified_by, verified_at) "
                "VALUES ('resident_id', 'test', statement_timestamp()) RETURNING id"
            )
        )
        asked = {"account": someone.account_id, "person": person_id}
        opened.execute(
            text(
                "UPDATE accounts.binding SET ended_at = statement_timestamp() "
                "WHERE account_id = :account AND bound_at IS NOT NULL AND ended_at IS NULL"
            ),
            asked,
        )
        opened.execute(
            text(
                "INSERT INTO accounts.binding (account_id, person_id, expires_at, bound_at) "
                "VALUES (:account, :person, statement_timestamp(), statement_timestamp())"
            ),
            asked,
        )
    return person_id


def username_of(someone, *, session=None):
    """Return what a member of staff signs in with."""
    with _in(session) as opened:
        asked = {"a": someone.account_id}
        return opened.scalar(text("SELECT username FROM accounts.account WHERE id = :a"), asked)


def is_bound(someone, *, session=None):
    """Return whether an account stands for somebody."""
    with _in(session) as opened:
        return standing_for.is_bound(opened, someone.account_id)


def somebody(someone, *, session=None):
    """Return a staff account that stands for a person, for one of his own if it did for nobody."""
    if not is_bound(someone, session=session):
        bind(someone, session=session)
    return someone


def employ(someone, organisation_id, role="staff", *, session=None):
    """Give a staff account a role at one more place."""
    with _in(session) as opened:
        return add_member(
            opened,
            organisation_id=organisation_id,
            account_id=someone.account_id,
            role=role,
            actor=Actor(kind="system", id=None),
        )


def manager(organisation_id, **options):
    return staff(organisation_id, "manager", **options)


def admin(*, session=None):
    return staff(None, "admin", kind="admin", session=session)


def auditor(*, session=None):
    return staff(None, "auditor", session=session)


def admin_headers():
    """Return what a new administrator sends."""
    return admin().headers


def admin_token(settings):
    """Return a token of a new administrator, for a server that runs on these settings."""
    return token_on(settings, admin)


def token_on(settings, make):
    """Make somebody in the database of these settings, whatever is installed; return the token."""
    before = list(crypto._current)
    crypto.configure(settings)
    pool = PooledDatabase(settings.database_url, pool_size=1)
    try:
        with pool.transaction() as session:
            return make(session=session).token
    finally:
        pool.dispose()
        crypto._current[:] = before


def _sign_in(session, account_id, kind, amr):
    device = devices.recognise_or_add(session, account_id=account_id, proof=None, name="测试手机")
    issued = sign_ins.open_sign_in(
        session, account_id=account_id, kind=kind, device=device, amr=amr
    )
    return Someone(
        account_id=account_id,
        token=issued.access_token,
        device_id=device.id,
        refresh_token=issued.refresh_token,
    )


def pharmacy(name="海天大药房", *, code=None, position=None, session=None):
    """Return a pharmacy's id."""
    place = NewPlace(
        kind="pharmacy",
        code=code or f"P{next(numbers):05d}{secrets.token_hex(3)}",
        name=Text(name, "Haitian Pharmacy"),
        address="大连市中山区人民路1号",
        county="大连市",
        town="中山区",
        area_code="210202",
        phone="0411-82340000",
        position=position,
    )
    with _in(session) as opened:
        actor = Actor(kind="system", id=None)
        return create_organisation(opened, place=place, actor=actor).id


def hall(name="中山区政务服务中心", *, session=None):
    """Return the id of a public authority's service hall: a counter."""
    place = NewPlace(
        kind="authority",
        code=f"H{secrets.token_hex(5)}",
        name=Text(name, "Service hall"),
        address="大连市中山区人民路2号",
        county="大连市",
        town="中山区",
    )
    with _in(session) as opened:
        return create_organisation(opened, place=place, actor=Actor(kind="system", id=None)).id


def today():
    return clock.local_day(clock.now())


def campaign(
    *, profile="TW-1", product_class="adult", status="open", days=14, session=None, **more
):
    """Return the id of a campaign that can be booked since an hour, unless told otherwise."""
    now = datetime.now(UTC)
    facts = {
        "title": Text("成人口罩预约", "Masks for adults"),
        "starts_on": today(),
        "ends_on": today() + timedelta(days=days - 1),
        "opens_at": now - timedelta(hours=1),
        "closes_at": now + timedelta(days=days),
        **more,
    }
    new = NewCampaign(profile=profile, product_class=product_class, status=status, **facts)
    with _in(session) as opened:
        return create_campaign(opened, new=new, actor=SYSTEM).id


def offer(*, campaign_id=None, organisation_id=None, capacity=10, day=0, half="am", session=None):
    """Return the id of an offer whose window is tomorrow, or ``day`` days after that."""
    with _in(session) as opened:
        item = WantedOffer(
            organisation_id=organisation_id or pharmacy(session=opened),
            window_on=today() + timedelta(days=1 + day),
            half=half,
            capacity=capacity,
        )
        published = publish_offers(
            opened,
            campaign_id=campaign_id or campaign(session=opened),
            items=[item],
            actor=SYSTEM,
        )
        return published[0].offer_id


def begin_window(offer_id, *, session=None):
    """Move an offer's window around now; what is due by the clock need not be waited for."""
    with _in(session) as opened:
        opened.execute(
            text(
                "UPDATE booking.slot SET starts_at = statement_timestamp() - interval '1 hour', "
                "ends_at = statement_timestamp() + interval '1 hour', "
                "closes_at = statement_timestamp() + interval '1 hour', "
                "opens_at = least(opens_at, statement_timestamp() - interval '2 hours') "
                "WHERE id = :id"
            ),
            {"id": offer_id},
        )


def booking(someone, offer_id, *, quantity=2, quota=True, profile="TW-1"):
    """Return the id of a booking of this citizen; ``quota=False`` counts against nothing."""
    counted = quota_of(PROFILES[profile], "adult", today()) if quota else None
    order = Order(
        slot_id=offer_id,
        person_id=someone.person_id,
        person_key=someone.person_key,
        booked_by=someone.account_id,
        quantity=quantity,
        request_key=secrets.token_hex(8),
        request_hash=sha256(b"test").digest(),
        quota=counted,
        actor_kind="citizen",
    )
    with db.statement() as connection:
        return kernel.book(connection, order=order).booking_id


def redemption(booking_id, clerk, *, reference, document_number, organisation_id):
    """Hand a booked share over and return the redemption's id; its window must have begun."""
    presented = redemptions.Presented(reference=reference, document_number=document_number)
    with db.transaction() as session:
        return redemptions.redeem(
            session,
            presented=presented,
            grant=Grant(organisation_ids=frozenset({organisation_id})),
            actor=Actor(kind="staff", id=clerk.account_id),
        ).id


def message(someone, *, kind="test.note", dedupe_key=None):
    """Put a message into somebody's inbox and return its id."""
    with db.transaction() as session:
        notify(
            session,
            note=Note(
                account_id=someone.account_id,
                kind=kind,
                title=Text("通知", "A note"),
                body=Text("请查看。", "Please have a look."),
                dedupe_key=dedupe_key or secrets.token_hex(8),
            ),
            now=clock.now(),
        )
        return session.execute(
            text("SELECT id FROM messages.message WHERE account_id = :a ORDER BY id DESC LIMIT 1"),
            {"a": someone.account_id},
        ).scalar_one()


def let_minute_pass():
    """Let everybody ask for another code at once."""
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
