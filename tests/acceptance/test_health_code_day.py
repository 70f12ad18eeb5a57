"""One day of the health code over HTTP: a code, a gate without a server, red, and back again.

Everybody acts as in a city: a citizen's phone, an inspector, a laboratory's system, an officer,
two approvers of different authorities, a guardian. The gate and the auditor work with files alone.
"""

import json
import secrets
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta

import httpx
import people
import pyotp
from city_life import NAME, Life, administrator, eventually, service_hall, shown
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from live import ROOT, environment
from phone import Phone

from citizen_cloud import clock
from citizen_cloud.credentials.proofs import from_text, to_text
from citizen_cloud.modules.health_code.rules import signatures

HEALTH = "/health-code"
WELL = {"temperature_c": 36.5, "symptoms": [], "contact_with_case": False}
# The longest a showing may be behind, and a second.
LATER = timedelta(seconds=61)


@dataclass
class Day(Life):
    """A life, and those whom the demo city employs."""

    folder: object = None

    def employed(self, who):
        secrets_of = self.secrets_of(who)
        code = pyotp.TOTP(secrets_of["totp_secret"]).now()
        grant = {name: secrets_of[name] for name in ("username", "password")}
        sent = {"grant_type": "password", **grant, "totp": code}
        return self.ask("POST", "/auth/token", **sent)["access_token"]

    def secrets_of(self, who):
        return json.loads((self.var / "demo.json").read_text())[who]

    def verified(self, inspector, code, place_id):
        scan = {"scan_id": str(uuid.uuid4()), "code": code, "place_id": place_id}
        return self.ask("POST", f"{HEALTH}/verifications", inspector, **scan)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def agreed(self, proposal_id, approvers):
        """Let approvers agree one after the other; return how the proposal stands after each."""
        states = []
        for token in approvers:
            found = self.ask("GET", f"/approvals/{proposal_id}", token)
            word = {"verdict": "approve", "digest": found["digest"]}
            place = f"/approvals/{proposal_id}/decisions"
            states.append(self.ask("POST", place, token, **word)["status"])
        return states


def test_a_day_of_the_health_code(city, tmp_path):
    server, settings, var = city
    with httpx.Client(base_url=server.url, timeout=30) as http:
        day = Day(http, var, tmp_path)
        live(day, server, settings)


def live(day, server, settings):
    """Go through the day in its order."""
    inspector, place_id = day.employed("inspector"), day.secrets_of("inspector")["place_id"]
    number = people.document("19850101")
    me = day.sign_in(people.new_phone())
    day.prove(me, number)
    phone, credential = a_code_on_a_phone(day, me)
    seen = day.verified(inspector, phone.show(credential, clock.now()), place_id)
    assert (seen["outcome"], seen["colour"], seen["name_masked"]) == ("valid", "green", "王*明")
    assert NAME not in json.dumps(seen, ensure_ascii=False)
    enter(day, me, inspector, place_id, "admitted")
    paper_for_an_elder(day, me, number, inspector, place_id)

    # One showing passes once; another code of the same minute shares nothing with it.
    credential = a_code(day, me, phone)
    queue = at_a_gate_without_a_server(day, server, phone, credential, place_id)
    uploaded(day, inspector, queue)

    turned_red(day, number)
    status = eventually(lambda: stands_red(day, me))
    assert status["reasons"]
    old = day.verified(inspector, phone.show(credential, clock.now()), place_id)
    assert old["outcome"] == "revoked"
    enter(day, me, inspector, place_id, "refused")
    granted(day, me)
    assert day.ask("GET", f"{HEALTH}/status", me)["colour"] == "green"
    fresh = phone.show(a_code(day, me, phone), clock.now())
    shown_again = day.verified(inspector, fresh, place_id)
    assert shown_again["outcome"] == "valid"
    looks = {look["purpose"] for look in day.ask("GET", "/me/data-access", me)["items"]}
    assert {"health_code.verify", "health_code.appeal"} <= looks
    the_books_hold(day, settings)


def a_code_on_a_phone(day, me):
    """Agree, say how one feels, register the phone, and get a code for the day."""
    refused = day.ask("POST", f"{HEALTH}/declarations", me, expect=403, **WELL)
    assert refused["code"] == "consent_required"
    day.ask("POST", "/me/consents", me, purpose="health_code", version=1, granted=True)
    day.ask("POST", f"{HEALTH}/declarations", me, **WELL)
    assert day.ask("GET", f"{HEALTH}/status", me)["colour"] == "green"
    phone, devices = Phone(), f"{HEALTH}/devices"
    drawn = day.ask("POST", f"{devices}/challenge", me)
    proof = phone.registering(drawn["challenge"])
    key = {"public_key": phone.public_key, "challenge_id": drawn["challenge_id"], "proof": proof}
    day.ask("POST", devices, me, expect=201, **key)
    return phone, a_code(day, me, phone)


def a_code(day, me, phone):
    return day.ask("POST", f"{HEALTH}/credential", me, **phone.fresh_key())["credential"]


def enter(day, me, inspector, place_id, outcome):
    """Scan the code on the venue's screen; whoever is refused is not noted."""
    before = len(day.ask("GET", "/me/health-code/visits", me)["items"])
    code = day.ask("GET", f"/places/{place_id}/code", inspector)["code"]
    (entry,) = day.ask("POST", f"/places/{place_id}/visits", me, place_code=code)["entries"]
    assert entry["outcome"] == outcome
    after = len(day.ask("GET", "/me/health-code/visits", me)["items"])
    assert after - before == (outcome == "admitted")


def paper_for_an_elder(day, me, number, inspector, place_id):
    """Record an elder without a phone at the counter; whoever cares fetches a code on paper."""
    _, clerks = service_hall(day, administrator(day))
    link = {
        "acting": shown(number),
        "represented": shown(people.document("19400101"), "欧阳大山"),
        "relation": "elder",
        "scopes": ["health_code"],
        "evidence_reference": "户口簿 2026-1",
    }
    states = [day.ask("POST", "/counter/links", clerk, **link)["status"] for clerk in clerks]
    assert states == ["pending", "active"]
    (elder,) = day.ask("GET", "/me/dependants", me)["items"]
    act = f"on_behalf_of={elder['person_id']}"
    day.ask("POST", f"{HEALTH}/declarations?{act}", me, **WELL)
    made = day.ask("POST", f"{HEALTH}/paper?{act}", me, expect=201)
    assert (made["reason"], made["colour"]) == ("elder", "green")
    code = day.ask("GET", f"{HEALTH}/paper/{made['id']}?{act}", me)["code"]
    seen = day.verified(inspector, code, place_id)
    assert (seen["outcome"], seen["source"]) == ("valid", "paper")


def at_a_gate_without_a_server(day, server, phone, credential, place_id):
    """Stop the server; a gate with two files goes on. Return what it keeps for later."""
    roots = day.http.get("/.well-known/credential-roots.json").text
    snapshot = eventually(lambda: answered(day.http.get(f"/api/v1{HEALTH}/snapshot")))
    files = {"roots": day.file("roots.json", roots), "snapshot": day.file("s.jwt", snapshot)}
    queue = day.folder / "scans.jsonl"
    gate = [f"--{name}={path}" for name, path in files.items()]
    gate += [f"--state={day.folder / 'gate.json'}", f"--queue={queue}", f"--place={place_id}"]
    server.stop()
    assert server.status("/readyz") == 0
    now = clock.now()
    # The second is what a photograph shows that was taken so long ago.
    seen = at_gate(gate, phone.show(credential, now), phone.show(credential, now - LATER))
    assert [verdict["outcome"] for verdict in seen] == ["valid", "stale_proof"]
    assert seen[0]["colour"] == "green"
    server.start()
    return queue


def at_gate(gate, *codes):
    """Hold codes in front of ``citizen-cloud verify``, which is told of no server or database."""
    done = subprocess.run(
        [sys.executable, "-m", "citizen_cloud.cli", "verify", "-", "--json", *gate],
        cwd=ROOT,
        input="".join(f"{code}\n" for code in codes),
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def answered(answer):
    return answer.text if answer.is_success else None


def uploaded(day, inspector, queue):
    """Send what the gate decided alone, twice: the same scans are the same answers."""
    scans = [json.loads(line) for line in queue.read_text().splitlines()]
    assert [scan["outcome"] for scan in scans] == ["valid", "stale_proof"]
    place = f"{HEALTH}/verifications/batch"
    first = day.ask("POST", place, inspector, scans=scans)
    assert ([one["outcome"] for one in first["items"]], first["conflicts"]) == (
        ["valid", "stale_proof"],
        0,
    )
    again = day.ask("POST", place, inspector, scans=scans)["items"]
    assert again == [{**one, "replayed": True} for one in first["items"]]


def turned_red(day, number):
    """Let a laboratory's registered system report a positive test, signed."""
    source = day.secrets_of("officer")["source"]
    who = (source["client_id"], source["client_secret"])
    form = {"grant_type": "client_credentials", "scope": "health_code.events.write"}
    token = day.http.post("/oauth2/token", data=form, auth=who).json()["access_token"]
    key = Ed25519PrivateKey.from_private_bytes(from_text(source["ed25519_seed"]))
    row = {
        **shown(number),
        "kind": "test_result",
        "detail": "positive",
        "occurred_at": (clock.now() - timedelta(minutes=5)).isoformat(),
        "evidence_class": "laboratory",
        "evidence_reference": "LAB-2026-0412",
    }
    batch_id = f"b-{secrets.token_hex(6)}"
    body = json.dumps({"batch_id": batch_id, "rows": [row]}).encode()
    signed = to_text(key.sign(signatures.message(batch_id, body, partial=False)))
    sent = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        signatures.HEADER: signed,
    }
    path = f"/api/v1{HEALTH}/events/batch"
    forged = {**sent, signatures.HEADER: to_text(bytes(64))}
    assert day.http.post(path, content=body, headers=forged).status_code == 403
    taken = day.http.post(path, content=body, headers=sent)
    assert taken.status_code == 200, taken.text


def stands_red(day, me):
    """Return the status once the report was applied: the source is answered before."""
    status = day.ask("GET", f"{HEALTH}/status", me)
    return status if status["colour"] == "red" else None


def granted(day, me):
    """Object; an officer opens the case, and two approvers of other authorities agree."""
    appeal = day.ask(
        "POST", f"{HEALTH}/appeals", me, expect=201, reason="not_me", text="我没有做过检测。"
    )
    officer = day.employed("officer")
    approvers = [day.employed(who) for who in ("approver", "other_approver")]
    case = f"{HEALTH}/staff/appeals/{appeal['id']}"
    wrong = [one["id"] for one in day.ask("GET", case, officer)["events"]]
    answer = {
        "verdict": "grant",
        "reason": "wrong_person",
        "evidence_reference": "复核 2026-0412",
        "event_ids": wrong,
    }
    proposed = day.ask("POST", f"{case}/decision", officer, **answer)
    assert proposed["status"] == "proposed"
    assert day.agreed(proposed["approval_id"], approvers) == ["open", "applied"]
    assert day.ask("GET", f"{HEALTH}/appeals/{appeal['id']}", me)["status"] == "granted"
    told = eventually(lambda: day.ask("GET", "/me/messages", me)["items"])
    assert told


def the_books_hold(day, settings):
    """Keep a published head; the chain of acts still leads to it."""
    keys = day.file("keys.json", day.http.get("/.well-known/credential-keys.json").text)
    heads = eventually(lambda: sealed(day))
    kept = day.file("heads.json", json.dumps(heads))
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "citizen_cloud.cli", "audit", "verify"),
            *(f"--heads={kept}", f"--keys={keys}"),
        ],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith(" 0 findings"), done.stdout


def sealed(day):
    """Return the published heads once something is sealed."""
    heads = day.ask("GET", "/open/audit/heads")
    return heads if heads["items"] else None
