"""No sequence of calls by fewer than two appointed people of different units colours anybody.

Found by a machine and not by a list: everybody who could want it, an administrator above all,
tries every door in any order. The model knows only who was appointed, which human each account
stands for, and who agreed to what. It counts humans: one of them is an approver of two
authorities with two accounts, and any staff account may be bound to anybody.
Short in ``scripts/test``; with ``PROVE=1`` as many and as long as ``scripts/prove`` asks for.
"""

import contextlib
import os
from collections import Counter, defaultdict

import approvals_world
import hypothesis.strategies as st
import people
import power_world as world
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from citizen_cloud.approvals.kinds import kind_of
from citizen_cloud.approvals.services import applying, deciding
from citizen_cloud.cache import Cache
from citizen_cloud.modules.health_code.jobs import rules
from citizen_cloud.modules.health_code.rules import signatures
from citizen_cloud.modules.health_code.rules.profiles import THREE_DAYS
from citizen_cloud.modules.health_code.services.reports import batches
from citizen_cloud.web import limits

PROVE = bool(os.environ.get("PROVE"))
CAP = 2
# The last is the first one's second account, at another authority.
APPROVERS = ("approver_a1", "approver_a2", "approver_b1", "approver_s", "approver_b2")
HUMANS = ("boss", "first")
STAFF = ("officer_a", "officer_c", "manager_a", "puppet_1", "puppet_2", "pharmacist")
OTHERS = ("admin", "admin_2", "auditor", "citizen")
ANYBODY = st.sampled_from((*APPROVERS, *APPROVERS, *STAFF, *OTHERS))
PROPOSERS = st.sampled_from(("officer_a", "officer_c", "approver_a1", "manager_a", "admin"))
TARGETS = st.integers(0, 2)
UNITS = st.sampled_from(("a", "b", "c"))
# The source's own authority is "s".
SOURCES_OWN = "s"
LATEST = st.integers(0, 3)
# Where everything is shut nothing is agreed to any more.
MOSTLY = st.sampled_from((True, True, True, False))


class City:
    """Everybody there is, made anew for every history."""

    def __init__(self, client):
        self.client = client
        self.units = {name: people.hall() for name in ("a", "b", "c", SOURCES_OWN)}
        a, b, c, s = self.units.values()
        # Those who have citizens' accounts of their own here: the administrator, and an approver.
        self.humans = {name: people.citizen() for name in HUMANS}
        first = self.humans["first"].person_id
        self.actors = {
            "approver_a1": approvals_world.approver(a, person_id=first),
            "approver_a2": approvals_world.approver(a),
            "approver_b1": approvals_world.approver(b),
            "approver_s": approvals_world.approver(s),
            "approver_b2": people.staff(b),
            "officer_a": people.staff(a),
            "officer_c": people.staff(c),
            "manager_a": people.manager(a),
            "puppet_1": people.staff(None, None),
            "puppet_2": people.staff(None, None),
            "pharmacist": people.staff(people.pharmacy()),
            "admin": people.admin(),
            "admin_2": people.admin(),
            "auditor": people.auditor(),
            "citizen": people.citizen(),
        }
        for name in ("officer_a", "officer_c", "manager_a"):
            people.bind(self.actors[name])
        people.bind(self.actors["admin"], self.humans["boss"].person_id)
        self.appoint_past_the_rule("approver_b2", b, first)
        self.targets = [people.citizen() for _ in range(3)]
        self.source = world.source(client, s, cap=CAP)
        self.registered = {self.source.account_id}
        self.rogue = world.system(client, c)

    def appoint_past_the_rule(self, name, unit_id, person_id):
        """Appoint a second account of somebody who decides already: no door leads there."""
        people.bind(self.actors[name], person_id)
        with approvals_world.as_owner() as owner:
            owner.execute(
                world.text(
                    "INSERT INTO approvals.approver (account_id, unit_id, binding_id) "
                    "SELECT account_id, :unit, id FROM accounts.binding WHERE account_id = :a"
                ),
                {"a": self.actors[name].account_id, "unit": unit_id},
            )

    def post(self, someone, path, body=None):
        headers = self.actors[someone].headers
        return self.client.post(f"/api/v1{path}", json=body or {}, headers=headers)


class Machine(RuleBasedStateMachine):
    """Anybody does anything; what came of it must be explained by who agreed."""

    stage = None

    def __init__(self):
        super().__init__()
        self.stage.taken.clear()
        self.savepoint = self.stage.database.connection.begin_nested()
        self.city = City(self.stage.client)
        self.name_of = {one.account_id: name for name, one in self.city.actors.items()}
        units = dict(zip(APPROVERS, ("a", "a", "b", "s", "b"), strict=True))
        self.appointed = {self.city.actors[name].account_id: unit for name, unit in units.items()}
        # account → the humans it ever stood for, the present one last
        self.humans_of = defaultdict(list)
        for row in world.rows("SELECT account_id, person_id FROM accounts.binding ORDER BY id"):
            self.humans_of[row.account_id].append(row.person_id)
        # proposal → what it is about, who made it, and (unit, human) of those who agreed
        self.proposals = {}
        self.agreed = defaultdict(set)
        self.appeals = []
        self.closed = set()
        self.suspended = set()

    def teardown(self):
        self.savepoint.rollback()

    def fresh_limits(self):
        self.stage.app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))

    def remember(self, answer, kind, payload, proposer):
        if answer.status_code == 201:
            assert self.humans_of[proposer], "nobody in particular proposed"
            facts = (kind, payload, proposer)
            self.proposals[answer.json["id"]] = facts

    def propose(self, proposer, kind, payload, reason):
        self.fresh_limits()
        someone = self.city.actors[proposer]
        answer = world.propose(
            self.city.client, someone, kind, payload, reason=reason, is_bound=False
        )
        assert answer.status_code < 500, answer.text
        self.remember(answer, kind, payload, someone.account_id)

    def latest(self, number):
        known = list(self.proposals)
        return known[-1 - number % len(known)]

    # What people want.

    @rule(who=PROPOSERS, victim=TARGETS, colour=st.sampled_from(("red", "yellow")))
    def ask_for_a_colour(self, who, victim, colour):
        self.propose_a_colour(who, victim, colour)

    def propose_a_colour(self, who, victim, colour):
        person = {"person_id": str(self.city.targets[victim].person_id)}
        payload = {"persons": [person], "colour": colour, "days": 7}
        self.propose(who, "health_code.assign_colour", payload, "close_contact")

    @rule(who=ANYBODY, victim=TARGETS)
    def ask_for_a_colour_out_of_place(self, who, victim):
        self.propose_a_colour(who, victim, "red")

    @rule(who=PROPOSERS, number=LATEST)
    def ask_to_withdraw_an_event(self, who, number):
        found = world.rows("SELECT id FROM health_code.event ORDER BY id DESC LIMIT 4")
        if found:
            payload = {"event_ids": [str(found[number % len(found)].id)]}
            self.propose(who, "health_code.correct", payload, "wrong_data")

    @rule(who=st.sampled_from(("admin", "officer_c", "approver_b1")))
    def ask_to_register_the_rogue(self, who):
        payload = world.source_payload(self.city.rogue, CAP)
        self.propose(who, "health_code.register_source", payload, "new_source")

    @rule(who=st.sampled_from(("admin", "manager_a")), unit=UNITS, puppet=st.integers(1, 2))
    def ask_to_appoint_a_puppet(self, who, unit, puppet):
        payload = {
            "account_id": str(self.city.actors[f"puppet_{puppet}"].account_id),
            "organisation_id": str(self.city.units[unit]),
        }
        self.propose(who, "approvals.appoint", payload, "new_approver")

    @rule(who=st.sampled_from(("admin", "officer_c")))
    def ask_to_let_a_batch_pass(self, who):
        batch_id = world.value("SELECT id FROM health_code.batch WHERE status = 'waiting' LIMIT 1")
        if batch_id:
            payload = {"batch_id": str(batch_id)}
            self.propose(who, "health_code.release_batch", payload, "above_cap")

    @rule(who=st.sampled_from(("admin", "admin_2")))
    def ask_for_other_rules(self, who):
        """Write a draft, try it on everybody, and ask that it count."""
        self.fresh_limits()
        body = {"profile": "c", "rules": THREE_DAYS}
        made = self.city.post(who, "/health-code/rule-versions", body)
        assert made.status_code == 201, made.text
        version = made.json
        self.city.post(who, f"/health-code/rule-versions/{version['id']}/shadow-runs")
        rules.run_trials(people.clock.now())
        payload = {"number": version["number"]}
        self.propose(who, "health_code.activate_rules", payload, "policy")

    # What approvers say, and others try to.

    @precondition(lambda self: self.proposals)
    @rule(who=st.sampled_from(APPROVERS), number=LATEST)
    def approve(self, who, number):
        self.decide(who, self.latest(number), "approve")

    @precondition(lambda self: self.proposals)
    @rule(first=st.sampled_from(APPROVERS[:2]), number=LATEST)
    def approve_together(self, first, number):
        """Two of different units agree, as it is meant; else nothing would ever happen."""
        self.approve_together_at(first, number)

    def approve_together_at(self, first, number):
        if not self.proposals:
            return
        proposal_id = self.latest(number)
        for who in (first, "approver_b1"):
            self.decide(who, proposal_id, "approve")

    @rule(victim=TARGETS)
    def one_human_says_it_twice(self, victim):
        """An officer asks, and one approver agrees with both appointments he has."""
        self.propose_a_colour("officer_c", victim, "red")
        if self.proposals:
            for who in ("approver_a1", "approver_b2"):
                self.decide(who, self.latest(0), "approve")

    @rule(victim=TARGETS, colour=st.sampled_from(("red", "yellow")))
    def give_a_colour_as_it_is_meant(self, victim, colour):
        self.propose_a_colour("officer_c", victim, colour)
        self.approve_together_at("approver_a1", 0)

    @precondition(lambda self: self.proposals)
    @rule(who=ANYBODY, number=LATEST, verdict=st.sampled_from(("approve", "approve", "reject")))
    def say(self, who, number, verdict):
        self.decide(who, self.latest(number), verdict)

    def decide(self, who, proposal_id, verdict):
        self.fresh_limits()
        someone = self.city.actors[who]
        answer = world.decide(self.city.client, someone, proposal_id, verdict)
        assert answer.status_code < 500, answer.text
        if answer.status_code != 200:
            return
        kind, payload, proposer = self.proposals[proposal_id]
        assert someone.account_id in self.appointed, f"{who} decided"
        human = self.humans_of[someone.account_id][-1]
        assert human not in self.humans_of[proposer], "who proposed it decided"
        unit = self.appointed[someone.account_id]
        assert unit not in self.closed, "for a closed authority"
        assert someone.account_id not in self.suspended
        if kind == "health_code.release_batch":
            assert unit != SOURCES_OWN, "the source let its own batch pass"
        if verdict == "approve":
            self.agreed[proposal_id].add((unit, human))
        if answer.json["status"] == "applied":
            self.stage.applied[kind] += 1
            assert self.is_enough(proposal_id, but=self.closed), kind
            self.follow(kind, payload)

    def is_enough(self, proposal_id, but=()):
        """Return whether two humans, and two units, agreed."""
        said = [one for one in self.agreed[str(proposal_id)] if one[0] not in but]
        return min(len({unit for unit, _ in said}), len({human for _, human in said})) >= 2

    def follow(self, kind, payload):
        if kind == "approvals.appoint":
            unit = next(
                k for k, v in self.city.units.items() if str(v) == payload["organisation_id"]
            )
            account_id = people.UUID(payload["account_id"])
            human = self.humans_of[account_id][-1]
            for other in list(self.appointed):
                if self.humans_of[other][-1] == human:
                    del self.appointed[other]
            self.appointed[account_id] = unit
        if kind == "health_code.register_source":
            self.city.registered.add(self.city.rogue.account_id)

    # The batch door.

    @rule(
        sender=st.sampled_from(("source", "rogue", "thief", "staff")),
        count=st.integers(1, 3),
        first=TARGETS,
    )
    def report(self, sender, count, first):
        self.report_rows(sender, count, first)

    @rule(first=TARGETS, who=st.sampled_from(("approver_a1", "approver_s")))
    def report_more_than_the_cap_and_let_it_pass(self, first, who):
        """Two agree, as it is meant, or one of them is of the source's own authority."""
        proposal_id = self.report_rows("source", CAP + 1, first)
        for one in (who, "approver_b1"):
            if proposal_id is not None:
                self.decide(one, proposal_id, "approve")

    def report_rows(self, sender, count, first):
        """Return the proposal of a batch that has to wait, None of any other."""
        self.fresh_limits()
        city = self.city
        rows = [world.row(city.targets[(first + n) % 3]) for n in range(count)]
        if sender == "staff":
            headers = {**city.actors["officer_a"].headers, "Content-Type": "application/json"}
            answer = world.report(city.client, city.source, rows, headers=headers)
        else:
            answer = world.report(city.client, self.system(sender), rows)
        assert answer.status_code < 500, answer.text
        if answer.status_code != 202:
            return None
        sql = "SELECT proposal_id FROM health_code.batch WHERE id = :id"
        proposal_id = str(world.value(sql, id=answer.json["id"]))
        self.proposals[proposal_id] = ("health_code.release_batch", {}, None)
        return proposal_id

    def system(self, sender):
        """Return who sends: the thief has a token of the source, and a key of his own."""
        if sender != "thief":
            return getattr(self.city, sender)
        true = self.city.source
        return world.System(
            client_id=true.client_id,
            account_id=true.account_id,
            token=true.token,
            key=Ed25519PrivateKey.generate(),
        )

    # What an administrator and a manager can do.

    @rule(
        who=st.sampled_from(("admin", "manager_a")),
        unit=UNITS,
        role=st.sampled_from(("staff", "manager")),
        puppet=st.integers(1, 2),
    )
    def let_a_puppet_in(self, who, unit, role, puppet):
        place = self.city.units[unit]
        made = self.city.post(who, f"/admin/organisations/{place}/invitations", {"role": role})
        if made.status_code == 201:
            name = f"puppet_{puppet}"
            self.city.post(name, "/me/invitations/accept", {"code": made.json["code"]})

    @rule(
        who=st.sampled_from(("puppet_1", "puppet_2", "officer_a", "admin_2", "pharmacist")),
        human=st.sampled_from(HUMANS),
    )
    def take_an_account_for_ones_own(self, who, human):
        self.bind(who, human)

    # As below: what was appointed is gone afterwards.
    @precondition(lambda self: len(self.appointed) >= len(APPROVERS))
    @rule(who=st.sampled_from(APPROVERS), human=st.sampled_from(HUMANS))
    def take_an_approvers_account_for_ones_own(self, who, human):
        self.bind(who, human)

    def bind(self, who, human):
        """Ask with the staff account, confirm with the citizen's: the doors there are."""
        self.fresh_limits()
        asked = self.city.post(who, "/me/person-binding")
        if asked.status_code != 200:
            return
        someone = self.city.humans[human]
        said = self.city.client.post(
            "/api/v1/me/staff-accounts",
            json={
                "code": asked.json["code"],
                "username": people.username_of(self.city.actors[who]),
            },
            headers=someone.headers,
        )
        assert said.status_code == 200, said.text
        account_id = self.city.actors[who].account_id
        self.humans_of[account_id].append(someone.person_id)
        self.appointed.pop(account_id, None)

    # Now and then only: who would agree to anything is gone afterwards.
    @precondition(lambda self: len(self.appointed) >= len(APPROVERS))
    @rule(who=st.sampled_from(("admin", "manager_a")), whose=st.sampled_from(APPROVERS))
    def take_over(self, who, whose):
        """Reset an approver's account; whoever got the code acts by it from now on."""
        someone = self.city.actors[whose]
        made = self.city.post(who, f"/admin/accounts/{someone.account_id}/reset")
        if made.status_code == 200 and made.json["code"]:
            world.change(
                "UPDATE accounts.reset SET used_at = statement_timestamp() WHERE id = :id",
                id=made.json["id"],
            )
            self.sign_in_again(whose)
            self.appointed.pop(someone.account_id, None)

    @rule(unit=st.sampled_from(("a", "b", SOURCES_OWN)), is_open=MOSTLY)
    def close_or_open_an_authority(self, unit, is_open):
        headers = self.city.actors["admin"].headers
        path = f"/api/v1/admin/organisations/{self.city.units[unit]}"
        body = {"status": "active" if is_open else "closed", "area_code": "210204"}
        answer = self.city.client.patch(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        (self.closed.discard if is_open else self.closed.add)(unit)

    @rule(whose=st.sampled_from(APPROVERS), is_active=MOSTLY)
    def suspend_or_reinstate(self, whose, is_active):
        status = "active" if is_active else "suspended"
        account_id = self.city.actors[whose].account_id
        headers = self.city.actors["admin"].headers
        path = f"/api/v1/admin/accounts/{account_id}/status"
        body = {"status": status, "reason": "left"}
        answer = self.city.client.put(path, json=body, headers=headers)
        assert answer.status_code == 204, answer.text
        if status == "suspended":
            self.suspended.add(account_id)
        elif account_id in self.suspended:
            self.suspended.discard(account_id)
            self.sign_in_again(whose)

    def sign_in_again(self, name):
        someone = self.city.actors[name]
        with people._in(None) as session:
            self.city.actors[name] = people._sign_in(
                session, someone.account_id, "staff", "pwd otp"
            )

    @rule(number=st.integers(1, 200))
    def change_a_setting(self, number):
        headers = self.city.actors["admin"].headers
        body = {"settings": {"assign_cap": number, "area_rate": number}}
        path = "/api/v1/admin/modules/health_code/settings"
        for method in (self.city.client.patch, self.city.client.put):
            method(path, json=body, headers=headers)

    @rule(victim=TARGETS)
    def object_to_it(self, victim):
        self.fresh_limits()
        headers = self.city.targets[victim].headers
        body = {"reason": "no_contact", "text": "不是我"}
        made = self.city.client.post("/api/v1/health-code/appeals", json=body, headers=headers)
        if made.status_code == 201:
            self.appeals.append((made.json["id"], victim))

    @precondition(lambda self: self.appeals)
    @rule(who=ANYBODY, number=LATEST, refuses=st.booleans())
    def answer_an_appeal(self, who, number, refuses):
        self.fresh_limits()
        appeal_id, target = self.appeals[-1 - number % len(self.appeals)]
        sql = (
            "SELECT id FROM health_code.event WHERE person_id = :p AND kind <> 'withdrawn' LIMIT 1"
        )
        event_id = world.value(sql, p=self.city.targets[target].person_id)
        body = {"verdict": "refuse", "answer": "no_proof"}
        if not refuses:
            body = {
                "verdict": "grant",
                "reason": "wrong_data",
                "evidence_reference": "案卷 12",
                "event_ids": [str(event_id)],
            }
        answer = self.city.post(who, f"/health-code/staff/appeals/{appeal_id}/decision", body)
        assert answer.status_code < 500, answer.text
        if answer.status_code == 200 and not refuses:
            by = self.city.actors[who].account_id
            self.proposals[answer.json["approval_id"]] = ("health_code.correct", {}, by)

    # What must hold whatever they did.

    @invariant()
    def nothing_by_hand_without_two_units(self):
        for row in world.rows(
            "SELECT kind, approval_id FROM health_code.event WHERE approval_id IS NOT NULL"
        ):
            assert self.is_enough(row.approval_id), row.kind

    @invariant()
    def no_other_rules_without_two_units(self):
        for row in world.rows(
            "SELECT number, approval_id FROM health_code.rule_version "
            "WHERE live_from IS NOT NULL AND number <> 1"
        ):
            assert self.is_enough(row.approval_id), row.number

    @invariant()
    def what_sources_said_came_from_registered_ones_within_their_cap(self):
        for row in world.rows(
            "SELECT s.account_id, s.cap_per_hour, count(*) AS said FROM health_code.event e "
            "LEFT JOIN health_code.source s ON s.id = e.source_id "
            "WHERE e.approval_id IS NULL GROUP BY 1, 2"
        ):
            assert row.account_id in self.city.registered
            assert row.said <= CAP

    @invariant()
    def whoever_has_a_colour_has_it_from_an_event(self):
        assert not world.rows(
            "SELECT 1 FROM health_code.standing s WHERE s.colour <> 'none' AND NOT EXISTS "
            "(SELECT FROM health_code.event e WHERE e.person_id = s.person_id)"
        )

    @invariant()
    def every_batch_that_counts_was_signed_by_its_source(self):
        """The rogue is known by name only; the thief would have sent under the source's."""
        assert not self.stage.forged()


class Stage:
    """The application the machine plays on, and the signatures that were not genuine."""

    def __init__(self, app, client, database):
        self.app = app
        self.client = client
        self.database = database
        self.taken = []
        self.applied = Counter()

    def forged(self):
        return [sent for sent in self.taken if not sent]


@pytest.fixture
def stage(app, client, database, monkeypatch):
    """Watch from outside which batches are kept, and whether their key had signed them."""
    made = Stage(app, client, database)
    genuine, keep = signatures.is_signed, batches._keep
    last = []

    def authenticated(session, sent, *, real=batches.authenticated):
        source = real(session, sent)
        raw = signatures.decoded(sent.signature) or b""
        facts = {"algorithm": source.algorithm, "public_key": source.public_key}
        last[:] = [genuine(**facts, signature=raw, signed=sent.signed)]
        return source

    def kept(*facts):
        made.taken.extend(last)
        return keep(*facts)

    monkeypatch.setattr(batches, "authenticated", authenticated)
    monkeypatch.setattr(batches, "_keep", kept)
    return made


def run(stage, **options):
    Machine.stage = stage
    given = {
        "deadline": None,
        "database": None,
        "suppress_health_check": list(HealthCheck),
        **options,
    }
    run_state_machine_as_test(Machine, settings=settings(**given))


@pytest.mark.timeout(3_600)
def test_no_sequence_of_calls_colours_anybody_without_two_people_of_different_units(
    stage, record_property
):
    run(
        stage,
        max_examples=300 if PROVE else 5,
        stateful_step_count=60 if PROVE else 25,
        derandomize=not PROVE,
    )
    record_property("trials", 300 if PROVE else 5)
    record_property("facts", f"agreed to and applied: {dict(stage.applied)}")
    # Histories in which nobody ever agreed would prove nothing.
    assert stage.applied["health_code.assign_colour"] > 0, stage.applied


def one_is_enough(session, row, *, now):
    """Apply with the first approval and say nothing of it."""
    with contextlib.suppress(Exception), session.begin_nested():
        kind_of(row.kind).apply(session, applying.opened(row), now)
    return "open", None


def accounts_are_people(patch):
    """Count accounts and units as before, in the services and in the database."""
    patch.setattr(
        deciding, "_is_among", lambda _, standing, accounts: standing.account_id in accounts
    )
    loose = str(applying._APPROVALS).replace("said.person_id", "d.account_id")
    assert loose != str(applying._APPROVALS)
    patch.setattr(applying, "_APPROVALS", world.text(loose))
    with approvals_world.as_owner() as owner:
        owner.execute(world.text("DROP TRIGGER hold_decisions ON approvals.decision"))
        owner.execute(
            world.text(
                "CREATE OR REPLACE FUNCTION approvals.agreed(asked uuid) RETURNS integer "
                "LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(DISTINCT unit_id) "
                "FROM approvals.decision WHERE proposal_id = asked); END $$"
            )
        )


FAULTS = {
    "where_each_account_is_a_person": accounts_are_people,
    "where_authorities_let_their_own_batches_pass": lambda patch: patch.setattr(
        deciding, "_is_own", lambda *_: False
    ),
    "where_one_approval_is_enough": lambda patch: patch.setattr(
        deciding, "apply_if_enough", one_is_enough
    ),
    "that_believes_any_signature": lambda patch: patch.setattr(
        signatures, "is_signed", lambda **_: True
    ),
    "that_counts_no_volume": lambda patch: patch.setattr(
        batches,
        "_WITHIN_HOUR",
        world.text(
            "SELECT 0 AS nothing WHERE :source_id = :source_id "
            "AND cast(:now AS timestamptz) IS NOT NULL"
        ),
    ),
}


IN_SHORT = ["where_one_approval_is_enough", "where_each_account_is_a_person"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", list(FAULTS) if PROVE else IN_SHORT)
def test_the_machine_notices_a_city(stage, monkeypatch, fault):
    """The control: histories that never fail with a guard taken away would prove nothing."""
    FAULTS[fault](monkeypatch)
    with pytest.raises(AssertionError):
        run(
            stage,
            max_examples=200,
            phases=[Phase.generate],
            stateful_step_count=25,
            derandomize=True,
            report_multiple_bugs=False,
        )


def test_one_administrator_can_turn_nobody_red(stage):
    """All he has: a system with its secret, puppets he let in, accounts he reset, settings."""
    city = City(stage.client)
    victim = {"person_id": str(city.targets[0].person_id)}
    payload = {"persons": [victim], "colour": "red", "days": 7}
    admin = city.actors["admin"]
    # He may not even propose it; a puppet may, and puppets may not agree.
    ask = (city.client, admin, "health_code.assign_colour", payload)
    assert world.propose(*ask, reason="close_contact").status_code == 403
    for number, unit in ((1, "a"), (2, "b")):
        path = f"/admin/organisations/{city.units[unit]}/invitations"
        code = city.post("admin", path, {"role": "manager"}).json["code"]
        joined = city.post(f"puppet_{number}", "/me/invitations/accept", {"code": code})
        assert joined.status_code == 200, joined.text
    # An account that stands for nobody proposes nothing, so he lends himself to both.
    unbound = world.assign(city.client, city.actors["puppet_1"], [victim], is_bound=False)
    assert (unbound.status_code, unbound.json["code"]) == (403, "proposer_not_bound")
    for name in ("puppet_1", "puppet_2"):
        code = city.post(name, "/me/person-binding").json["code"]
        taken = city.client.post(
            "/api/v1/me/staff-accounts",
            json={"code": code, "username": people.username_of(city.actors[name])},
            headers=city.humans["boss"].headers,
        )
        assert taken.status_code == 200, taken.text
    asked = world.assign(city.client, city.actors["puppet_1"], [victim])
    for name in ("puppet_1", "puppet_2", "admin"):
        said = world.decide(city.client, city.actors[name], asked.json["id"])
        assert said.status_code == 403, said.text
    # An approver's account he resets is an approver's no more.
    taken = city.actors["approver_b1"]
    reset = city.post("admin", f"/admin/accounts/{taken.account_id}/reset")
    world.change(
        "UPDATE accounts.reset SET used_at = statement_timestamp() WHERE id = :id",
        id=reset.json["id"],
    )
    with people._in(None) as session:
        again = people._sign_in(session, taken.account_id, "staff", "pwd otp")
    assert world.decide(city.client, again, asked.json["id"]).status_code == 403
    # His own system is no source, and its secret signs nothing.
    assert world.report(city.client, city.rogue, [world.row(city.targets[0])]).status_code == 403
    payload = world.source_payload(city.rogue)
    register = world.propose(
        city.client, admin, "health_code.register_source", payload, reason="new_source"
    )
    assert register.status_code == 201
    assert world.decide(city.client, admin, register.json["id"]).status_code == 403
    assert world.colour(city.targets[0]) == "none"
    assert world.events(city.targets[0]) == []
