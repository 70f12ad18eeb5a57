"""``citizen-cloud demo``: the main job, step by step, against the running server.

It speaks to the API as a phone and a clerk's terminal would, and says what it sees. The only
things it reads beside HTTP are the texts (``var/sms.log``) and the clerk's secrets
(``var/demo.json``), as their owners would.
"""

import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import httpx
import qrcode

from citizen_cloud.cli.demo.health_walk import HealthSteps
from citizen_cloud.cli.demo.people import invented_phone
from citizen_cloud.cli.demo.steps import SMS_WAIT_S, WalkFailed
from citizen_cloud.cli.environment import default_var, settings

PIECES = 2


@click.command()
@click.option("--var", type=click.Path(path_type=Path), default=default_var, help="Data folder.")
@click.option("--url", default=None, help="Where the API is; else what serve said.")
def command(var: Path, url: str | None) -> None:
    """Walk the main job: sign in, real name, book masks, show the code, collect them."""
    base = url or settings(var).public_url
    with httpx.Client(base_url=base, timeout=15, headers={"Accept-Language": "zh-CN"}) as http:
        try:
            Tour(http, var).run()
        except httpx.TransportError as error:
            raise WalkFailed(f"{base} does not answer ({type(error).__name__})") from error


class Tour(HealthSteps):
    """One citizen's way to a mask, one clerk's, and both through a city with health codes."""

    def run(self) -> None:
        """Walk all steps. Raises ``WalkFailed`` at the first one that goes wrong."""
        citizen = self._sign_in(invented_phone())
        self._prove_name(citizen)
        offer = self._find_offer()
        booking = self._book(citizen, offer)
        code = self._show_code(citizen, booking)
        clerk = self._staff_sign_in("staff")
        self._redeem(clerk, code)
        self._read_messages(citizen)
        self._show_health(citizen)
        click.secho("\n演示完成 The tour is complete.", fg="green")

    def _find_offer(self) -> dict[str, Any]:
        campaigns = self._call("GET", "/masks/campaigns", expect=200)["items"]
        near = {"near": "38.92,121.64", "available": "true", "limit": "50"}
        outlet = self._secrets("staff")["organisation_id"]
        now = time.time()
        for campaign in campaigns:
            if campaign["product_class"] != "adult":
                continue
            path = f"/masks/campaigns/{campaign['id']}/offers"
            for offer in self._call("GET", path, expect=200, params=near)["items"]:
                if offer["outlet"]["id"] == outlet and _spans(offer, now):
                    name = offer["outlet"]["name"]["zh"]
                    self._say(f"找到网点 found {name}, {offer['remaining']} left in this half-day")
                    return dict(offer)
        raise WalkFailed("no outlet hands out masks at this hour; run ./scripts/serve again")

    def _book(self, token: str, offer: dict[str, Any]) -> dict[str, Any]:
        path, key = f"/masks/offers/{offer['id']}/bookings", str(uuid.uuid4())
        send = {"json": {"quantity": PIECES}, "headers": {"Idempotency-Key": key}}
        booking = self._call("POST", path, expect=201, token=token, **send)
        self._say(f"预约成功 booked {PIECES} pieces, reference {booking['reference']}")
        send = {"json": {"quantity": PIECES}, "headers": {"Idempotency-Key": key}}
        again = self._call("POST", path, expect=201, token=token, **send)
        if again["id"] != booking["id"]:
            raise WalkFailed("a retry with the same key made another booking")
        self._say("重试得到同一预约 the retry with the same key got the same booking")
        send = {"json": {"quantity": PIECES}, "headers": {"Idempotency-Key": str(uuid.uuid4())}}
        refusal = self._call("POST", path, expect=409, token=token, **send)
        self._say(f"再次预约被拒 a second booking: {refusal['code']}, {refusal['detail']}")
        return dict(booking)

    def _show_code(self, token: str, booking: dict[str, Any]) -> str:
        shown = self._call("GET", f"/bookings/{booking['id']}/code", expect=200, token=token)
        code = str(shown["code"])
        picture = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=2)
        picture.add_data(code)
        click.echo()
        picture.print_ascii(invert=True)
        self._say(f"出示取货码 the code, {len(code)} characters, QR version {picture.version}")
        return code

    def _redeem(self, token: str, code: str) -> None:
        path = "/masks/staff/redemptions"
        handed = self._call("POST", path, expect=200, token=token, json={"code": code})
        self._say(f"核销成功 handed out {handed['quantity']} to {handed['person_name']}")
        refusal = self._call("POST", path, expect=409, token=token, json={"code": code})
        self._say(f"重复核销被拒 the same code again: {refusal['code']}, {refusal['detail']}")

    def _read_messages(self, token: str) -> None:
        deadline = time.monotonic() + SMS_WAIT_S
        while time.monotonic() < deadline:
            items = self._call("GET", "/me/messages", expect=200, token=token)["items"]
            if items:
                self._say(f"站内消息 inbox: {items[0]['title']['zh']}")
                return
            time.sleep(0.2)
        raise WalkFailed("no message arrived in the inbox")


def _spans(offer: dict[str, Any], now: float) -> bool:
    """Return whether the offer's window holds this moment, with a minute to spare."""
    starts = datetime.fromisoformat(offer["starts_at"]).timestamp()
    ends = datetime.fromisoformat(offer["ends_at"]).timestamp()
    return starts <= now and now + 60 < ends
