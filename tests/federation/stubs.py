"""WeChat, Alipay and an OpenID provider on this machine, in their real wire formats and moods.

Each is a real HTTP server on the loopback. ``instead`` takes over: a callable gets the connection
and misbehaves.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm

from citizen_cloud.config import FederationSettings


@lru_cache
def key(name):
    """Return an RSA key, the same for a name throughout a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Stub(ThreadingHTTPServer):
    """A server that remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        self.asked = []
        self.instead = None
        super().__init__(("127.0.0.1", 0), _Door)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def reply(self, method, path, query, form, headers):
        """Return (status, media type, content)."""
        raise NotImplementedError

    def handle_error(self, request, client_address):
        """Keep the test's output clean: callers hang up on purpose."""


class _Door(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(dict(parse_qsl(body, keep_blank_values=True)))

    def _answer(self, form):
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.server.asked.append((self.command, parts.path, query, form, dict(self.headers)))
        if self.server.instead is not None:
            self.server.instead(self)
            return
        status, media_type, content = self.server.reply(
            self.command, parts.path, query, form, self.headers
        )
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Keep the test's output clean."""


@contextmanager
def running(stub):
    """Serve in a thread for a block."""
    thread = threading.Thread(target=stub.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        thread.join()
        stub.server_close()


class WeChat(Stub):
    """``jscode2session``: JSON as text/plain, errors with status 200."""

    appid, secret = "wx0123456789abcdef", "5ecret-of-the-mini-program"
    session_key = "HyVFkGl5F5OQWJZZaNzBBg=="

    def __init__(self):
        super().__init__()
        self.codes = {}
        self.used = set()
        self.error = None

    def code_for(self, openid):
        code = "0" + secrets.token_hex(15)
        self.codes[code] = openid
        return code

    def reply(self, method, path, query, form, headers):
        said = self._said(query)
        return 200, "text/plain", json.dumps(said, separators=(",", ":")).encode()

    def _said(self, query):
        code = query.get("js_code")
        if self.error is not None:
            return {"errcode": self.error, "errmsg": "as told, rid: 6530-1"}
        if query.get("appid") != self.appid:
            return {"errcode": 40013, "errmsg": "invalid appid, rid: 6530-2"}
        if query.get("secret") != self.secret:
            return {"errcode": 40125, "errmsg": "invalid appsecret, rid: 6530-3"}
        if query.get("grant_type") != "authorization_code" or code not in self.codes:
            return {"errcode": 40029, "errmsg": "invalid code, rid: 6530-4"}
        if code in self.used:
            return {"errcode": 40163, "errmsg": "code been used, rid: 6530-5"}
        self.used.add(code)
        return {"session_key": self.session_key, "openid": self.codes[code], "unionid": "o6_u"}


TOKEN_RESPONSE = "alipay_system_oauth_token_response"  # noqa: S105 - a member's name


class Alipay(Stub):
    """The open platform's gateway: form in, signed JSON out under text/html."""

    app_id = "2021001122334455"

    def __init__(self):
        super().__init__()
        self.codes = {}
        self.error = None
        self.id_name = "open_id"
        key("alipay")
        # What becomes of an answer between the signing and the wire.
        self.mood = lambda raw, sign: f'{{"{TOKEN_RESPONSE}":{raw},"sign":"{sign}"}}'

    @property
    def public_line(self):
        """Return Alipay's public key as its console shows it: one line of base64."""
        return _der_line(key("alipay").public_key())

    @property
    def app_private_line(self):
        raw = key("alipay-app").private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return base64.b64encode(raw).decode()

    def code_for(self, user):
        code = secrets.token_hex(16)
        self.codes[code] = user
        return code

    def reply(self, method, path, query, form, headers):
        return 200, "text/html;charset=utf-8", self._said(form).encode()

    def _said(self, form):
        if self.error is not None:
            return self.refusal("20000", self.error)
        if form.get("app_id") != self.app_id or form.get("method") != "alipay.system.oauth.token":
            return self.refusal("40002", "isv.invalid-app-id")
        if not self._is_signed(form):
            return self.refusal("40002", "isv.invalid-signature")
        user = self.codes.pop(form.get("code"), None)
        if user is None or form.get("grant_type") != "authorization_code":
            return self.refusal("40002", "isv.code-invalid")
        raw = self.raw(user)
        return self.mood(raw, self.sign(raw))

    def raw(self, user):
        """Write a response object as the gateway does: with escaped slashes and blanks of its own."""
        return (
            f'{{"access_token":"auth\\/bse{secrets.token_hex(8)}", "auth_start":"2026-11-26 09:00:00",'
            f'"expires_in":31536000,"{self.id_name}":"{user}","re_expires_in":31536000}}'
        )

    def sign(self, raw, name="alipay"):
        signature = key(name).sign(raw.encode(), padding.PKCS1v15(), hashes.SHA256())
        # The gateway's JSON escapes the slashes of base64, too.
        return base64.b64encode(signature).decode().replace("/", "\\/")

    def refusal(self, code, sub_code):
        raw = json.dumps(
            {"code": code, "msg": "Refused", "sub_code": sub_code, "sub_msg": "授权码"}
        )
        return f'{{"error_response":{raw},"sign":"{self.sign(raw)}"}}'

    def _is_signed(self, form):
        rest = {k: v for k, v in form.items() if k != "sign" and v}
        content = "&".join(f"{k}={rest[k]}" for k in sorted(rest)).encode()
        is_complete = rest.keys() >= {"charset", "timestamp", "version"}
        if not is_complete or rest.get("sign_type") != "RSA2":
            return False
        time.strptime(rest["timestamp"], "%Y-%m-%d %H:%M:%S")
        try:
            key("alipay-app").public_key().verify(
                base64.b64decode(form["sign"]), content, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True


def _der_line(public):
    raw = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()


class OpenId(Stub):
    """An OpenID provider: discovery, authorize, token with PKCE, keys that rotate, userinfo."""

    client_id, client_secret = "city/app", "top secret: 100%"
    redirect_url = "https://city.example/app/signed-in"

    def __init__(self):
        super().__init__()
        self.codes = {}
        self.kid = "2026-11"
        # Drawn before anybody waits for an answer.
        key(self.kid)
        self.published = ["2026-11"]
        self.auth_methods = ["client_secret_basic", "client_secret_post"]
        self.userinfo = {}
        self.access_token = "at-1"  # noqa: S105 - of nobody
        # Change a token's claims, or the whole making of it.
        self.claims = {}
        self.make = self.signed
        self.document = {}

    @property
    def issuer(self):
        return self.url + "/idp"

    def reply(self, method, path, query, form, headers):
        doors = {
            "/idp/.well-known/openid-configuration": self._discovery,
            "/idp/jwks": self._jwks,
            "/idp/token": lambda: self._token(form, headers),
            "/idp/userinfo": lambda: self._userinfo(headers),
        }
        status, said = doors[path]() if path in doors else (404, {"error": "not_found"})
        return status, "application/json", json.dumps(said).encode()

    def _discovery(self):
        return 200, {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/jwks",
            "userinfo_endpoint": self.issuer + "/userinfo",
            "token_endpoint_auth_methods_supported": self.auth_methods,
            **self.document,
        }

    def jwk(self, kid):
        return {
            **RSAAlgorithm.to_jwk(key(kid).public_key(), as_dict=True),
            "kid": kid,
            "use": "sig",
            "alg": "RS256",
        }

    def _jwks(self):
        return 200, {"keys": [self.jwk(kid) for kid in self.published]}

    def authorize(self, url, subject, **claims):
        """Do what the citizen's browser and the login page do; return (code, state)."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == self.client_id
        assert asked["redirect_uri"] == self.redirect_url
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(24)
        self.codes[code] = (asked, subject, claims)
        return code, asked["state"]

    def _token(self, form, headers):
        if not self._is_client(form, headers):
            return 401, {"error": "invalid_client"}
        held = self.codes.pop(form.get("code"), None)
        if held is None:
            return 400, {"error": "invalid_grant"}
        asked, subject, claims = held
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form.get("redirect_uri") != self.redirect_url:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        body = {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.client_id,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **claims,
            **self.claims,
        }
        body = {name: value for name, value in body.items() if value is not None}
        self.userinfo.setdefault("sub", subject)
        token = self.make({"kid": self.kid}, body)
        return 200, {"access_token": self.access_token, "token_type": "Bearer", "id_token": token}

    def signed(self, header, body):
        return jwt.encode(body, key(self.kid), "RS256", headers=header)

    def _is_client(self, form, headers):
        sent = headers.get("Authorization", "")
        if "client_secret_basic" in self.auth_methods:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            return sent == "Basic " + base64.b64encode(pair.encode()).decode()
        is_posted = form.get("client_id") == self.client_id
        return is_posted and form.get("client_secret") == self.client_secret and not sent

    def _userinfo(self, headers):
        if headers.get("Authorization") != "Bearer at-1":
            return 401, {"error": "invalid_token"}
        return 200, self.userinfo


def upstream_settings(openid, **more):
    given = {
        "upstream_issuer": openid.issuer,
        "upstream_client_id": openid.client_id,
        "upstream_client_secret": openid.client_secret,
        "upstream_redirect_url": openid.redirect_url,
    }
    return FederationSettings(**{**given, **more})


# Moods of any server.


def status(number, content=b"{}", **fields):
    def answer(door):
        door.send_response(number)
        door.send_header("Content-Length", str(len(content)))
        for name, value in fields.items():
            door.send_header(name.replace("_", "-"), value)
        door.end_headers()
        door.wfile.write(content)

    return answer


def hang_up(door):
    door.connection.close()


def stay_silent(door):
    time.sleep(0.8)
    door.close_connection = True


def garble(door):
    door.wfile.write(b"\x00\x01\x02 not HTTP at all\r\n\r\n")


def drip(door):
    """Say everything right, so slowly that every single wait is short."""
    door.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for byte in b'{"openid": "o-drip"}' + b" " * 40:
        door.wfile.write(bytes([byte]))
        door.wfile.flush()
        time.sleep(0.03)


def drip_head(door):
    """Never end the header fields."""
    door.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        door.wfile.write(f"X-{number}: 1\r\n".encode())
        door.wfile.flush()
        time.sleep(0.05)


def flood(door):
    """Send ten megabytes."""
    door.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    door.wfile.write(b'{"openid": "o-flood", "x": "')
    for _ in range(160):
        door.wfile.write(b"x" * 65_536)
    door.wfile.write(b'"}')
