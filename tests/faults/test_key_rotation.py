"""Every ring turns while the city lives: nobody's request fails, and the old keys open nothing.

The operator's procedure of docs/operations.md, with its own commands, on a server of two workers
and a job worker: add, reload, promote, reload, rewrite, remove, reload. ``PROVE=1`` turns the rings
several times under a larger crowd.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import people
import pytest
from everyday import Everyday, JobWorker, Texts
from live import ROOT, Server, environment

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts import tokens
from citizen_cloud.accounts.contribution import contribution as accounts
from citizen_cloud.cli.keys import declared
from citizen_cloud.cli.keys.standing import count
from citizen_cloud.manifest import Subject

PROVE = bool(os.environ.get("PROVE"))
TURNS = 3 if PROVE else 1
CROWD = 10 if PROVE else 4
RELOAD_S = 60
RINGS = ("token", "field", "lookup")


class Installation:
    """A server and its worker whose keys lie in files, and the commands that change them."""

    def __init__(self, world, folder):
        self.world = world
        settings = world.settings
        self.files = {}
        extra = {"CITIZEN_CLOUD_TRUSTED_PROXIES": "1"}
        for ring in RINGS:
            name = f"{ring}_keys"
            self.files[ring] = folder / name
            self.files[ring].write_text(getattr(settings, name) + "\n")
            extra[f"CITIZEN_CLOUD_{name.upper()}_FILE"] = str(self.files[ring])
        self.server = Server(settings, world.log, workers=2, **extra)
        self.environment = {
            name: value
            for name, value in environment(settings, **extra).items()
            if f"{name}_FILE" not in extra
        }
        self.server._environment = self.environment
        self.worker = JobWorker(self.environment, folder / "jobs.log")

    def __enter__(self):
        self.server.start()
        self.worker.__enter__()
        return self

    def __exit__(self, *_):
        self.worker.__exit__()
        self.server.stop()

    def keys(self, *arguments):
        """Run an operator's command; return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "citizen_cloud.cli", "keys", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def reload(self):
        """Let every process take the files as they are; return when none of the old ones lives."""
        before = set(self.server.workers())
        self.server.process.send_signal(signal.SIGHUP)
        self.worker.reload()
        deadline = time.monotonic() + RELOAD_S
        while before & set(self.server.workers()) or len(self.server.workers()) != 2:
            assert time.monotonic() < deadline, self.world.log.read_text()[-2000:]
            time.sleep(0.05)

    def settings(self):
        """Return the settings a process would read now."""
        rings = {f"{ring}_keys": path.read_text() for ring, path in self.files.items()}
        return replace(self.world.settings, **rings)


@pytest.fixture
def installation(world, tmp_path):
    with Installation(world.people(1, outlets=2), tmp_path) as running:
        yield running
    crypto.configure(world.settings)


@pytest.fixture
def pool(world):
    opened = db.connect(world.settings)
    yield opened
    opened.dispose()


def rotate(installation, crowd, old, new):
    assert f"lookup {new} added" in installation.keys("add", *RINGS)
    installation.reload()
    crowd.let_everybody_begin_anew()
    installation.keys("promote", new, *RINGS)
    installation.reload()
    # Longer than any code or access token of before lives, for those who are here.
    crowd.let_everybody_begin_anew()
    installation.keys("rewrite", "--batch", "50")
    installation.keys("remove", old, *RINGS)
    installation.reload()
    crowd.let_everybody_begin_anew()


def quota_left(server, token, offer):
    """Book nine pieces, all a person may have; return the statuses."""
    path = f"/api/v1/masks/offers/{offer}/bookings"
    return [
        server.call(
            "POST", path, {"quantity": 9}, token=token, headers={"Idempotency-Key": f"q{turn}"}
        )[0]
        for turn in range(2)
    ]


@pytest.mark.timeout(3600 if PROVE else 600)
def test_keys_turn_while_the_city_lives_and_no_request_fails(installation, pool, record_property):
    world, server = installation.world, installation.server
    offers = world.offers(capacity=1_000_000)
    db.install(pool)
    crypto.configure(installation.settings())
    witness = people.citizen(name="李四")
    assert quota_left(server, witness.token, offers[0]) == [201, 409]
    sealed = world.rows(
        "SELECT phone_sealed FROM accounts.account WHERE id = %s", witness.account_id
    )[0][0]
    keys_before = dict(world.rows("SELECT id, person_key FROM accounts.person"))

    crowd = Everyday(server.port, offers, Texts(world.settings.sms_log), size=CROWD)
    with crowd:
        crowd.let_everybody_begin_anew()
        for turn in range(1, TURNS + 1):
            rotate(installation, crowd, f"k{turn}", f"k{turn + 1}")
    record_property("trials", crowd.requests)
    record_property(
        "facts",
        f"{TURNS} turns of three rings, slowest answer {crowd.slowest:.1f} s; {crowd.summary()}",
    )
    assert crowd.wrong == [], crowd.summary()
    assert world.audit() == []
    db.install(pool)

    before, now = crypto.current(), crypto.configure(installation.settings())
    assert set(now.fields.keys) == set(now.lookups.keys) == {f"k{TURNS + 1}"}
    standing = count(declared())
    assert set(standing.needed("field")) == set(standing.needed("lookup")) == {f"k{TURNS + 1}"}
    after = dict(world.rows("SELECT id, person_key FROM accounts.person"))
    assert {person: after[person] for person in keys_before} == keys_before
    assert server.call("GET", "/api/v1/me", token=witness.token)[0] == 401, "a removed key signs"
    assert old_value_is_refused(now, before, sealed, witness)
    check_no_second_quota(installation, witness, offers)


def old_value_is_refused(now, before, sealed, witness):
    place = f"accounts.account:phone:{witness.account_id}"
    assert before.open(sealed, place=place)
    with pytest.raises(crypto.Undecryptable):
        now.open(sealed, place=place)
    return True


def check_no_second_quota(installation, witness, offers):
    """Erase the witness under the new keys; whoever comes back with the document has no more."""
    with db.transaction() as session:
        subject = Subject(account_id=witness.account_id, person_id=witness.person_id)
        accounts.personal_data.erase(session, subject, clock.now())
    again = people.citizen(name="李四", number=witness.document_number)
    assert again.person_id != witness.person_id
    assert again.person_key == witness.person_key
    assert quota_left(installation.server, again.token, offers[1])[0] == 409


@pytest.mark.timeout(600)
def test_the_harness_notices_a_key_that_is_promoted_before_everybody_holds_it(installation, pool):
    world, server = installation.world, installation.server
    offers = world.offers(capacity=1_000)
    db.install(pool)
    crypto.configure(installation.settings())
    ahead = replace(
        installation.settings(), token_keys=crypto.draw_key("k9") + "," + world.settings.token_keys
    )
    someone = people.citizen()
    signed = [server.call("GET", "/api/v1/me", token=someone.token)[0]]
    crypto.configure(ahead)
    early = tokens.issue(
        account_id=someone.account_id,
        sign_in_id=tokens.read(someone.token).sign_in_id,
        now=clock.now(),
    )
    signed.append(server.call("GET", "/api/v1/me", token=early)[0])
    assert signed == [200, 401]
    texts = Texts(world.settings.sms_log, patience_s=30)
    with Everyday(server.port, offers, texts, size=2) as crowd:
        crowd.let_everybody_begin_anew()
        for path in installation.files.values():
            path.write_text(crypto.draw_key("k7") + "\n")
        installation.reload()
        deadline = time.monotonic() + 90
        while not crowd.wrong and time.monotonic() < deadline:
            time.sleep(0.05)
    assert crowd.wrong, "rings that share no key went unnoticed"
