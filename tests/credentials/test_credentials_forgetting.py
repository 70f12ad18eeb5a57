"""Phones that leave, people who leave, codes that are long over."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from citizen_cloud.accounts.services import devices, sign_ins
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.credentials import jobs, keys, proofs, services
from citizen_cloud.credentials.contribution import contribution
from citizen_cloud.credentials.jobs import forget_expired
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Snapshot
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.manifest import Subject
from tests import people
from tests.phone import Phone

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DATA = contribution.personal_data


class Carrier:
    """Somebody with a phone that shows a code of theirs and one of a child."""

    def __init__(self, session, now=None):
        self.person = people.citizen(session=session)
        device = {"account_id": self.person.account_id, "device_id": self.person.device_id}
        asked, phone = services.challenge(session, **device, now=now), Phone()
        self.key = services.register_device_key(
            session,
            **device,
            challenge_id=asked.id,
            public_key=proofs.from_text(phone.public_key),
            proof=proofs.from_text(phone.registering(proofs.to_text(asked.challenge))),
            now=now,
        )
        self.child = new_id()
        self.own, self.childs = (
            services.issue_held(
                session,
                type="hc",
                holder_id=holder_id,
                colour="green",
                expires_at=None,
                show_key=proofs.from_text(phone.fresh_key()["show_key"]),
                device_key_id=self.key.id,
                now=now,
            )
            for holder_id in (self.person.person_id, self.child)
        )
        self.paper = services.issue_held(
            session,
            type="hp",
            holder_id=self.person.person_id,
            colour="green",
            expires_at=None,
            name="王*",
            now=now,
        )

    @property
    def subject(self):
        return Subject(account_id=self.person.account_id, person_id=self.person.person_id)


def void(session, *codes, now=None):
    snapshot = Snapshot.read(publish(session, now=now).text, keys.roots())
    return [snapshot.is_void(code.jti) for code in codes]


def handle(session):
    """Deliver what waits, as the worker does."""
    del session
    while dispatch(handlers_of(contributions())):
        pass


@pytest.fixture
def carrier(session):
    return Carrier(session)


def removed(session, person):
    devices.remove_device(
        session, account_id=person.account_id, device_id=person.device_id, kind="citizen"
    )


def signed_out(session, person):
    sign_ins.end_others(session, account_id=person.account_id, keep=None, reason="signed_out")


@pytest.mark.parametrize("leave", [removed, signed_out])
def test_a_phone_that_is_removed_or_signed_out_shows_nothing_any_more(session, carrier, leave):
    other = Carrier(session)
    leave(session, carrier.person)
    handle(session)
    codes = (carrier.own, carrier.childs, carrier.paper, other.own)
    assert void(session, *codes) == [True, True, False, False]
    mine = {"account_id": carrier.person.account_id, "device_id": carrier.person.device_id}
    assert services.live_device_key(session, **mine) is None


def test_a_phone_on_which_somebody_is_still_signed_in_goes_on(session, carrier):
    kept = session.scalar(
        text("SELECT id FROM accounts.sign_in WHERE device_id = :id"),
        {"id": carrier.person.device_id},
    )
    sign_ins.open_sign_in(
        session,
        account_id=carrier.person.account_id,
        kind="citizen",
        device=devices.Registered(id=carrier.person.device_id),
        amr="sms",
    )
    sign_ins.end_others(
        session, account_id=carrier.person.account_id, keep=kept, reason="signed_out"
    )
    handle(session)
    assert void(session, carrier.own) == [False]


def test_a_person_reads_every_code_and_key(session, carrier):
    found = DATA.export(session, carrier.subject)
    assert {code["jti"] for code in found["codes"]} == {carrier.own.jti, carrier.paper.jti}
    assert [code["name"] for code in found["codes"] if code["type"] == "hp"] == ["王*"]
    assert [key["id"] for key in found["device_keys"]] == [carrier.key.id]


def test_whoever_is_forgotten_leaves_void_codes_that_lead_to_nobody(session, carrier):
    other = Carrier(session)
    assert DATA.erase(session, carrier.subject, NOW) == 4
    assert DATA.erase(session, carrier.subject, NOW) == 0
    codes = (carrier.own, carrier.childs, carrier.paper, other.own, other.paper)
    assert void(session, *codes) == [True, True, True, False, False]
    left = session.execute(
        text(
            "SELECT holder_id, device_key_id, show_key, name_sealed, claims, subject_id = jti AS own "
            "FROM credentials.credential WHERE jti = :jti"
        ),
        {"jti": carrier.own.jti},
    ).one()
    assert tuple(left) == (None, None, None, None, {}, True)
    assert DATA.export(session, carrier.subject)["device_keys"] == []


def test_codes_of_a_day_are_forgotten_after_two_and_papers_after_half_a_year(session):
    carrier = Carrier(session, now=NOW)
    records = text("SELECT array_agg(jti) FROM credentials.credential")
    forget_expired(NOW + timedelta(days=3))
    assert len(session.scalar(records)) == 3
    forget_expired(NOW + timedelta(days=3, seconds=1))
    assert session.scalar(records) == [carrier.paper.jti]
    forget_expired(NOW + timedelta(days=360, seconds=1))
    assert session.scalar(records) is None


def test_challenges_that_nobody_signed_are_forgotten(session):
    someone = people.citizen(session=session)
    services.challenge(session, account_id=someone.account_id, device_id=someone.device_id, now=NOW)
    forget_expired(NOW + timedelta(minutes=6))
    assert session.scalar(text("SELECT count(*) FROM credentials.device_challenge")) == 0


def test_many_are_forgotten_in_small_transactions(session, monkeypatch):
    monkeypatch.setattr(jobs, "MOST", 2)
    for kind in ("hc", "hc", "hc", "hc", "hc", "hp", "hp", "hp"):
        services.issue_held(
            session,
            type=kind,
            holder_id=new_id(),
            colour="green",
            expires_at=None,
            name="王*" if kind == "hp" else None,
            show_key=b"\x02" + secrets.token_bytes(32) if kind == "hc" else None,
            now=NOW - timedelta(days=400),
        )
    assert jobs.forget_expired(NOW) == 8
    assert jobs.forget_expired(NOW) == 0
