"""A small city on a database of the test's own, and rings that can be turned."""

import base64
from dataclasses import dataclass, replace
from types import SimpleNamespace

import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.identity import (
    display_name_place,
    next_totp_place,
    phone_place,
    totp_place,
)
from citizen_cloud.accounts.services import otp
from citizen_cloud.cli import keys
from citizen_cloud.cli.keys.rewriting import rewrite
from citizen_cloud.messages.services.deliveries import queue_text

KEYS = {kid: base64.b64encode(kid.encode().ljust(32, b"!")).decode() for kid in ("k2", "k3")}
CODE = "271828"


@dataclass
class City:
    """One database, what lives in it, and the keys this process holds."""

    fresh: object

    def turn(self, *order):
        """Hold both rings in this order; k1 is the one everything was written with."""
        self.settings = replace(
            self.fresh.settings,
            field_keys=self._ring(self.fresh.settings.field_keys, order),
            lookup_keys=self._ring(self.fresh.settings.lookup_keys, order),
        )
        return crypto.configure(self.settings)

    @staticmethod
    def _ring(first, order):
        return ",".join(first if kid == "k1" else f"{kid}:{KEYS[kid]}" for kid in order)

    def rewrite(self, batch=3):
        return rewrite(keys.declared(), batch=batch, tell=lambda _: None)

    def rows(self, sql, **asked):
        with self.fresh.owner() as connection:
            return connection.execute(text(sql), asked).all()


@pytest.fixture
def city(fresh_database):
    made = City(fresh_database)
    yield made
    crypto.configure(fresh_database.settings)


@pytest.fixture
def full(city):
    """Put at least one value into every column that is sealed or blind."""
    phone = people.new_phone()
    someone = people.citizen(phone=phone, name="欧阳娜娜")
    for _ in range(7):
        people.citizen()
    clerk = people.staff(None, None)
    rings = crypto.current()
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE accounts.account SET display_name_sealed = :n, totp_sealed = :t, "
                "next_totp_sealed = :x "
                "WHERE id = :id"
            ),
            {
                "n": rings.seal("柜台", place=display_name_place(clerk.account_id)),
                "t": rings.seal("ABCD", place=totp_place(clerk.account_id)),
                "x": rings.seal("EFGH", place=next_totp_place(clerk.account_id)),
                "id": clerk.account_id,
            },
        )
        challenge = otp.request_code(session, phone=phone, code=CODE, language="zh")
        queue_text(
            session,
            phone=phone,
            words="您好",
            kind="test",
            key="rotation",
            until=clock.now() + otp.lifetimes.OTP_LIFE,
        )
    return SimpleNamespace(
        city=city,
        phone=phone,
        someone=someone,
        clerk=clerk,
        challenge_id=challenge.challenge_id,
        phone_place=phone_place(someone.account_id),
    )
