"""One login for a city, lived through once over HTTP: hall, family, lost phone, partner, rights.

Everybody here speaks to a running server as they would: phones, clerks, an administrator, a
partner's site. What is read beside HTTP are the texts, and the secrets of the demo's administrator.
"""

import base64
import hashlib
import json
import secrets
from urllib.parse import parse_qs, urlsplit

import httpx
import people
from city_life import NAME, Life, administrator, eventually, service_hall, shown


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
