"""A small city with somebody in every role, and a right request for every operation.

Requests go through the whole stack (``BoundedBody`` and Flask) and are undone by a savepoint, so
that each begins in the same world. A new operation needs a line here only where its example, or
the id in its path, does not stand for something that exists: ``BODIES`` and ``PATHS``.
"""

import importlib.util
import io
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import people
from flask import Response
from sqlalchemy import text
from werkzeug.test import Client

from citizen_cloud import clock, db
from citizen_cloud.accounts import hashing, tokens
from citizen_cloud.accounts.services import consents, open_account
from citizen_cloud.app import roles_by_permission
from citizen_cloud.approvals.services.proposing import ATTEMPTED
from citizen_cloud.cache import Cache
from citizen_cloud.db import Base, new_id
from citizen_cloud.modules.masks.routes import citizen as citizen_routes
from citizen_cloud.modules.masks.routes import open_data
from citizen_cloud.portal.doors import document
from citizen_cloud.portal.state import HOST
from citizen_cloud.web import limits
from citizen_cloud.web.body import BoundedBody

PARTS = Path(__file__).parent / "contract_parts"
METHODS = {"get", "post", "put", "patch", "delete"}
ABSENT = "00000000-0000-7000-8000-000000000000"
# Half of what an access token lives.
RENEWED_S = tokens.LIFE_S / 2
PASSWORD = "right-horse-battery"  # noqa: S105 - of a test account


def _parts():
    """Load what each room adds to the city: one file a room, in the order of their names."""
    found = []
    for path in sorted(PARTS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"contract_part_{path.stem}", path)
        part = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(part)
        found.append(part)
    return found


parts = _parts()


def of_parts(name):
    """Return one table of every room's part, put together."""
    return {key: value for part in parts for key, value in getattr(part, name, {}).items()}


def operations(spec):
    """Return every operation with its path, method and all parameters, those of its path too."""
    found = []
    for path, item in spec["paths"].items():
        for method in METHODS & item.keys():
            operation = item[method]
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            found.append({**operation, "path": path, "method": method, "parameters": parameters})
    return sorted(found, key=lambda operation: operation["operationId"])


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody who asks: a name, the role the matrix knows, what is sent along."""

    name: str
    role: str
    someone: Any = None
    level: int = 0

    @property
    def headers(self):
        return self.someone.headers if self.someone else {}


@dataclass
class City:
    """Everybody, and the ids of what is whose."""

    actors: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    # Whom no matrix asks everywhere: a system, somebody whose code is red.
    others: dict[str, Actor] = field(default_factory=dict)

    def __getitem__(self, name):
        return self.actors.get(name) or self.others[name]


def build():
    """Make the city in the database that is installed."""
    city = City()
    outlet, other_outlet = people.pharmacy(), people.pharmacy("别家药店")
    owner, newcomer = people.citizen(), people.citizen(1)
    collector = people.citizen(name="李四光")
    clerk = people.staff(outlet)
    someones = {
        "anonymous": ("anonymous", None, 0),
        "newcomer": ("citizen", newcomer, 1),
        "owner": ("citizen", owner, 2),
        "neighbour": ("citizen", people.citizen(), 2),
        "clerk": ("staff", clerk, 1),
        "other_clerk": ("staff", people.staff(other_outlet), 1),
        "manager": ("manager", people.manager(outlet), 1),
        "other_manager": ("manager", people.manager(other_outlet), 1),
        "auditor": ("auditor", people.auditor(), 1),
        "admin": ("admin", people.admin(), 1),
        "keyholder": ("none", _keyholder(), 1),
    }
    for name, (role, someone, level) in someones.items():
        city.actors[name] = Actor(name=name, role=role, someone=someone, level=level)
    with db.transaction() as session:
        consents.answer_consent(
            session, account_id=newcomer.account_id, purpose="real_name", version=1, granted=True
        )
    _stock(city, outlet, owner, collector, clerk)
    city.facts |= {"outlet": str(outlet), "newcomer_document": people.document()}
    city.ids |= {
        "organisation_id": str(outlet),
        "membership_id": str(people.staff(outlet).membership_ids[0]),
        "message_id": str(people.message(owner)),
        "device_id": str(owner.device_id),
        "name": "masks",
    }
    for part in parts:
        getattr(part, "build", lambda _: None)(city)
    return city


def _keyholder():
    """Return a staff account that has a password."""
    with db.transaction() as session:
        account_id = open_account(
            session,
            username=f"key{new_id().hex[-12:]}",
            display_name="李药师",
            kind="staff",
            password_hash=hashing.current().hash(PASSWORD),
        )
        return people._sign_in(session, account_id, "staff", "pwd otp")


def _stock(city, outlet, owner, collector, clerk):
    campaign = people.campaign()
    offers = [
        people.offer(campaign_id=campaign, organisation_id=outlet, day=day, half=half)
        for day, half in ((0, "am"), (0, "pm"), (1, "am"), (2, "am"))
    ]
    booked, waiting, handed, free = offers
    booking = people.booking(owner, booked, quota=False)
    for offer in (waiting, handed):
        people.begin_window(offer)
    facts = []
    for offer in (waiting, handed):
        made = people.booking(collector, offer, quota=False)
        facts.append((made, _reference(made)))
    redemption = people.redemption(
        facts[1][0],
        clerk,
        reference=facts[1][1],
        document_number=collector.document_number,
        organisation_id=outlet,
    )
    city.ids |= {
        "campaign_id": str(campaign),
        "offer_id": str(free),
        "booking_id": str(booking),
        "redemption_id": str(redemption),
    }
    city.facts |= {
        "reference": facts[0][1],
        "document_number": collector.document_number,
        "booked_offer": str(booked),
    }


def _reference(booking_id: UUID):
    with db.transaction() as session:
        return session.scalar(
            text("SELECT reference FROM booking.booking WHERE id = :id"), {"id": booking_id}
        )


# Whose the thing in a path is: only these actors find it. What is not here is everybody's.
OWNERS = {
    "booking_id": {"owner"},
    "device_id": {"owner"},
    "message_id": {"owner"},
    "redemption_id": {"clerk", "manager"},
    "membership_id": {"manager", "admin"},
    "organisation_id": {"clerk", "manager", "auditor", "admin"},
    **of_parts("OWNERS"),
}
# A path parameter that means another thing in one operation.
OWNERS_IN = {
    ("changeOutletOffer", "offer_id"): {"clerk", "manager"},
    **of_parts("OWNERS_IN"),
}
# Who asks where the marks alone do not say whom the operation is for.
WHO = {
    "changePassword": "keyholder",
    "proveRealName": "newcomer",
    "answerConsent": "newcomer",
    **of_parts("WHO"),
}


def who(operation, city, roles):
    """Return the right person for an operation: its owner, a clerk, an administrator, nobody."""
    access = operation["x-authz"]
    if operation["operationId"] in WHO:
        return city[WHO[operation["operationId"]]]
    if access["access"] == "public":
        return city["anonymous"]
    if access["access"] == "signed_in":
        return city["owner"]
    allowed = roles[access["permission"]]
    return city["admin" if "admin" in allowed else "clerk" if "staff" in allowed else "auditor"]


def _day(ahead):
    return str(people.today() + timedelta(days=ahead))


def _token(city):
    token = city["owner"].someone.refresh_token
    return {"grant_type": "refresh_token", "refresh_token": token}


# Right bodies where the document's example names what does not exist here.
BODIES = {
    "createToken": _token,
    "requestCode": lambda _: {"phone": people.new_phone()},
    "changePassword": lambda _: {"current": PASSWORD, "new": "四月的风 吹过海边 42"},
    "proveRealName": lambda city: {
        "document_type": "resident_id",
        "document_number": city.facts["newcomer_document"],
        "name": "王小明",
    },
    "redeemMasks": lambda city: {
        "reference": city.facts["reference"],
        "document_number": city.facts["document_number"],
    },
    "createMaskCampaign": lambda _: {
        "title": {"zh": "儿童口罩", "en": "Masks for children"},
        "product_class": "child",
        "profile": "TW-1",
        "starts_on": _day(1),
        "ends_on": _day(10),
        "opens_at": clock.local(clock.now()).isoformat(),
        "closes_at": (clock.local(clock.now()) + timedelta(days=10)).isoformat(),
    },
    "publishMaskOffers": lambda city: {
        "items": [
            {
                "organisation_id": city.facts["outlet"],
                "window_on": _day(7),
                "half": "am",
                "capacity": 5,
                "from": "08:00",
                "until": "12:00",
            }
        ]
    },
    "setModuleSettings": lambda _: {"settings": {"reminder_hours": 12}},
    **of_parts("BODIES"),
}
# What a right request says in its header fields, or instead of the stock file in its form.
HEADERS = of_parts("HEADERS")
FORMS = of_parts("FORMS")
CSV = "outlet_code,window_on,half,product_class,capacity\n{code},{on},am,adult,7\n"


def example_of(operation, city):
    """Return a body that the operation accepts, None where it takes none."""
    if operation["operationId"] in BODIES:
        return BODIES[operation["operationId"]](city)
    content = operation.get("requestBody", {}).get("content", {})
    return json.loads(json.dumps(content.get("application/json", {}).get("example")))


def takes_json(operation):
    return "application/json" in operation.get("requestBody", {}).get("content", {})


class Stack:
    """Sends requests through everything but the network, each in a world of its own."""

    def __init__(self, app, database, settings):
        self.app = app
        self.database = database
        self.connection = database.connection
        self.client = Client(BoundedBody(app, settings), Response, use_cookies=False)
        spec = json.loads(json.dumps(document(app), default=str))
        self.spec = spec
        self.operations = operations(spec)
        self.roles = roles_by_permission(app.extensions[HOST].permissions)
        self.city = build()
        self.built = time.monotonic()
        # On a slow machine a file takes longer than factors stay fresh, and codes live.
        for moved in (
            "accounts.sign_in SET proved_at = proved_at + interval '1 hour'",
            "accounts.otp_challenge SET expires_at = expires_at + interval '1 hour'",
        ):
            self.connection.execute(text(f"UPDATE {moved}"))
        self.tables = _watched()
        self.seen = self.written()
        self.untouched = dict(self.fingerprint(range(len(self.tables))))

    def right(self, operation):
        """Return the right person for an operation."""
        return who(operation, self.city, self.roles)

    def path(self, operation, **changes):
        """Return the operation's path with ids that exist, unless others are given."""
        return operation["path"].format_map({**self.city.ids, **changes})

    def call(
        self,
        operation,
        actor,
        *,
        path=None,
        body=...,
        raw=None,
        form=None,
        query="",
        watch=False,
        **headers,
    ):
        """Ask once and undo what it did; ``watch`` tells whether a row changed meanwhile."""
        sent = {**self.headers(actor), **headers}
        options = {}
        if raw is not None:
            options["data"] = raw
            sent.setdefault("Content-Type", "application/json")
        elif takes_json(operation):
            body = example_of(operation, self.city) if body is ... else body
            options["data"] = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        elif "requestBody" in operation:
            file = FORMS.get(operation["operationId"], lambda _: self._file())(self.city)
            options["data"] = {**file, **(form or {})}
        if operation["operationId"] in HEADERS:
            signed = HEADERS[operation["operationId"]](self.city, options["data"])
            sent = {**signed, **sent}
        if any(p["name"] == "Idempotency-Key" and p["required"] for p in operation["parameters"]):
            sent.setdefault("Idempotency-Key", "contract-1")
        with self.undone():
            answer = self.client.open(
                path or self.path(operation),
                method=operation["method"].upper(),
                query_string=query,
                headers={k: v for k, v in sent.items() if v is not None},
                buffered=True,
                **options,
            )
            answer.has_changed = watch and self._differs()
            return answer

    def headers(self, actor):
        """Return what an actor sends; on a slow machine a file takes longer than a token lives."""
        is_young = time.monotonic() - self.built < RENEWED_S
        if is_young or not isinstance(actor.someone, people.Someone):
            return actor.headers
        claims = tokens.read(actor.someone.token)
        token = tokens.issue(
            account_id=claims.account_id, sign_in_id=claims.sign_in_id, now=clock.now()
        )
        return {"Authorization": f"Bearer {token}"}

    def _file(self):
        with db.transaction() as session:
            code = session.scalar(
                text("SELECT code FROM organisations.organisation WHERE id = :id"),
                {"id": self.city.facts["outlet"]},
            )
        content = CSV.format(code=code, on=_day(8)).encode()
        return {"file": (io.BytesIO(content), "stock.csv")}

    @contextmanager
    def undone(self):
        """Undo what is done meanwhile, in the database and in what the process remembers."""
        self.forget()
        # By hand: SQLAlchemy goes back to a savepoint and leaves it there, so that thousands of
        # requests would stand in each other, each with a lock of its own until the table is full.
        self.connection.exec_driver_sql("SAVEPOINT undone")
        try:
            yield
        finally:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT undone")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT undone")

    def forget(self):
        self.app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))
        citizen_routes.first_pages.clear()
        open_data.pages.clear()

    def written(self):
        """Return how many rows of each table this connection wrote so far, undone ones as well."""
        return self.connection.execute(text(_written())).scalar()

    def _differs(self):
        """Say whether a row is not what it was.

        Most refusals write nothing, the others little: only tables written to since the last look
        are looked at. The counts never fall, so that whoever did not look makes the next look at
        more, not at less.
        """
        before, self.seen = self.seen, self.written()
        touched = [n for n, count in enumerate(self.seen) if count != before[n]]
        found = dict(self.fingerprint(touched)) if touched else {}
        return any(self.untouched[name] != digest for name, digest in found.items())

    def fingerprint(self, tables):
        """Return a digest of every row of some tables, by their place among the watched."""
        names = [self.tables[place] for place in tables]
        rows = self.connection.execute(text(" UNION ALL ".join(map(_digest, names))))
        return [(name, (count, digest)) for name, count, digest in rows]


INSIDE = (
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "Traceback",
    'File "',
    "psycopg",
    "sqlalchemy",
    "marshmallow",
    "werkzeug",
    "gunicorn",
    "site-packages",
    "sqlstate",
)


def tells_too_much(answer):
    """Return what a refusal says of our insides: SQL, a table, a library, a traceback."""
    tables = [table.fullname for table in Base.metadata.tables.values()]
    return [word for word in (*INSIDE, *tables) if word in answer.text]


@cache
def _watched():
    return sorted(
        table.fullname
        for table in Base.metadata.tables.values()
        # Both are written although nothing else is: that is what they are for.
        if table.schema != "audit" and table.fullname != "accounts.data_access"
    )


@cache
def _written():
    names = ", ".join(f"'{name}'::regclass" for name in _watched())
    return (
        "SELECT array_agg(pg_stat_get_xact_tuples_inserted(t) + pg_stat_get_xact_tuples_updated(t)"
        f" + pg_stat_get_xact_tuples_deleted(t) ORDER BY n)"
        f" FROM unnest(ARRAY[{names}]) WITH ORDINALITY AS watched (t, n)"
    )


def _digest(name):
    return (
        # That staff were here is written down once a minute, whatever they asked for.
        f"SELECT '{name}', count(*), "
        f"sum(hashtextextended((to_jsonb(t) - 'idle_expires_at')::text, 0)::numeric) FROM {name} t"
        # Nor is it a change that whoever watches over proposals hears of a refused one.
        + (f" WHERE t.event <> '{ATTEMPTED}'" if name == "jobs.outbox" else "")
    )
