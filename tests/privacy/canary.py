"""A citizen with a row in every table, made through the doors, and a search for what is left."""

import importlib.util
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import people
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.db import Base
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.messages.jobs import deliver_due
from citizen_cloud.modules.masks.jobs import remind_holders
from citizen_cloud.privacy import jobs as privacy_jobs
from citizen_cloud.registry.discovery import discover

PARTS = Path(__file__).parents[1] / "canary_parts"
NAME = "欧阳雀𠮷"
DEVICE = "雀𠮷的旧手机"
REASON = "雀𠮷改主意了"
KEY = "canary-key-7391"
API = "/api/v1"


def _parts():
    """Load what each owner adds to the canary, in the order of their names."""
    found = []
    for path in sorted(PARTS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"canary_part_{path.stem}", path)
        part = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(part)
        found.append(part)
    return found


parts = _parts()


@dataclass
class Canary:
    """Everything that tells who it was, and the ids that do not."""

    client: object
    sms: object
    phone: str = field(default_factory=lambda: people.new_phone().removeprefix("+86"))
    number: str = field(default_factory=people.document)
    token: str = ""
    device: dict = field(default_factory=dict)
    account_id: str = ""
    person_id: str = ""
    outlet: UUID = None
    clerk: object = None
    system_id: UUID = None
    bookings: dict = field(default_factory=dict)

    @property
    def values(self):
        """Return what must be found nowhere after the erasure."""
        of_parts = [value for part in parts for value in getattr(part, "VALUES", ())]
        secret = self.device["secret"]
        return (self.phone, self.number, NAME, DEVICE, REASON, KEY, secret, *of_parts)

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def send(self, method, path, body=None, *, key=None, status=200, headers=None):
        sent = {**(self.headers if headers is None else headers)}
        if key is not None:
            sent["Idempotency-Key"] = key
        answer = self.client.open(API + path, method=method, json=body, headers=sent)
        assert answer.status_code == status, answer.text
        return answer

    def code(self):
        """Ask for a code and read it where texts end."""
        with db.transaction() as session:
            session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        asked = self.send("POST", "/auth/otp", {"phone": self.phone}, status=202, headers={})
        work()
        told = [json.loads(line)["text"] for line in self.sms.read_text().splitlines()]
        codes = [re.search("验证码 ([0-9]{6})", words) for words in told]
        return asked.json["challenge_id"], [found[1] for found in codes if found][-1]

    def sign_in(self):
        challenge, code = self.code()
        device = self.device or {"name": DEVICE}
        body = {"grant_type": "otp", "challenge_id": challenge, "code": code, "device": device}
        answer = self.send("POST", "/auth/token", body, headers={}).json
        self.token = answer["access_token"]
        if "secret" in answer["device"]:
            self.device = answer["device"]

    def prove(self):
        self.send("POST", "/me/consents", {"purpose": "real_name", "version": 1}, key=KEY)
        document = {"document_type": "resident_id", "document_number": self.number, "name": NAME}
        self.person_id = self.send("POST", "/me/real-name", document, key=KEY).json["person_id"]
        self.account_id = self.send("GET", "/me").json["account_id"]

    def book(self, offer_id, name, quantity=1):
        made = self.send(
            "POST",
            f"/masks/offers/{offer_id}/bookings",
            {"quantity": quantity},
            key=f"{KEY}-{name}",
            status=201,
        ).json
        self.bookings[name] = made
        return made


def work():
    """Let the worker do what is due."""
    handlers = handlers_of((*contributions(), *discover().modules.values()))
    while dispatch(handlers):
        pass
    while deliver_due(None):
        pass


def full(client, sms, *, parts=parts):
    """Return a citizen who did everything there is, with all owners' parts or without them."""
    me = Canary(client, sms)
    me.outlet = people.pharmacy()
    me.clerk = people.staff(me.outlet)
    me.sign_in()
    me.prove()
    campaign = people.campaign(profile="TW-2")
    offers = [
        people.offer(campaign_id=campaign, organisation_id=me.outlet, day=d) for d in range(4)
    ]
    me.book(offers[0], "redeemed", 2)
    me.book(offers[1], "cancelled")
    me.book(offers[2], "ahead")
    me.send("POST", f"/bookings/{me.bookings['cancelled']['id']}/cancel", {"reason": REASON})
    me.code_shown = me.send("GET", f"/bookings/{me.bookings['ahead']['id']}/code").json["code"]
    _remind(me)
    people.begin_window(offers[0])
    _at_the_counter(me)
    me.send("POST", "/me/export", status=202)
    privacy_jobs.build_exports(None)
    me.send("POST", "/me/closure", status=202)
    me.sign_in()
    me.send("DELETE", "/me/closure", status=204)
    for part in parts:
        getattr(part, "build", lambda _: None)(me)
    work()
    return me


def _remind(me):
    with db.transaction() as session:
        session.execute(
            text("UPDATE booking.booking SET booked_at = booked_at - interval '10 days'")
        )
        session.execute(
            text(
                "INSERT INTO registry.module (name, state, settings) "
                "VALUES ('masks', 'active', '{\"reminder_hours\": 168}') "
                "ON CONFLICT (name) DO UPDATE SET settings = excluded.settings"
            )
        )
    remind_holders(clock.now())


def _at_the_counter(me):
    """A wrong document first, which is noted as well."""
    reference = me.bookings["redeemed"]["reference"]
    wrong = {"reference": reference, "document_number": people.document()}
    path = "/masks/staff/redemptions"
    me.send("POST", path, wrong, headers=me.clerk.headers, status=404)
    right = {"reference": reference, "document_number": me.number}
    me.send("POST", path, right, headers=me.clerk.headers)


def every_row():
    """Return every row of every table as (table, columns and values)."""
    with db.transaction() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(table.select()).mappings():
                yield table, dict(row)


def found(values):
    """Return where one of the values is, also inside what is sealed: ``table.column``."""
    places = set()
    for table, row in every_row():
        for column, value in row.items():
            readable = [str(value), *_opened(table, row, column)]
            if any(one in each for one in values for each in readable):
                places.add(f"{table.fullname}.{column}")
    return places


def _places():
    """Return what binds each sealed column to its row, as its owner declared it."""
    owners = (*contributions(), *discover().modules.values())
    return {(one.table, one.column): one.place for owner in owners for one in owner.sealed}


places = _places()


def _opened(table, row, column):
    """Return a column's bytes as text, and opened where they are sealed for their row."""
    value = row[column]
    if not isinstance(value, bytes | memoryview):
        return []
    raw = bytes(value)
    texts = [raw.decode("utf-8", "replace")]
    if place := places.get((table.fullname, column)):
        texts.append(crypto.current().open(raw, place=place.format(**row)))
    return texts


def close(me):
    """Close the account and carry it out, as if the time to think were over."""
    asked = me.send("POST", "/me/closure", {"reason": "moved"}, status=202).json
    pass_time(asked["id"])
    privacy_jobs.carry_out_closures(None)
    pass_time(asked["id"])
    assert privacy_jobs.carry_out_closures(None) == 1
    work()
    return asked


def pass_time(closure_id, by=timedelta(days=8)):
    """Let time pass for one closure, by moving it back."""
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE privacy.closure SET due_at = due_at - :by, begun_at = begun_at - :by, "
                "requested_at = requested_at - :by WHERE id = :id"
            ),
            {"id": closure_id, "by": by},
        )


def certificate(client, asked):
    body = {"id": asked["id"], "secret": asked["secret"]}
    return client.post(f"{API}/open/erasure-certificates", json=body)


def other_key():
    return secrets.token_hex(8)
