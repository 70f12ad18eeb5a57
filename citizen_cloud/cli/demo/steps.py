"""What every chapter of the tour does: call the API, say what it saw, sign people in."""

import json
import re
import time
from pathlib import Path
from typing import Any

import click
import httpx
import pyotp

from citizen_cloud.cli.demo.people import invented_document, invented_name

SMS_WAIT_S = 10.0


class WalkFailed(click.ClickException):
    """A step did not answer as it should; the tour ends with exit code 1."""


class Steps:
    """A running server, the demo's secrets, and the number of the step."""

    def __init__(self, http: httpx.Client, var: Path) -> None:
        self._http = http
        self._var = var
        self._step = 0

    def _say(self, words: str) -> None:
        self._step += 1
        click.echo(f"{self._step:2}. {words}")

    def _call(
        self, method: str, path: str, *, expect: int, token: str | None = None, **options: Any
    ) -> Any:
        headers = options.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        answer = self._http.request(method, f"/api/v1{path}", headers=headers, **options)
        if answer.status_code != expect:
            raise WalkFailed(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        return answer.json() if answer.content else None

    def _sign_in(self, phone: str) -> str:
        challenge = self._call("POST", "/auth/otp", expect=202, json={"phone": phone})
        self._say(f"请求验证码 asked for a code, phone {phone[:6]}****{phone[-4:]}")
        code = self._texted_code(phone)
        self._say(f"收到短信 the text arrived in {self._var / 'sms.log'}")
        granted = self._call(
            "POST",
            "/auth/token",
            expect=200,
            json={
                "grant_type": "otp",
                "challenge_id": challenge["challenge_id"],
                "code": code,
                "device": {"name": "演示手机 demo phone"},
            },
        )
        self._say(f"已登录 signed in; the token lives {granted['expires_in']} s")
        return str(granted["access_token"])

    def _texted_code(self, phone: str) -> str:
        """Wait until the job worker has delivered the text."""
        log, deadline = self._var / "sms.log", time.monotonic() + SMS_WAIT_S
        while time.monotonic() < deadline:
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            for line in reversed(lines):
                text = json.loads(line)
                found = re.search("[0-9]{6}", text["text"])
                if text["to"] == phone and found:
                    return found[0]
            time.sleep(0.1)
        raise WalkFailed(f"no text for {phone} in {log} within {SMS_WAIT_S:.0f} s")

    def _prove_name(self, token: str) -> None:
        proof = {
            "document_type": "resident_id",
            "document_number": invented_document(),
            "name": invented_name(),
        }
        refusal = self._call("POST", "/me/real-name", expect=403, token=token, json=proof)
        self._say(f"未同意前拒绝 without consent: {refusal['code']}, {refusal['detail']}")
        consent = {"purpose": refusal["purpose"], "version": refusal["version"]}
        self._call("POST", "/me/consents", expect=200, token=token, json=consent)
        self._call("POST", "/me/real-name", expect=200, token=token, json=proof)
        me = self._call("GET", "/me", expect=200, token=token)
        self._say(f"实名完成 real name proven: {me['name']}, L{me['level']}")

    def _secrets(self, who: str) -> dict[str, Any]:
        secrets = json.loads((self._var / "demo.json").read_text(encoding="utf-8"))
        return dict(secrets[who])

    def _staff_sign_in(self, who: str) -> str:
        """Return a token of a member of staff of the demo."""
        secrets = self._secrets(who)
        for _ in range(2):
            sent = {
                "grant_type": "password",
                "username": secrets["username"],
                "password": secrets["password"],
                "totp": pyotp.TOTP(secrets["totp_secret"]).now(),
            }
            answer = self._http.post("/api/v1/auth/token", json=sent)
            if answer.status_code == httpx.codes.OK:
                self._say(f"工作人员登录 signed in at work: {secrets['username']}")
                return str(answer.json()["access_token"])
            # A one-time code works once: a tour right after another waits for the next one.
            time.sleep(30 - time.time() % 30 + 0.5)
        raise WalkFailed(f"{who} cannot sign in: {answer.text[:400]}")
