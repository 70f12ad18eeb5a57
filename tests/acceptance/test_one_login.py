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
    boss = administrator(life)
    hall, clerks = service_hall(life, boss)
    phone, number = people.new_phone(), people.document("19850101")
    father = life.sign_in(phone)
    person = life.prove(father, number)
    dependant = family(life, clerks, father, number)

    phone = people.new_phone()
    lose_the_phone(life, clerks, father, phone, number)
    people.let_minute_pass()
    father = life.sign_in(phone, before=1)
    assert life.ask("GET", "/me", father)["level"] == 1
    assert life.prove(father, number) == person
    assert life.ask("GET", "/me/dependants", father)["items"][0]["id"] == dependant

    at_a_partner(life, boss, hall, father)
    copy_of_everything(life, father, number)

    # A closure that he thinks better of.
    life.ask("POST", "/me/closure", father, expect=202, reason="not_needed")
    life.ask("GET", "/me", father, expect=401)
    people.let_minute_pass()
    father = life.sign_in(phone, before=2)
    life.prove(father, number)
    assert life.ask("GET", "/me/closure", father)["closure"]["status"] == "cooling"
    life.ask("DELETE", "/me/closure", father, expect=204)


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


def family(life, clerks, father, number):
    """Record a father and his child, who has no phone, at the counter; return the link's id."""
    link = {
        "acting": shown(number),
        "represented": shown(people.document("20190101"), "王小宝"),
        "relation": "child",
        "scopes": ["masks"],
        "evidence_reference": "户口簿 2026-1",
    }
    states = [life.ask("POST", "/counter/links", clerk, **link)["status"] for clerk in clerks]
    assert states == ["pending", "active"]
    dependant = life.ask("GET", "/me/dependants", father)["items"][0]
    for_child = f"/me/bookings?on_behalf_of={dependant['person_id']}"
    assert life.ask("GET", for_child, father)["items"] == []
    stranger = life.sign_in(people.new_phone())
    life.prove(stranger, people.document("19700101"))
    refused = life.ask("GET", for_child, stranger, expect=403)
    assert refused["code"] == "proxy_not_permitted"
    return dependant["id"]


def lose_the_phone(life, clerks, father, phone, number):
    """Let two clerks bring the account to a new phone; what the old one holds is dead at once."""
    clerk, second = clerks
    sent = life.ask("POST", "/counter/codes", clerk, expect=202, phone=phone)
    wish = {
        "kind": "recovery",
        "evidence_reference": "身份证已核 2026-2",
        "challenge_id": sent["challenge_id"],
        "code": life.text(phone),
        **shown(number),
    }
    case = life.ask("POST", "/counter/cases", clerk, expect=201, **wish)
    decision = f"/counter/cases/{case['id']}/decision"
    verdict = {"approved": True, "reason": "证件与本人一致"}
    alone = life.ask("POST", decision, clerk, expect=403, **verdict)
    assert alone["code"] == "second_person_required"
    life.ask("POST", decision, second, **verdict)
    life.ask("GET", "/me", father, expect=401)


def at_a_partner(life, boss, hall, father):
    """Sign in at a partner's site; see that it looked; take the yes back."""
    site = {
        "type": "web",
        "organisation_id": hall,
        "name": {"zh": "预约网站", "en": "A booking site"},
        "purpose": {"zh": "登录并查看预约", "en": "To sign you in"},
        "redirect_uris": ["https://site.example/callback"],
        "scopes": ["openid", "profile"],
    }
    client = life.ask("POST", "/admin/clients", boss, expect=201, **site)
    bearer = partner(life, client, father)
    assert life.http.get("/oauth2/userinfo", headers=bearer).json()["name"] == NAME
    looks = life.ask("GET", "/me/data-access", father)["items"]
    assert {"oidc.userinfo", "counter.recovery"} <= {look["purpose"] for look in looks}
    life.ask("DELETE", f"/me/partners/{client['client_id']}", father, expect=204)
    assert life.http.get("/oauth2/userinfo", headers=bearer).status_code == 401


def copy_of_everything(life, father, number):
    export = life.ask("POST", "/me/export", father, expect=202)["id"]
    bundle = json.dumps(eventually(lambda: ready(life, father, export)))
    assert "families" in bundle
    assert number in bundle


def partner(life, client, token):
    """Walk the code flow as a browser, the app and the site do; return the site's header field."""
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
    return bearer


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
