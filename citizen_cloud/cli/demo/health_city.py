"""The demo city's health code: a venue, an inspector, authorities, two approvers, a source."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import clock
from citizen_cloud.accounts.services import bindings, real_name, standing_for
from citizen_cloud.approvals import services as approvals
from citizen_cloud.cli.demo import health_source
from citizen_cloud.cli.demo.people import invented_document, invented_name
from citizen_cloud.modules.health_code.services.places import places
from citizen_cloud.organisations.services import Actor, NewPlace, upsert_places
from citizen_cloud.text import Text

SYSTEM = Actor("system", None)
VENUE = "demo-health-venue"
# Code, kind, name
UNITS = (
    (VENUE, "venue", Text("演示图书馆", "Demo Library")),
    ("demo-health-cdc", "authority", Text("演示市疾病预防控制中心", "Demo City CDC")),
    ("demo-health-commission", "authority", Text("演示市卫生健康委员会", "Demo Health Commission")),
    ("demo-health-office", "authority", Text("演示市政务服务局", "Demo Government Services")),
)
DECIDE = ("demo-approver", "demo-other-approver")
VERIFIER = "demo"
# session, username, name, role, organisation
Person = Callable[[Session, str, str, Any, UUID | None], dict[str, str]]

_LOADED = text("SELECT id FROM organisations.organisation WHERE register = :r AND code = :c")


def is_loaded(session: Session, register: str) -> bool:
    """Return whether the city has its health code."""
    return session.execute(_LOADED, {"r": register, "c": VENUE}).first() is not None


def load(session: Session, register: str, person: Person) -> dict[str, dict[str, Any]]:
    """Load it, and return who works there with their secrets."""
    wanted = [_unit(register, code, kind, name) for code, kind, name in UNITS]
    venue, cdc, commission, office = (placed.id for placed in upsert_places(session, places=wanted))
    place = places.create_place(
        session,
        new=places.NewPlace(
            organisation_id=venue,
            name=Text("演示图书馆正门", "Demo Library, front door"),
            area_code="210202",
        ),
        actor=SYSTEM,
    )
    inspector = person(session, "demo-inspector", "演示核验员", "staff", venue)
    officer = person(session, "demo-officer", "演示流调员", "staff", cdc)
    people = {
        "inspector": {**inspector, "place_id": str(place.id)},
        "approver": person(session, "demo-approver", "演示审批员", "staff", commission),
        "other_approver": person(session, "demo-other-approver", "别处审批员", "staff", office),
    }
    _be_somebody(session, "demo-officer")
    approver_ids = tuple(
        _appointed(session, *one) for one in zip(DECIDE, (commission, office), strict=True)
    )
    source = health_source.load(session, unit_id=cdc, approver_ids=approver_ids)
    return {**people, "officer": {**officer, "source": source}}


def _appointed(session: Session, username: str, unit_id: UUID) -> UUID:
    account_id = _be_somebody(session, username)
    approvals.appoint(session, account_id=account_id, unit_id=unit_id)
    return account_id


def _be_somebody(session: Session, username: str) -> UUID:
    """Let a staff account stand for an invented citizen; return the account."""
    account_id: UUID = session.execute(_ACCOUNT, {"username": username}).scalar_one()
    if not standing_for.is_bound(session, account_id):
        claim = real_name.claim(
            document_type="resident_id",
            number=invented_document(),
            name=invented_name(),
            today=clock.local_day(clock.now()),
        )
        person_id = real_name.holder_of(session, claim=claim, verified_by=VERIFIER)
        code = bindings.ask(session, account_id=account_id).code
        bindings.confirm(
            session, code=code, username=username, person_id=person_id, citizen_id=None
        )
    return account_id


_NOT_STANDING = text(
    """
    SELECT a.username, m.organisation_id
      FROM accounts.account a JOIN organisations.membership m ON m.account_id = a.id
     WHERE a.username = ANY(:names) AND m.ended_at IS NULL
       AND NOT EXISTS (SELECT FROM approvals.approver r
                        WHERE r.account_id = a.id AND r.ended_at IS NULL)
    """
)


def appoint_again(session: Session) -> None:
    """Appoint the approvers of a city that is older than the rule that they are people."""
    _be_somebody(session, "demo-officer")
    for row in session.execute(_NOT_STANDING, {"names": list(DECIDE)}).all():
        _appointed(session, row.username, row.organisation_id)


_ACCOUNT = text("SELECT id FROM accounts.account WHERE username = :username")


def _unit(register: str, code: str, kind: Any, name: Text) -> NewPlace:
    return NewPlace(
        kind=kind,
        register=register,
        code=code,
        name=name,
        address="大连市中山区演示路1号",
        county="大连市",
        town="中山区",
        area_code="210202",
    )
