"""Providers on the loopback, and people who sign in through them."""

import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import httpx
import people
import pytest
import stubs
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.federation import providers
from citizen_cloud.federation.providers.alipay import Alipay
from citizen_cloud.federation.providers.upstream import Upstream
from citizen_cloud.federation.providers.wechat import WeChatMiniProgram
from citizen_cloud.federation.providers.wire import Wire
from citizen_cloud.jobs.services import secret_place


@pytest.fixture
def wechat():
    with stubs.running(stubs.WeChat()) as stub:
        yield stub


@pytest.fixture
def alipay():
    with stubs.running(stubs.Alipay()) as stub:
        yield stub


@pytest.fixture
def openid():
    with stubs.running(stubs.OpenId()) as stub:
        yield stub


@pytest.fixture
def wechat_port(wechat):
    return WeChatMiniProgram(
        appid=wechat.appid,
        secret=wechat.secret,
        url=wechat.url + "/sns/jscode2session",
    )


@pytest.fixture
def hasty_port(wechat):
    """WeChat with no more patience than a test has."""
    return WeChatMiniProgram(
        appid=wechat.appid,
        secret=wechat.secret,
        url=wechat.url + "/sns/jscode2session",
        wire=Wire("wechat", timeout=httpx.Timeout(0.4), deadline_s=0.5),
    )


@pytest.fixture
def alipay_port(alipay):
    return Alipay(
        app_id=alipay.app_id,
        private_key=alipay.app_private_line,
        public_key=alipay.public_line,
        url=alipay.url + "/gateway.do",
    )


@pytest.fixture
def ticking():
    """A monotonic clock that a test moves."""
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def openid_port(openid, ticking):
    return Upstream(stubs.upstream_settings(openid), monotonic=lambda: ticking.now)


@pytest.fixture
def offered(settings, wechat, alipay, openid):
    """Configure all three as an operator does, and take them away again."""
    federation = replace(
        stubs.upstream_settings(openid),
        wechat_appid=wechat.appid,
        wechat_secret=wechat.secret,
        wechat_url=wechat.url + "/sns/jscode2session",
        alipay_app_id=alipay.app_id,
        alipay_private_key=alipay.app_private_line,
        alipay_public_key=alipay.public_line,
        alipay_url=alipay.url + "/gateway.do",
    )
    before = providers.offered()
    providers.install(providers.from_settings(replace(settings, federation=federation)))
    yield SimpleNamespace(wechat=wechat, alipay=alipay, openid=openid)
    providers.install(before)


class World:
    """People and what they ask for, over HTTP."""

    def __init__(self, client, offered):
        self.client = client
        self.stubs = offered
        # Each test comes from another address, so that they do not use up each other's limits.
        client.environ_base["REMOTE_ADDR"] = "10." + ".".join(
            str(secrets.randbelow(256)) for _ in range(3)
        )

    def ask(self, method, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open("/api/v1" + path, method=method, json=body, headers=headers)

    def by_code(self, phone=None):
        """Sign in by a code; return the tokens."""
        phone = phone or people.new_phone()
        with db.transaction() as session:
            session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        challenge = self.ask("POST", "/auth/otp", {"phone": phone}).json["challenge_id"]
        grant = {"grant_type": "otp", "challenge_id": challenge, "code": sent_code(challenge)}
        answer = self.ask("POST", "/auth/token", grant)
        assert answer.status_code == 200, answer.json
        return answer.json

    def prove(self, tokens, number=None, name="王小明"):
        """Do the real-name step; return the document's number."""
        number = number or people.document()
        token = tokens["access_token"]
        self.ask("POST", "/me/consents", {"purpose": "real_name", "version": 1}, token)
        body = {"document_type": "resident_id", "document_number": number, "name": name}
        answer = self.ask("POST", "/me/real-name", body, token)
        assert answer.status_code == 200, answer.json
        return number

    def through(self, provider, user, device=None, **claims):
        """Sign in through a provider as a user of it; return the answer."""
        body = {"provider": provider, **({"device": device} if device else {})}
        if provider == "oidc":
            started = self.ask("POST", "/auth/federated/start", {"provider": "oidc"}).json
            code, state = self.stubs.openid.authorize(started["authorize_url"], user, **claims)
            body |= {"code": code, "state": state}
        else:
            body["code"] = getattr(self.stubs, provider).code_for(user)
        return self.ask("POST", "/auth/federated/token", body)

    def ticket(self, provider, user, **more):
        answer = self.through(provider, user, **more)
        assert (answer.status_code, answer.json["code"]) == (409, "link_required"), answer.json
        return answer.json["link_ticket"]

    def link(self, token, ticket):
        return self.ask("POST", "/me/federated-identities", {"link_ticket": ticket}, token)

    def linked(self, provider, user, someone=None, **claims):
        """Return a citizen of level 2 with an identity, and the identity's id."""
        someone = someone or people.citizen()
        answer = self.link(someone.token, self.ticket(provider, user, **claims))
        assert answer.status_code == 201, answer.json
        return someone, answer.json["id"]

    def me(self, token):
        return self.ask("GET", "/me", token=token)


def sent_code(challenge_id):
    """Open the code that left for the phone."""
    with db.transaction() as session:
        row = session.execute(
            text("SELECT id, secret FROM jobs.outbox WHERE payload ->> 'challenge_id' = :id"),
            {"id": str(challenge_id)},
        ).one()
        return json.loads(crypto.current().open(row.secret, place=secret_place(row.id)))["code"]


@pytest.fixture
def world(client, offered):
    return World(client, offered)


@pytest.fixture
def rows(database):
    """Read rows of the test's database."""

    def read(sql, **asked):
        return [dict(row) for row in database.connection.execute(text(sql), asked).mappings()]

    return read


@pytest.fixture
def race():
    """Run many callables, begun together; return results, exceptions among them."""

    def run(works):
        barrier = threading.Barrier(len(works))

        def one(work):
            barrier.wait()
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - the test judges it
                return error

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(one, works))

    return run
