"""The own account: what it shows, its devices and password."""

from typing import Any, cast
from uuid import UUID

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts import queries
from citizen_cloud.accounts.refusals import PasswordTooWeak, PasswordWrong
from citizen_cloud.accounts.schemas.account import (
    DeviceNameSchema,
    MeSchema,
    NewPasswordSchema,
    OwnDevicePageSchema,
    OwnDeviceSchema,
    SignOutEverywhereSchema,
)
from citizen_cloud.accounts.services import SignedIn, devices, passwords, sign_ins
from citizen_cloud.errors import Forbidden, Malformed, NotFound
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import Caller, caller
from citizen_cloud.web.marks import fresh, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

blp = Blueprint("me", url_prefix="/me", description="我的账号 The own account and its devices")
LISTING = "me.devices"


@blp.route("")
class MeView(MethodView):
    """The caller."""

    @blp.response(200, MeSchema)
    @blp.operation("getMe")
    @signed_in()
    def get(self) -> Response:
        """Get the own account

        Phone and name are masked. `real_name: "unconfirmed"` means that the document was not yet
        shown on this device: the real-name step, repeated here, opens level 2 again.
        """
        known = cast("SignedIn", caller())
        return Response(orjson.dumps(queries.own_account(known)), mimetype="application/json")


@blp.route("/devices")
class DevicesView(MethodView):
    """Registered devices."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, OwnDevicePageSchema)
    @blp.operation("listDevices")
    @signed_in()
    def get(self, asked: dict[str, Any]) -> Response:
        """List the registered devices

        Latest first; `is_current` marks the one that asks. A device on which the account's
        document was not shown yet sees itself only.
        """
        known, limit = caller(), asked["limit"]
        with db.statement() as connection:
            found = queries.own_devices(
                connection,
                account_id=known.account_id,
                current=known.device_id,
                only_current=known.is_stranger,
                before=_before(asked.get("cursor")),
                limit=limit + 1,
            )
        more = cursors.encode(LISTING, [found[limit - 1]["id"]]) if len(found) > limit else None
        return page(OwnDevicePageSchema(), found[:limit], more)


def _before(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (last,) = cursors.decode(LISTING, cursor)
    return UUID(last)


@blp.route("/devices/<uuid:device_id>")
class DeviceView(MethodView):
    """One registered device."""

    @blp.arguments(DeviceNameSchema)
    @blp.response(200, OwnDeviceSchema)
    @blp.operation("nameDevice", NotFound)
    @signed_in()
    def patch(self, sent: dict[str, str], device_id: UUID) -> dict[str, Any]:
        """Name a device

        Names are kept encrypted and shown to the owner only. Another device than the one that
        asks needs the document shown here, as for removing it.
        """
        known = _own(device_id)
        with db.transaction() as session:
            named = devices.name_device(
                session, account_id=known.account_id, device_id=device_id, name=sent["name"]
            )
        return {**named, "is_current": device_id == known.device_id}

    @blp.response(204)
    @blp.operation("removeDevice", NotFound)
    @signed_in()
    def delete(self, device_id: UUID) -> None:
        """Remove a device

        Its sign-ins end at once. Removing the device that asks signs it out. Where the account
        belongs to a person, another device is removed only from one on which the document was
        shown (401 `step_up_required`).
        """
        known = _own(device_id)
        with db.transaction() as session:
            devices.remove_device(
                session, account_id=known.account_id, device_id=device_id, kind=known.kind
            )


def _own(device_id: UUID) -> Caller:
    """Return the caller, who may touch this device: a number's next holder only his own."""
    known = caller()
    if device_id != known.device_id:
        known.require_own()
    return known


@blp.route("/sign-out-everywhere")
class SignOutEverywhereView(MethodView):
    """The end of every sign-in."""

    @blp.arguments(SignOutEverywhereSchema, required=False)
    @blp.response(204)
    @blp.operation("signOutEverywhere")
    @signed_in()
    def post(self, sent: dict[str, bool]) -> None:
        """Sign out everywhere

        Every sign-in of the account ends before the answer comes, this one too unless
        `keep_this` is true. Devices stay registered. Where the account belongs to a person, the
        document must have been shown on this device (401 `step_up_required`).
        """
        known = caller()
        known.require_own()
        with db.transaction() as session:
            sign_ins.sign_out_everywhere(
                session,
                account_id=known.account_id,
                sign_in_id=known.sign_in_id,
                kind=known.kind,
                keep_this=sent["keep_this"],
            )


@blp.route("/password")
class PasswordView(MethodView):
    """The password of staff."""

    @blp.arguments(NewPasswordSchema)
    @blp.response(204)
    @blp.operation("changePassword", PasswordWrong, PasswordTooWeak, Forbidden, Malformed)
    @limited("5/minute", by="account")
    @fresh
    @signed_in()
    def post(self, sent: dict[str, str]) -> None:
        """Change the own password

        For staff and administrators; citizens have none. Needs the factors shown in the last five
        minutes (`POST /me/step-up`), so that nobody guesses it at an unlocked screen. Every other
        sign-in of the account ends.
        """
        known = caller()
        with db.statement() as connection:
            username, stored = passwords.password_of(connection, account_id=known.account_id)
        new = passwords.hashed_change(
            username=username, stored=stored, current=sent["current"], new=sent["new"]
        )
        with db.transaction() as session:
            passwords.change_password(
                session,
                account_id=known.account_id,
                sign_in_id=known.sign_in_id,
                kind=known.kind,
                old=stored,
                new=new,
            )
