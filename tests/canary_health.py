"""A citizen's day with the health code against a running city, every fact a canary.

What the citizen says, what a laboratory reports and officials decide goes in through the doors,
together with every mistake that takes such a fact along. Nothing is looked for here.
"""

import base64
import json
import secrets
import time
from datetime import timedelta

import phone
import pyotp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from citizen_cloud import clock
from citizen_cloud.modules.health_code.rules import signatures

API = "/api/v1/health-code"
# The laboratory of the demo may report so many an hour; what is above waits, sealed.
CAP = 100


def canaries(seldom):
    """Return what will be said about a citizen's health, each word made for one run."""
    return {
        "note": f"咽痛三日{seldom()}",
        "train": f"G{secrets.randbelow(10**9):09d}",
        "appeal": f"申诉说明{seldom()}",
        "correction": f"更正说明{seldom()}",
        "test": f"LAB-{secrets.token_hex(6)}",
        "test that waits": f"LAB-{secrets.token_hex(6)}",
        "case": f"流调卷宗{seldom()}",
        "approver's note": f"审批意见{seldom()}",
    }


class Day:
    """One citizen, a laboratory and officials of the demo."""

    def __init__(self, city, words, token):
        self.city, self.words, self.token = city, words, token
        self.people = json.loads((city.var / "demo.json").read_text("utf-8"))

    def live(self):
        """Live through it; return the codes that were shown."""
        consent = {"purpose": "health_code", "version": 1}
        self.send("POST", "/declarations", self.declaration(), wanted=403)
        assert self.city.call("POST", "/api/v1/me/consents", consent, self.token)[0] == 200
        self.send("POST", "/declarations", self.declaration())
        self.send("POST", "/trips", self.trip())
        shown = self.shown()
        self.enter()
        self.mistakes()
        text = {"text": self.words["appeal"]}
        appeal = self.send("POST", "/appeals", {"reason": "other", **text}, wanted=201)
        text = {"text": self.words["correction"]}
        self.send("POST", "/corrections", {"wrong": "other", **text}, wanted=201)
        self.tested()
        for path in ("/status", "/history", "/appeals", f"/appeals/{appeal['id']}"):
            self.send("GET", path)
        self.ruled(shown, appeal)
        return shown

    def send(self, method, path, body=None, *, token=None, wanted=200):
        path = path if path.startswith("/api") else API + path
        status, answer = self.city.call(method, path, body, token or self.token)
        assert status == wanted, (method, path, status, answer)
        return answer

    def declaration(self):
        said = {"temperature_c": 38.4, "symptoms": ["cough"], "contact_with_case": False}
        return {**said, "note": self.words["note"]}

    def trip(self):
        day = str(clock.local(clock.now()).date())
        return {
            "from_area": "210200",
            "to_area": "210100",
            "departed_on": day,
            "arrived_on": day,
            "transport": "train",
            "number": self.words["train"],
        }

    def shown(self):
        """Show the code in every way there is; return the texts by the way."""
        thin = self.send("GET", "/code")["code"]
        device = phone.Phone()
        drawn = self.send("POST", "/devices/challenge")
        proof = {"public_key": device.public_key, "challenge_id": drawn["challenge_id"]}
        proof["proof"] = device.registering(drawn["challenge"])
        self.send("POST", "/devices", proof, wanted=201)
        given = self.send("POST", "/credential", device.fresh_key())["credential"]
        share = self.send("POST", "/share", wanted=201)
        self.send("GET", f"/share/{share['id']}")
        self.send("POST", "/paper", wanted=201)
        return {
            "credential": given.rpartition(".")[2],
            "thin code": thin,
            "shared code": share["token"],
        }

    def enter(self):
        inspector = self.people["inspector"]
        place = f"/api/v1/places/{inspector['place_id']}"
        self.inspector = self.signed_in("inspector")
        code = self.send("GET", f"{place}/code", token=self.inspector)["code"]
        self.send("POST", f"{place}/visits", {"place_code": code})

    def mistakes(self):
        """Send health facts where they do not belong; every answer is an error."""
        words, said, trip = self.words, self.declaration(), self.trip()
        note, train = words["note"], words["train"]
        for method, path, body in (
            ("POST", "/declarations", {**said, "symptoms": [note]}),
            ("POST", "/declarations", {**said, "temperature_c": note}),
            ("POST", "/declarations", {**said, "more": note}),
            ("POST", "/declarations", {**said, "note": f"{note}\u202e"}),
            ("POST", "/trips", {**trip, "transport": train}),
            ("POST", "/trips", {**trip, "from_area": train}),
            ("POST", "/trips", {**trip, "arrived_on": train}),
            ("POST", "/trips", {**trip, "number": train * 9}),
            ("POST", "/appeals", {"reason": words["appeal"], "text": words["appeal"]}),
            ("POST", "/appeals", {"reason": "other", "text": words["appeal"] * 500}),
            ("POST", "/corrections", {"wrong": "other", "event_id": words["correction"]}),
            ("POST", "/verifications", {"code": note, "scan_id": note}),
            ("POST", "/events/batch", {"batch_id": train, "rows": [self.test("")]}),
        ):
            status, _ = self.city.call(method, API + path, body, self.token)
            assert status >= 400, (path, body)

    def test(self, reference, **more):
        return {
            "document_type": "resident_id",
            "document_number": self.words["document"],
            "name": self.words["name"],
            "kind": "test_result",
            "detail": "negative",
            "occurred_at": (clock.now() - timedelta(minutes=5)).isoformat(),
            "evidence_class": "laboratory",
            "evidence_reference": reference,
            **more,
        }

    def tested(self):
        """Let the laboratory report, wrongly in every field, and more than it may."""
        reference, waits = self.words["test"], self.words["test that waits"]
        wrong = {
            name: self.test(reference, **{name: self.words["note"][:16]})
            for name in ("document_number", "name", "detail", "occurred_at")
        }
        self.report("right", [self.test(reference)])
        self.report("wrong", list(wrong.values()), wanted=422)
        self.report("kind", [self.test(reference, kind=reference)], wanted=422)
        self.report("signature", [self.test(reference)], forged=True, wanted=403)
        many = [self.test(f"{waits}-{n}") for n in range(CAP + 1)]
        self.report("many", many, wanted=202)
        head = ",".join(self.test(reference))
        self.report_file("header", f"{head},{self.words['name']}\n{self.words['note']}\n")
        self.report_file("line", f"{head}\n{self.words['name']},{self.words['document']}\n")

    def report(self, name, rows, *, forged=False, wanted=200):
        reference = f"{name}-{secrets.token_hex(4)}"
        body = json.dumps({"batch_id": reference, "rows": rows}).encode()
        signed = self.signature(b"" if forged else body, reference)
        status, answer = self.city.raw(
            f"{API}/events/batch",
            body,
            {**self.system(), signatures.HEADER: signed, "Content-Type": "application/json"},
        )
        assert status == wanted, (name, status, answer)

    def report_file(self, name, content):
        reference, edge = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8)
        part = f'--{edge}\r\nContent-Disposition: form-data; name="'
        body = (
            f'{part}batch_id"\r\n\r\n{reference}\r\n{part}file"; filename="facts.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{content}\r\n--{edge}--\r\n"
        ).encode()
        signed = self.signature(content.encode(), reference)
        kind = f"multipart/form-data; boundary={edge}"
        headers = {**self.system(), signatures.HEADER: signed, "Content-Type": kind}
        status, answer = self.city.raw(f"{API}/events/files", body, headers)
        assert status == 422, (name, status, answer)

    def signature(self, content, reference):
        seed = self.people["officer"]["source"]["ed25519_seed"]
        key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(f"{seed}="))
        made = key.sign(signatures.message(reference, content, partial=False))
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def system(self):
        known = self.people["officer"]["source"]
        pair = f"{known['client_id']}:{known['client_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        status, answer = self.city.raw("/oauth2/token", b"grant_type=client_credentials", headers)
        assert status == 200, answer
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def ruled(self, shown, appeal):
        """Let officials look, propose a colour by hand with its case, and decide."""
        scan = {"scan_id": secrets.token_hex(8), "code": shown["thin code"]}
        self.send("POST", "/verifications", scan, token=self.inspector)
        officer = self.signed_in("officer")
        self.city.call("GET", f"{API}/staff/appeals/{appeal['id']}", token=officer)
        person = {
            name: self.test("")[name] for name in ("document_type", "document_number", "name")
        }
        payload = {"persons": [person], "colour": "yellow", "days": 7}
        wish = {"kind": "health_code.assign_colour", "reason": "close_contact", "payload": payload}
        wish["evidence_reference"] = self.words["case"]
        approvals = "/api/v1/approvals"
        for wrong in (
            {"reason": self.words["case"]},
            {"payload": {"persons": [self.words["name"]]}},
        ):
            assert self.city.call("POST", approvals, {**wish, **wrong}, officer)[0] >= 400
        made = self.send("POST", approvals, wish, token=officer, wanted=201)
        approver = self.signed_in("approver")
        path = f"{approvals}/{made['id']}"
        digest = self.send("GET", path, token=approver)["digest"]
        word = {"verdict": "approve", "digest": digest, "note": self.words["approver's note"]}
        self.send("POST", f"{path}/decisions", word, token=approver)

    def signed_in(self, who):
        """Return a token of somebody the tour signed in before: a one-time code works once."""
        known = self.people[who]
        sent = {"grant_type": "password", **{n: known[n] for n in ("username", "password")}}
        for _ in range(2):
            sent["totp"] = pyotp.TOTP(known["totp_secret"]).now()
            status, answer = self.city.call("POST", "/api/v1/auth/token", sent)
            if status == 200:
                return answer["access_token"]
            time.sleep(30 - time.time() % 30 + 0.5)
        raise AssertionError(answer)
