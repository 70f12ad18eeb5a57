"""After the demo and a citizen's day nobody's phone, number or name lies anywhere in clear.

The one command people run first serves the city; the guided tour walks through it, then a citizen
whose every fact is a canary does what citizens do, mistakes included. Then the five places are
read. The same scan finds what is planted in each of them.
"""

import hashlib
import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import rmtree
from urllib.parse import quote

import canary_health
import people
import psycopg
import pytest
import scan
from live import ROOT
from redis import Redis

COMMAND = (sys.executable, "-P", "-m", "citizen_cloud.cli")
READY_S = 150
TEXT_S = 60
PLANT = """
from prometheus_client import Counter
Counter("planted", "A fault put in", ["said"]).labels(said={value!r}).inc()
"""


class City:
    """A running ``serve`` and every error it answered."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.var = folder / "var"
        self.said = folder / "said"
        self.errors = b""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CITIZEN_CLOUD")}
        self._environment = {**kept, "CITIZEN_CLOUD_VAR": str(self.var)}
        argv = (*COMMAND, "serve", "--port", str(self.port), "--var", str(self.var))
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                argv, stdout=said, stderr=said, cwd=folder, env=self._environment
            )

    def wait(self):
        deadline = time.monotonic() + READY_S
        while "Ctrl-C" not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)
        self.urls = json.loads((self.var / "environment.json").read_text())
        return self

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def command(self, *arguments):
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def call(self, method, path, body=None, token=None):
        """Return (status, answer); what is no success is kept."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        raw = answer.read()
        line.close()
        if answer.status >= 400:
            self.errors += raw + repr(answer.getheaders()).encode()
        return answer.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw

    def raw(self, path, body, headers):
        """Return (status, answer) to a POST whose bytes matter; what is no success is kept."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        raw = answer.read()
        line.close()
        if answer.status >= 400:
            self.errors += raw + repr(answer.getheaders()).encode()
        return answer.status, json.loads(raw)

    def text(self, phone, nth):
        """Return the code in the nth text to a phone."""
        deadline = time.monotonic() + TEXT_S
        log = self.var / "sms.log"
        while time.monotonic() < deadline:
            lines = log.read_text("utf-8").splitlines() if log.exists() else []
            texts = [json.loads(line)["text"] for line in lines if phone in line]
            if len(texts) >= nth:
                return re.search("[0-9]{6}", texts[nth - 1])[0]
            time.sleep(0.1)
        raise AssertionError("no text arrived")

    def places(self):
        """Read the five places as their owner would lose them."""
        logs = scan.files(self.var / "log") | {"said": self.said.read_bytes()}
        _, metrics = self.call("GET", "/metrics")
        return {
            "database": scan.dump(self.urls["DATABASE_OWNER_URL"]),
            "redis": scan.redis_content(self.urls["REDIS_URL"]),
            "logs": b"\n".join(logs.values()),
            "metrics": metrics,
            "errors": self.errors,
        }


@pytest.fixture
def city():
    folder = Path(tempfile.mkdtemp(prefix="citizen-cloud-canaries-", dir="/tmp"))
    folder.chmod(0o711)
    running = City(folder)
    try:
        yield running.wait()
    finally:
        running.stop()
        rmtree(folder)


def a_day_in_the_life_of(city, canaries):
    """Sign in, prove a name, book, fall ill, and make every mistake that takes a fact along.

    Return the one-time code, and the health codes that were shown.
    """
    phone, number = canaries["phone"], canaries["document"]
    proof = {"document_type": "resident_id", "document_number": number, "name": canaries["name"]}
    api = "/api/v1"
    sent = city.call("POST", f"{api}/auth/otp", {"phone": f"+86{phone}"})[1]
    assert city.call("POST", f"{api}/auth/otp", {"phone": f"+86{phone}"})[0] == 429
    code = city.text(phone, 1)
    grant = {"grant_type": "otp", "challenge_id": sent["challenge_id"], "code": code}
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert city.call("POST", f"{api}/auth/token", {**grant, "code": wrong})[0] == 401
    status, tokens = city.call(
        "POST", f"{api}/auth/token", {**grant, "device": {"name": canaries["device"]}}
    )
    assert status == 200, tokens
    token = tokens["access_token"]
    assert city.call("POST", f"{api}/me/real-name", proof, token)[0] == 403
    consent = {"purpose": "real_name", "version": 1}
    assert city.call("POST", f"{api}/me/consents", consent, token)[0] == 200
    mistakes(city, canaries, proof, token)
    assert city.call("POST", f"{api}/me/real-name", proof, token)[0] == 200
    other = {**proof, "name": canaries["name"][::-1]}
    assert city.call("POST", f"{api}/me/real-name", other, token)[0] in (409, 422)
    assert city.call("GET", f"{api}/me", token=token)[0] == 200
    book(city, token)
    rights(city, canaries, token)
    return code, canary_health.Day(city, canaries, token).live()


def rights(city, canaries, token):
    """Ask to act for a relative, for another name, and for a copy of everything."""
    api = "/api/v1"
    relative = {
        "document_type": "resident_id",
        "document_number": canaries["relative's document"],
        "name": canaries["relative"],
        "relation": "elder",
        "scopes": ["masks"],
    }
    assert city.call("POST", f"{api}/me/dependants", relative, token)[0] == 202
    wish = {"name": canaries["new name"], "evidence_reference": canaries["evidence"]}
    assert city.call("POST", f"{api}/me/name-corrections", wish, token)[0] == 202
    assert city.call("POST", f"{api}/me/export", token=token)[0] == 202
    deadline = time.monotonic() + TEXT_S
    while time.monotonic() < deadline:
        made = city.call("GET", f"{api}/me/exports", token=token)[1]["items"][0]
        if made["status"] == "ready":
            break
        time.sleep(0.2)
    status, bundle = city.call("GET", f"{api}/me/exports/{made['id']}", token=token)
    assert (status, canaries["document"] in json.dumps(bundle)) == (200, True)


def mistakes(city, canaries, proof, token):
    """Send personal facts where they do not belong; every answer is an error."""
    api = "/api/v1"
    name, number, phone = canaries["name"], canaries["document"], canaries["phone"]
    for method, path, body in (
        ("POST", "/auth/otp", {"phone": f"{phone}9"}),
        ("POST", "/auth/otp", {"phone": f"+86{phone}", "name": name}),
        ("POST", "/auth/token", {"grant_type": phone, "code": number}),
        ("POST", "/auth/token", {"grant_type": "password", "username": phone, "password": name}),
        ("POST", "/me/real-name", {**proof, "document_number": f"{number}7"}),
        ("POST", "/me/real-name", {**proof, "document_type": name}),
        ("POST", "/me/real-name", {**proof, "name": f"{name}\u202e"}),
        ("POST", "/me/consents", {"purpose": name, "version": number}),
        ("GET", f"/me/messages?cursor={quote(name)}", None),
        ("GET", f"/me/bookings?status={number}", None),
    ):
        assert city.call(method, api + path, body, token)[0] >= 400, path


def book(city, token):
    api = "/api/v1"
    campaigns = city.call("GET", f"{api}/masks/campaigns")[1]["items"]
    for campaign in campaigns:
        offers = city.call("GET", f"{api}/masks/campaigns/{campaign['id']}/offers")[1]["items"]
        for offer in offers:
            path = f"{api}/masks/offers/{offer['id']}/bookings"
            status, booked = city.call("POST", path, {"quantity": 1}, token)
            if status == 201:
                assert (
                    city.call("GET", f"{api}/bookings/{booked['id']}/code", token=token)[0] == 200
                )
                return
    raise AssertionError("nothing could be booked")


def plant(city, place, canaries):
    """Put a canary into a place, each in another form."""
    if place == "database":
        with psycopg.connect(city.urls["DATABASE_OWNER_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE web.planted (said bytea)")
            connection.execute(
                "INSERT INTO web.planted VALUES (%s)", [canaries["document"].encode()]
            )
    elif place == "redis":
        with Redis.from_url(city.urls["REDIS_URL"]) as client:
            client.hset("planted", "said", canaries["phone"])
    elif place == "logs":
        with (city.var / "log" / "jobs.log").open("ab") as log:
            log.write(b"..." + canaries["name"].encode("utf-16-le") + b"...\n")
    elif place == "metrics":
        subprocess.run(
            [sys.executable, "-c", PLANT.format(value=canaries["name"])],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(city.var / "metrics")},
            check=True,
            timeout=60,
        )
    else:
        # A path is the caller's own, and an error says which path was asked for.
        city.call("GET", f"/api/v1/nowhere/{canaries['phone']}")


def seldom():
    """Return two characters that stand beside each other nowhere else."""
    return "".join(chr(0x4E00 + secrets.randbelow(0x2000)) for _ in range(2))


@pytest.mark.timeout(600)
def test_no_canary_lies_anywhere_and_a_planted_one_is_found(city, record_property):
    tour = city.command("demo", "--var", str(city.var), "--url", f"http://127.0.0.1:{city.port}")
    assert tour.returncode == 0, tour.stdout + tour.stderr
    canaries = {
        "phone": people.new_phone().removeprefix("+86"),
        # Old enough for a code on paper.
        "document": people.document("19610613"),
        "name": f"欧阳{seldom()}",
        "device": f"手机{seldom()}",
        "relative": f"司马{seldom()}",
        "relative's document": people.document("19380613"),
        "new name": f"上官{seldom()}",
        "evidence": f"公证{seldom()}",
        **canary_health.canaries(seldom),
    }
    code, shown = a_day_in_the_life_of(city, canaries)
    canaries |= shown
    places = city.places()
    assert all(places.values()), {place: len(content) for place, content in places.items()}
    assert scan.tables(canaries, places["database"]) == []
    assert scan.find(canaries, places) == []
    assert scan.find_codes([code], places) == []
    unkeyed = {algorithm: hashlib.new(algorithm, code.encode()) for algorithm in ("md5", "sha256")}
    for algorithm, digest in unkeyed.items():
        assert digest.hexdigest().encode() not in places["database"], algorithm
    record_property("trials", sum(len(scan.forms(value)) for value in canaries.values()) * 5)
    record_property(
        "facts", ", ".join(f"{place} {len(content):,} bytes" for place, content in places.items())
    )
    for place in places:
        plant(city, place, canaries)
        assert {found for found, _, _ in scan.find(canaries, city.places())} >= {place}


@pytest.mark.parametrize("value", ["13812345678", "11010519491231002X", "欧阳娜娜"])
def test_every_form_of_a_canary_is_found_wherever_it_begins(value):
    for form, looks in scan.forms(value).items():
        content = {"place": secrets.token_bytes(50) + looks + secrets.token_bytes(50)}
        assert ("place", "canary", form) in scan.find({"canary": value}, content)
    assert scan.find({"canary": value}, {"place": secrets.token_bytes(5_000)}) == []


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "名"])
def test_base64_is_found_whatever_stands_around_it(before):
    import base64

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        content = {"place": encode(f"{before}13812345678{before}".encode())}
        assert scan.find({"canary": "13812345678"}, content)


def test_a_code_is_found_by_itself_and_not_within_a_number():
    found = scan.find_codes(["271828"], {"log": b'{"code": "271828"}'})
    assert found == [("log", "271828")]
    assert scan.find_codes(["271828"], {"log": b"3.271828 12:00:00.271828 0x271828 a271828"}) == []
