"""One login for a city, lived through once over HTTP: hall, family, lost phone, partner, rights.

Everybody here speaks to a running server as they would: phones, clerks, an administrator, a
partner's site. What is read beside HTTP are the texts, and the secrets of the demo's administrator.
"""

import base64
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import people
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


def test_a_city_lives_with_one_login(city):
    server, _, var = city
    with httpx.Client(base_url=server.url, timeout=30) as http:
        live(Life(http, var))


def live(life):
    """Go through it in the order of a life."""
    admin = json.loads((life.var / "demo.json").read_text())["admin"]
    code = pyotp.TOTP(admin["totp_secret"]).now()
    grant = {"username": admin["username"], "password": admin["password"], "totp": code}
    boss = life.ask("POST", "/auth/token", grant_type="password", **grant)["access_token"]

    # A service hall, its manager and two clerks: all by invitation.
    hall = life.ask(
        "POST",
        "/admin/organisations",
        boss,
        expect=201,
        kind="authority",
        code="HALL-1",
        name={"zh": "中山区政务服务中心", "en": "Zhongshan service hall"},
        address="大连市中山区人民路2号",
        county="大连市",
        town="中山区",
    )["id"]
    manager = life.member(boss, hall, "manager")
    # Let in by different people: two accounts that one person opened are no two persons for a week.
    clerk, second = (life.member(by, hall, "staff") for by in (manager, boss))

    # A father, and his child who has no phone: recorded at the counter.
    phone, number, child = (
        people.new_phone(),
        people.document("19850101"),
        people.document("20190101"),
    )
    father = life.sign_in(phone)
    person = life.prove(father, number)
    link = {
        "acting": shown(number),
        "represented": shown(child, "王小宝"),
        "relation": "child",
        "scopes": ["masks"],
        "evidence_reference": "户口簿 2026-1",
    }
    assert life.ask("POST", "/counter/links", clerk, **link)["status"] == "pending"
    assert life.ask("POST", "/counter/links", second, **link)["status"] == "active"
    dependant = life.ask("GET", "/me/dependants", father)["items"][0]
    for_child = f"on_behalf_of={dependant['person_id']}"
    assert life.ask("GET", f"/me/bookings?{for_child}", father)["items"] == []
    stranger = life.sign_in(people.new_phone())
    life.prove(stranger, people.document("19700101"))
    refused = life.ask("GET", f"/me/bookings?{for_child}", stranger, expect=403)
    assert refused["code"] == "proxy_not_permitted"

    # He loses his phone. Two clerks bring the account to the new one; the old one is dead at once.
    phone = people.new_phone()
    sent = life.ask("POST", "/counter/codes", clerk, expect=202, phone=phone)
    proof = {"challenge_id": sent["challenge_id"], "code": life.text(phone)}
    case = life.ask(
        "POST",
        "/counter/cases",
        clerk,
        expect=201,
        kind="recovery",
        evidence_reference="身份证已核 2026-2",
        **proof,
        **shown(number),
    )
    verdict = {"approved": True, "reason": "证件与本人一致"}
    alone = life.ask("POST", f"/counter/cases/{case['id']}/decision", clerk, expect=403, **verdict)
    assert alone["code"] == "second_person_required"
    life.ask("POST", f"/counter/cases/{case['id']}/decision", second, **verdict)
    life.ask("GET", "/me", father, expect=401)
    people.let_minute_pass()
    father = life.sign_in(phone, before=1)
    assert life.ask("GET", "/me", father)["level"] == 1
    assert life.prove(father, number) == person
    assert life.ask("GET", "/me/dependants", father)["items"][0]["id"] == dependant["id"]

    # A partner's page signs him in; he sees that it looked, and takes the yes back.
    client = life.ask(
        "POST",
        "/admin/clients",
        boss,
        expect=201,
        type="web",
        organisation_id=hall,
        name={"zh": "预约网站", "en": "A booking site"},
        purpose={"zh": "登录并查看预约", "en": "To sign you in"},
        redirect_uris=["https://site.example/callback"],
        scopes=["openid", "profile"],
    )
    told = partner(life, client, father)
    assert told["name"] == NAME
    looks = life.ask("GET", "/me/data-access", father)["items"]
    assert {"oidc.userinfo", "counter.recovery"} <= {look["purpose"] for look in looks}
    assert life.ask("GET", "/me/partners", father)["items"]

    # His rights: a copy of everything; and a closure he thinks better of.
    export = life.ask("POST", "/me/export", father, expect=202)["id"]
    bundle = eventually(lambda: ready(life, father, export))
    assert "families" in json.dumps(bundle, ensure_ascii=False)
    assert number in json.dumps(bundle)
    life.ask("POST", "/me/closure", father, expect=202, reason="not_needed")
    life.ask("GET", "/me", father, expect=401)
    people.let_minute_pass()
    father = life.sign_in(phone, before=2)
    life.prove(father, number)
    assert life.ask("GET", "/me/closure", father)["closure"]["status"] == "cooling"
    life.ask("DELETE", "/me/closure", father, expect=204)


def partner(life, client, token):
    """Walk the code flow as a browser, the app and the site do; return what userinfo says."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": "https://site.example/callback",
        "scope": "openid profile",
        "state": "s1",
        "nonce": "n1",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    sent = life.http.get("/oauth2/authorize", params=asked)
    request_id = parse_qs(urlsplit(sent.headers["Location"]).query)["request"][0]
    screen = life.ask("GET", f"/oauth/requests/{request_id}", token)
    assert NAME not in json.dumps(screen, ensure_ascii=False), "only masked values on the screen"
    yes = life.ask(
        "POST",
        f"/oauth/requests/{request_id}/decision",
        token,
        granted=True,
        scopes=["openid", "profile"],
    )
    back = parse_qs(urlsplit(yes["redirect_to"]).query)
    tokens = life.http.post(
        "/oauth2/token",
        data={
            "grant_type": "authorization_code",
            "code": back["code"][0],
            "redirect_uri": asked["redirect_uri"],
            "code_verifier": verifier,
        },
        auth=(client["client_id"], client["client_secret"]),
    ).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert life.http.get("/api/v1/me", headers=bearer).status_code == 401
    return life.http.get("/oauth2/userinfo", headers=bearer).json()


def ready(life, token, export):
    state = life.ask("GET", "/me/exports", token)["items"][0]
    return life.ask("GET", f"/me/exports/{export}", token) if state["status"] == "ready" else None


def eventually(attempt):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if (found := attempt()) is not None:
            return found
        time.sleep(0.3)
    raise AssertionError("it never happened")
