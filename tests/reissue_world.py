"""A town with living codes of a key that is about to be revoked."""

from dataclasses import replace
from datetime import timedelta

import people
from click.testing import CliRunner
from phone import Phone
from sqlalchemy import text

from citizen_cloud import clock, crypto
from citizen_cloud.cli import keys as keys_cli
from citizen_cloud.credentials import proofs, services
from citizen_cloud.crypto import draw_key
from citizen_cloud.db import new_id

VOUCHERS = 40


class Town:
    """A database with living codes of ``c.k1``, and a ring in which ``k2`` stands ready."""

    def __init__(self, fresh):
        self.fresh = fresh
        ring = f"{fresh.settings.credential_keys.split(',')[0]},{draw_key('k2')}"
        self.settings = replace(fresh.settings, credential_keys=ring)
        crypto.configure(self.settings)
        now = clock.now()
        self.times = {"not_before": now, "expires_at": now + timedelta(days=3)}
        self.phone, self.subjects = Phone(), [new_id() for _ in range(VOUCHERS)]
        with fresh.database.transaction() as session:
            self.someone = people.citizen(session=session)
            for subject_id in self.subjects:
                services.issue(session, type="voucher", subject_id=subject_id, **self.times)
            self.fresh_key = self.phone.fresh_key()
            self.key = self._register(session)
            self.held = self.show(session)
            self.paper = services.issue_held(
                session, type="hp", name="王*", **self._person("green")
            )
            services.suspend_held(
                session, holders=[self.someone.person_id], types=["hp"], colour="red"
            )

    def _person(self, colour):
        return {"holder_id": self.someone.person_id, "colour": colour, "expires_at": None}

    def _register(self, session):
        device = {"account_id": self.someone.account_id, "device_id": self.someone.device_id}
        asked = services.challenge(session, **device)
        return services.register_device_key(
            session,
            **device,
            challenge_id=asked.id,
            public_key=proofs.from_text(self.phone.public_key),
            proof=proofs.from_text(self.phone.registering(proofs.to_text(asked.challenge))),
        )

    def show(self, session):
        return services.issue_held(
            session,
            type="hc",
            show_key=proofs.from_text(self.fresh_key["show_key"]),
            device_key_id=self.key.id,
            **self._person("green"),
        )

    def rows(self, sql):
        with self.fresh.owner() as connection:
            return connection.execute(text(sql)).all()


def run(command, *arguments):
    done = CliRunner().invoke(command, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def revoke():
    return run(keys_cli.command, "revoke", "c.k1", "--reason", "compromised")
