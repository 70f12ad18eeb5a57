"""The own account: what it shows, its devices and password."""

from typing import Any, cast
from uuid import UUID

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.accounts import queries
from citizen_cloud.accounts.refusals import PasswordTooWeak, PasswordWrong
from citizen_cloud.accounts.schemas.account import MeSchema, NewPasswordSchema, OwnDevicePageSchema
from citizen_cloud.accounts.services import SignedIn, devices, passwords
from citizen_cloud.errors import Forbidden, Malformed, NotFound
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller
from citizen_cloud.web.marks import limited, signed_in
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

        Latest first; `is_current` marks the one that asks.
        """
        known, limit = caller(), asked["limit"]
        with db.statement() as connection:
            found = queries.own_devices(
                connection,
                account_id=known.account_id,
                current=known.device_id,
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

    @blp.response(204)
    @blp.operation("removeDevice", NotFound)
    @signed_in()
    def delete(self, device_id: UUID) -> None:
        """Remove a device

        Its sign-ins end at once. Removing the device that asks signs it out.
        """
        known = caller()
        with db.transaction() as session:
            devices.remove_device(
                session, account_id=known.account_id, device_id=device_id, kind=known.kind
            )


@blp.route("/password")
class PasswordView(MethodView):
    """The password of staff."""

    @blp.arguments(NewPasswordSchema)
    @blp.response(204)
    @blp.operation("changePassword", PasswordWrong, PasswordTooWeak, Forbidden, Malformed)
    @limited("5/minute", by="account")
    @signed_in()
    def post(self, sent: dict[str, str]) -> None:
        """Change the own password

        For staff and administrators; citizens have none. Every other sign-in of the account ends.
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
