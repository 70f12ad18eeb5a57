"""The city as those in it reach it over HTTP: phones, clerks, an administrator, their offices."""

import json
import re
import secrets
import time
from dataclasses import dataclass

import httpx
import pyotp

PASSWORD = "四月的风 吹过海边 42"  # noqa: S105 - of made-up staff
NAME = "王小明"
WAIT_S = 30


@dataclass
class Life:
    """The city as everybody in it reaches it."""

    http: httpx.Client
    var: object

    def ask(self, method, path, token=None, *, expect=200, **body):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(8)
        sent = {"json": body} if body else {}
        answer = self.http.request(method, f"/api/v1{path}", headers=headers, **sent)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def text(self, phone, before=0):
        """Return the code in the next text to a phone, once there are more than ``before``."""
        deadline = time.monotonic() + WAIT_S
        log = self.var / "sms.log"
        while time.monotonic() < deadline:
            lines = log.read_text("utf-8").splitlines() if log.exists() else []
            texts = [json.loads(line)["text"] for line in lines if phone in line]
            codes = [found[0] for text in texts if (found := re.search(r"\b[0-9]{6}\b", text))]
            if len(codes) > before:
                return codes[-1]
            time.sleep(0.1)
        raise AssertionError("no text arrived")

    def sign_in(self, phone, before=0):
        sent = self.ask("POST", "/auth/otp", expect=202, phone=phone)
        return self.ask(
            "POST",
            "/auth/token",
            grant_type="otp",
            challenge_id=sent["challenge_id"],
            code=self.text(phone, before),
            device={"name": "手机"},
        )["access_token"]

    def prove(self, token, number, name=NAME):
        self.ask("POST", "/me/consents", token, purpose="real_name", version=1, granted=True)
        return self.ask("POST", "/me/real-name", token, **shown(number, name))["person_id"]

    def member(self, by, organisation_id, role):
        """Invite somebody, who opens the account and signs in with a second factor."""
        place = f"/admin/organisations/{organisation_id}/invitations"
        invited = self.ask("POST", place, by, expect=201, role=role)
        username = f"u{secrets.token_hex(6)}"
        accepted = {"code": invited["code"], "username": username, "password": PASSWORD}
        answer = self.http.post("/api/v1/auth/invitations/accept", json=accepted)
        assert answer.is_success, answer.text
        grant = {"grant_type": "password", "username": username, "password": PASSWORD}
        asked = self.ask("POST", "/auth/token", expect=401, **grant)
        assert asked["code"] == "totp_enrolment_required"
        code = pyotp.TOTP(asked["secret"]).now()
        return self.ask("POST", "/auth/token", **grant, totp=code)["access_token"]


def shown(number, name=NAME):
    return {"document_type": "resident_id", "document_number": number, "name": name}


def administrator(life):
    admin = json.loads((life.var / "demo.json").read_text())["admin"]
    code = pyotp.TOTP(admin["totp_secret"]).now()
    grant = {"username": admin["username"], "password": admin["password"], "totp": code}
    return life.ask("POST", "/auth/token", grant_type="password", **grant)["access_token"]


def service_hall(life, boss):
    """Open a hall; its manager and two clerks come by invitation."""
    place = {
        "kind": "authority",
        "code": "HALL-1",
        "name": {"zh": "中山区政务服务中心", "en": "Zhongshan service hall"},
        "address": "大连市中山区人民路2号",
        "county": "大连市",
        "town": "中山区",
    }
    hall = life.ask("POST", "/admin/organisations", boss, expect=201, **place)["id"]
    manager = life.member(boss, hall, "manager")
    # Let in by different people: two accounts that one person opened are no two persons for a week.
    return hall, [life.member(by, hall, "staff") for by in (manager, boss)]


def eventually(attempt):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if (found := attempt()) is not None:
            return found
        time.sleep(0.3)
    raise AssertionError("it never happened")
