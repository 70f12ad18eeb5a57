"""One administrator with everything an administrator can do gets nothing applied.

The walk draws from all he may do through the doors: make authorities, invite and let in, reset and
take over, suspend, dismiss, give roles, propose, and decide with every account whose code was ever
in his hands; and a week passes now and then, so that nobody is tied any more.
"""

import random
from dataclasses import dataclass, field

import approvals_world as world
import people
import pytest
from argon2 import profiles
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.services import bindings
from citizen_cloud.approvals.services import applying, approvers, deciding
from citizen_cloud.approvals.services.approvers import Standing
from citizen_cloud.web import gate

API = "/api/v1"
STEPS = 50
LATER = (
    "UPDATE organisations.invitation SET accepted_at = accepted_at - interval '8 days'",
    "UPDATE accounts.sign_in SET proved_at = statement_timestamp()",
)


@dataclass
class Walk:
    """What the administrator did so far, and whose tokens he holds."""

    client: object
    dice: random.Random
    admin: object = field(default_factory=people.admin)
    honest: list = field(default_factory=world.approvers)
    halls: list = field(default_factory=list)
    puppets: list = field(default_factory=list)
    proposals: list = field(default_factory=list)
    done: dict = field(default_factory=dict)

    def send(self, method, path, body=None, someone=None):
        headers = (someone or self.admin).headers
        answer = self.client.open(API + path, method=method, json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        return answer

    def step(self):
        name = self.dice.choice(
            [
                "authority",
                "invite",
                "invite",
                "takeover",
                "appoint",
                "appoint",
                "change",
                "change",
                "decide",
                "decide",
                "decide",
                "decide",
                "suspend",
                "dismiss_role",
                "later",
            ]
        )
        answer = getattr(self, f"_{name}")()
        self.done[name] = self.done.get(name, 0) + (answer is not None)

    def _authority(self):
        body = {
            "kind": "authority",
            "code": f"X{self.dice.randrange(10**9)}",
            "name": {"zh": "新设中心", "en": "A new hall"},
            "address": "大连市中山区人民路9号",
            "county": "大连市",
            "town": "中山区",
        }
        made = self.send("POST", "/admin/organisations", body)
        assert made.status_code == 201, made.text
        self.halls.append(made.json["id"])
        return made

    def _invite(self):
        if not self.halls:
            return None
        hall = self.dice.choice(self.halls)
        body = {"role": self.dice.choice(["staff", "manager"])}
        made = self.send("POST", f"/admin/organisations/{hall}/invitations", body)
        sent = {
            "code": made.json["code"],
            "username": f"puppet{self.dice.randrange(10**9)}",
            "password": "四月的风 吹过海边 42",
        }
        joined = self.client.post(f"{API}/auth/invitations/accept", json=sent)
        assert joined.status_code == 200, joined.text
        return self._hold(sent["username"], hall)

    def _hold(self, username, hall=None):
        """Sign in as somebody whose code he held: more than he gets, for no factor is asked."""
        with db.transaction() as session:
            found = session.scalar(
                text("SELECT id FROM accounts.account WHERE username = :u"), {"u": username}
            )
            someone = people._sign_in(session, found, "staff", "pwd otp")
        # Even where somebody lends himself to every puppet, a person of its own.
        self.puppets.append((people.somebody(someone), hall))
        return someone

    def _takeover(self, whom=None):
        """Reset a real approver and walk in with the code."""
        whom = whom or self.dice.choice(self.honest)
        made = self.send("POST", f"/admin/accounts/{whom.account_id}/reset")
        if made.status_code != 200:
            return None
        sent = {"code": made.json["code"], "password": "四月的风 吹过海边 43"}
        used = self.client.post(f"{API}/auth/reset", json=sent)
        return self._hold(used.json["username"]) if used.status_code == 200 else None

    def _propose(self, kind, payload, reason, someone=None):
        body = {"kind": kind, "payload": payload, "reason": reason, "evidence_reference": "X 1"}
        people.somebody(someone or self.admin)
        made = self.send("POST", "/approvals", body, someone)
        if made.status_code == 201:
            self.proposals.append(made.json["id"])
        return made

    def _appoint(self):
        known = [(one, hall) for one, hall in self.puppets if hall]
        if not known:
            return None
        one, hall = self.dice.choice(known)
        payload = {"account_id": str(one.account_id), "organisation_id": hall}
        return self._propose("approvals.appoint", payload, "new_approver")

    def _change(self):
        someone = self.dice.choice([None, *(one for one, _ in self.puppets)])
        return self._propose("toy.change", {"size": 3}, "exercise", someone)

    def _decide(self):
        if not self.proposals:
            return None
        someone = self.dice.choice([one for one, _ in self.puppets] or [self.admin])
        # The first few, so that several of his people come to speak of one.
        proposal = self.dice.choice(self.proposals[:3])
        body = {"verdict": "approve", "digest": world.digest(proposal)}
        return self.send("POST", f"/approvals/{proposal}/decisions", body, someone)

    def _suspend(self):
        whom = self.dice.choice(self.honest)
        status = self.dice.choice(["suspended", "active"])
        return self.send(
            "PUT", f"/admin/accounts/{whom.account_id}/status", {"status": status, "reason": "X"}
        )

    def _dismiss_role(self):
        whom = self.dice.choice(self.honest)
        return self.send("DELETE", f"/admin/memberships/{whom.membership_ids[0]}")

    def _later(self):
        with db.transaction() as session:
            for statement in LATER:
                session.execute(text(statement))
        return True


def walked(client, seed, steps=STEPS):
    walk = Walk(client, random.Random(seed))
    for _ in range(steps):
        walk.step()
    return walk


def applied(session):
    return session.scalar(text("SELECT count(*) FROM approvals.proposal WHERE status='applied'"))


@pytest.fixture(autouse=True)
def _quick(app, toy, monkeypatch):
    """Let him try as often as he likes, and let passwords cost nothing."""
    monkeypatch.setattr(gate, "enforce", lambda *_: None)
    cheap = hashing.Passwords(profiles.CHEAPEST)
    monkeypatch.setattr(hashing, "current", lambda: cheap)


@pytest.mark.parametrize("seed", range(3))
def test_one_administrator_gets_nothing_applied(client, session, seed):
    walk = walked(client, seed)
    assert applied(session) == 0
    # Without this the zero would prove nothing.
    assert walk.done.keys() >= {"authority", "invite", "takeover", "appoint", "change", "decide"}


def test_the_walk_notices_where_a_role_is_enough(client, session, monkeypatch):
    """The twin whose guard is off: every member of staff of an authority may decide."""
    monkeypatch.setattr(deciding, "standing_of", _by_role)
    assert any(walked(client, seed) and applied(session) for seed in range(6))


ROLE = text(
    "SELECT m.organisation_id FROM organisations.membership m "
    "JOIN organisations.organisation o ON o.id = m.organisation_id AND o.kind = 'authority' "
    "WHERE m.account_id = :a AND m.ended_at IS NULL"
)
AS_APPOINTED = text(
    "INSERT INTO approvals.approver (account_id, unit_id, binding_id) SELECT account_id, :u, id "
    "FROM accounts.binding WHERE account_id = :a AND ended_at IS NULL ON CONFLICT DO NOTHING"
)
APPOINTED = text(
    "SELECT a.id, b.person_id FROM approvals.approver a "
    "JOIN accounts.binding b ON b.id = a.binding_id WHERE a.account_id = :a AND a.unit_id = :u"
)


def _by_role(session, account_id):
    """Return the standing of anybody who works at an authority."""
    unit_id = session.scalar(ROLE, {"a": account_id})
    asked = {"a": account_id, "u": unit_id}
    if unit_id is None:
        return None
    people.somebody(people.Someone(account_id=account_id, token="", device_id=None))
    with world.as_owner(session) as owner:
        owner.execute(AS_APPOINTED, asked)
    found = session.execute(APPOINTED, asked).first()
    return Standing(
        approver_id=found.id, account_id=account_id, person_id=found.person_id, unit_id=unit_id
    )


NO_RESETS = ("r.used_at > a.appointed_at", "false")


@pytest.mark.parametrize("guarded", [True, False])
def test_whoever_resets_both_approvers_and_waits_gains_nothing(
    client, session, monkeypatch, guarded
):
    """With the twin whose guards are off: there a reset voids no appointment and no binding."""
    if not guarded:
        monkeypatch.setattr(bindings, "end_of_account", lambda *_, **__: None)
        for room, name in ((approvers, "_STANDING_OF"), (applying, "_APPROVALS")):
            loose = str(getattr(room, name)).replace(*NO_RESETS)
            assert loose != str(getattr(room, name))
            monkeypatch.setattr(room, name, text(loose))
    walk = Walk(client, random.Random(1))
    walk._change()
    for whom in walk.honest:
        assert walk._takeover(whom) is not None
    # A week later nobody is tied to anybody.
    monkeypatch.setattr(deciding, "are_tied", lambda *_, **__: False)
    proposal = walk.proposals[0]
    body = {"verdict": "approve", "digest": world.digest(proposal)}
    for someone, _ in walk.puppets:
        answer = walk.send("POST", f"/approvals/{proposal}/decisions", body, someone)
        assert (answer.status_code == 403) is guarded
    assert applied(session) == (0 if guarded else 1)
