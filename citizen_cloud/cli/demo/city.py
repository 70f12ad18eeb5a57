"""The demo city: invented pharmacies in Dalian's real districts, two campaigns, and their staff.

Secrets are drawn at random into ``var/demo.json`` (0600); nothing has a default password.
"""

import json
import os
import secrets
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.refusals import TotpEnrolmentRequired
from citizen_cloud.accounts.services import open_account, staff
from citizen_cloud.app import contributions
from citizen_cloud.approvals import kinds
from citizen_cloud.booking.services import Actor as BookingActor
from citizen_cloud.cli.demo import health_city
from citizen_cloud.config import Settings, SettingsError
from citizen_cloud.modules.masks.services.campaigns import NewCampaign, create_campaign
from citizen_cloud.modules.masks.services.offers import WantedOffer, publish_offers
from citizen_cloud.organisations.rules import Point
from citizen_cloud.organisations.services import Actor, NewPlace, add_member, upsert_places
from citizen_cloud.registry import services as registry
from citizen_cloud.registry.discovery import discover
from citizen_cloud.text import Text

REGISTER = "demo"
SECRETS = "demo.json"
DAYS_AHEAD = 7
# Open round the clock, so that the tour works at any hour.
ALL_DAY = {"am": (time(0), time(12)), "pm": (time(12), time(0))}
STOCK = {"adult": 400, "child": 200}
SYSTEM = Actor("system", None)
STOCKING = BookingActor(kind="system", id=None)
CAMPAIGNS = (
    ("adult", "TW-1", Text("成人口罩预约", "Masks for adults")),
    ("child", "TW-2", Text("儿童口罩预约", "Masks for children")),
)


def prepare(settings: Settings, var: Path, progress: Callable[[str], None]) -> None:
    """Load the city once, as the owner; see at every start that the coming days have offers.

    Raises ``SettingsError`` in production mode: invented people have no place there.
    """
    if settings.is_production:
        raise SettingsError("the demo city is not loaded where CITIZEN_CLOUD_ENV is production")
    crypto.configure(settings)
    kinds.install(kinds.kinds_of(contributions(), discover().modules.values()))
    pool = db.PooledDatabase(settings.database_owner_url, pool_size=2, role=None)
    db.install(pool)
    try:
        with db.transaction() as session:
            people = {} if _is_loaded(session) else _load(session, progress)
            if not health_city.is_loaded(session, REGISTER):
                people |= health_city.load(session, REGISTER, _person)
            health_city.appoint_again(session)
            _offer_coming_days(session, clock.now())
            if people:
                _write(var / SECRETS, people)
    finally:
        pool.dispose()


_LOADED = text(
    "SELECT 1 FROM organisations.organisation WHERE register = :r AND kind = 'pharmacy' LIMIT 1"
)


def _is_loaded(session: Session) -> bool:
    return session.execute(_LOADED, {"r": REGISTER}).first() is not None


def _outlets() -> list[dict[str, Any]]:
    raw = files("citizen_cloud.cli.demo").joinpath("city.json").read_text(encoding="utf-8")
    outlets: list[dict[str, Any]] = json.loads(raw)["outlets"]
    return outlets


def _load(session: Session, progress: Callable[[str], None]) -> dict[str, Any]:
    progress("loading the demo city")
    outlets = _outlets()
    placed = upsert_places(session, places=[_place(outlet) for outlet in outlets])
    now = clock.now()
    for product_class, profile, title in CAMPAIGNS:
        create_campaign(
            session,
            new=_campaign(product_class, profile, title, now),
            actor=STOCKING,
        )
    module = discover().modules["masks"]
    registry.set_state(
        session,
        module=module,
        state="active",
        reason="演示城市 demo city",
        actor_id=None,
        actor_kind="system",
    )
    all_day = [p.id for p, outlet in zip(placed, outlets, strict=True) if outlet["open_all_day"]]
    return {
        "admin": _person(session, "demo-admin", "演示管理员", "admin", None),
        "auditor": _person(session, "demo-auditor", "演示审计员", "auditor", None),
        "staff": _person(session, "demo-clerk", "演示店员", "staff", all_day[0]),
        "other_staff": _person(session, "demo-other-clerk", "别店店员", "staff", all_day[1]),
        "manager": _person(session, "demo-manager", "演示店长", "manager", all_day[0]),
    }


def _place(outlet: dict[str, Any]) -> NewPlace:
    return NewPlace(
        kind="pharmacy",
        register=REGISTER,
        code=outlet["code"],
        name=Text(**outlet["name"]),
        address=outlet["address"],
        county=outlet["county"],
        town=outlet["town"],
        phone=outlet["phone"],
        area_code=outlet["area_code"],
        position=Point(outlet["latitude"], outlet["longitude"]),
    )


def _campaign(product_class: str, profile: str, title: Text, now: datetime) -> NewCampaign:
    today = clock.local_day(now)
    return NewCampaign(
        title=title,
        product_class=product_class,
        profile=profile,
        starts_on=today,
        ends_on=today + timedelta(days=364),
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=365),
        status="open",
    )


def _person(
    session: Session, username: str, name: str, role: Any, organisation_id: UUID | None
) -> dict[str, str]:
    """Create an account with a role; the second factor is confirmed by its first sign-in."""
    password = secrets.token_urlsafe(16)
    account_id = open_account(
        session,
        username=username,
        display_name=name,
        kind="admin" if role == "admin" else "staff",
        password_hash=hashing.current().hash(password),
    )
    add_member(
        session,
        organisation_id=organisation_id,
        account_id=account_id,
        role=role,
        actor=SYSTEM,
    )
    checked = staff.find(session.connection(), username=username)
    enrolment = staff.sign_in(session, checked=staff.compared(checked, password), code=None)
    if not isinstance(enrolment, TotpEnrolmentRequired):
        raise TypeError(type(enrolment).__name__)
    return {
        "username": username,
        "password": password,
        "totp_secret": str(enrolment.facts["secret"]),
        **({"organisation_id": str(organisation_id)} if organisation_id else {}),
    }


_DEMO_CAMPAIGNS = text(
    """
    SELECT c.id, c.product_class, c.ends_on, max(o.window_on) AS last_on
      FROM masks.campaign c LEFT JOIN masks.offer o ON o.campaign_id = c.id
     WHERE c.status = 'open' AND c.title->>'zh' = ANY(:titles)
     GROUP BY c.id
    """
)


def _offer_coming_days(session: Session, now: datetime) -> None:
    """Publish the days that have no offers yet, so that a demo of last week still works."""
    today = clock.local_day(now)
    last = today + timedelta(days=DAYS_AHEAD - 1)
    titles = [title.zh for _, _, title in CAMPAIGNS]
    for row in session.execute(_DEMO_CAMPAIGNS, {"titles": titles}).all():
        first = max(today, row.last_on + timedelta(days=1)) if row.last_on else today
        days = [first + timedelta(days=n) for n in range((min(last, row.ends_on) - first).days + 1)]
        items = [
            item
            for outlet_id, is_all_day in _demo_outlets(session)
            for day in days
            for item in _halves(outlet_id, day, STOCK[row.product_class], now, all_day=is_all_day)
        ]
        if items:
            publish_offers(session, campaign_id=row.id, items=items, actor=STOCKING)


def _demo_outlets(session: Session) -> list[tuple[UUID, bool]]:
    all_day = {outlet["code"] for outlet in _outlets() if outlet["open_all_day"]}
    rows = session.execute(
        text(
            "SELECT id, code FROM organisations.organisation "
            "WHERE register = :r AND kind = 'pharmacy' ORDER BY code"
        ),
        {"r": REGISTER},
    )
    return [(row.id, row.code in all_day) for row in rows]


def _halves(
    outlet_id: UUID, day: date, stock: int, now: datetime, *, all_day: bool
) -> list[WantedOffer]:
    """Return the half-days of a day that are not over; shops close at six, some never."""
    local = clock.local(now)
    found = []
    for half, last_hour in (("am", 12), ("pm", 24 if all_day else 18)):
        if day == local.date() and local.hour >= last_hour:
            continue
        begin, end = ALL_DAY[half] if all_day else (None, None)
        found.append(
            WantedOffer(
                organisation_id=outlet_id,
                window_on=day,
                half=half,
                capacity=stock,
                begin=begin,
                end=end,
            )
        )
    return found


def _write(path: Path, secrets: dict[str, Any]) -> None:
    """Write the secrets down beside those an older city has already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        secrets = {**json.loads(path.read_text(encoding="utf-8")), **secrets}
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(secrets, file, ensure_ascii=False, indent=1)
