"""My bookings of every service: shown, cancelled, and their codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from flask import Response
from flask.views import MethodView

from citizen_cloud import clock, db
from citizen_cloud.booking import queries
from citizen_cloud.booking.schemas import BookingSchema, booking_json
from citizen_cloud.credentials import qr
from citizen_cloud.errors import StepUpRequired
from citizen_cloud.families.services import note_refused
from citizen_cloud.portal import schemas
from citizen_cloud.portal.bookings import (
    Asker,
    ModuleUnavailable,
    NoCode,
    NotCancellable,
    OutOfScope,
    Shown,
    booking_code,
    cancel_booking,
    own_booking,
    shown,
)
from citizen_cloud.portal.state import host
from citizen_cloud.web import cursors
from citizen_cloud.web.accepting import PNG, SVG, negotiated
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, represented, subject
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, limited, signed_in
from citizen_cloud.web.paging import page
from citizen_cloud.web.refusals import NotAcceptable

blp = Blueprint("bookings", description="A citizen's bookings of every service")


def as_json(found: Shown) -> dict[str, Any]:
    """Return a booking as the app gets it everywhere."""
    return booking_json(found.row, masked_name=found.masked_name, actions=found.actions)


def _asker() -> Asker:
    return Asker(caller=caller(), acting=represented())


@contextmanager
def _attempts_noted(asker: Asker) -> Iterator[None]:
    """Write down that a link did not reach so far; the refusal undid its own transaction."""
    try:
        yield
    except OutOfScope as refusal:
        if asker.acting is not None:
            with db.statement() as connection:
                note_refused(
                    connection,
                    account_id=asker.caller.account_id,
                    person_id=asker.acting.identity.person_id,
                    scope=refusal.module,
                    now=clock.now(),
                )
        raise


@blp.route("/me/bookings")
class MyBookings(MethodView):
    """The history."""

    @blp.arguments(schemas.BookingsQuery, location="query")
    @blp.response(200, schemas.BookingPageSchema)
    @blp.operation("listMyBookings", cursors.BadCursor)
    @signed_in()
    @acts_for("any")
    def get(self, query: dict[str, Any]) -> Response | dict[str, Any]:
        """List my bookings

        Newest first, of every service, past ones too; ``actions`` says what can be done with each.
        On behalf of a dependant, the bookings of the link's services.
        """
        holder, someone, limit = subject(), represented(), query["limit"]
        if holder is None:
            return {"items": [], "next_cursor": None}
        after = cursors.decode("bookings", query["cursor"]) if "cursor" in query else None
        with db.transaction() as session:
            rows = queries.bookings_of(
                session,
                holder.person_id,
                status=query.get("status"),
                cursor=UUID(after[0]) if after else None,
                limit=limit + 1,
                modules=None if someone is None else someone.scopes,
            )
        seen = shown(host(), subject=holder, rows=rows[:limit], now=clock.now())
        last = rows[limit - 1].id if len(rows) > limit else None
        return page(
            schemas.BookingPageSchema(),
            [as_json(one) for one in seen],
            cursors.encode("bookings", [last]) if last else None,
        )


@blp.route("/bookings/<uuid:booking_id>")
class OneBooking(MethodView):
    """One booking."""

    @blp.response(200, BookingSchema)
    @blp.operation("getBooking", StepUpRequired)
    @signed_in()
    @acts_for("any")
    def get(self, booking_id: UUID) -> dict[str, Any]:
        """Read one of my bookings

        A booking of somebody else and one that does not exist answer the same ``404``, also one
        you made for somebody: read it on their behalf. On a new device the real-name step comes
        first (``401 step_up_required``), as for cancelling and for the code.
        """
        asker = _asker()
        with _attempts_noted(asker), db.transaction() as session:
            row = own_booking(session, asker=asker, booking_id=booking_id)
        return as_json(shown(host(), subject=asker.subject, rows=[row], now=clock.now())[0])


@blp.route("/bookings/<uuid:booking_id>/cancel")
class CancelBooking(MethodView):
    """Giving places back."""

    @blp.arguments(schemas.CancelSchema, required=False)
    @blp.response(200, BookingSchema)
    @blp.operation("cancelBooking", NotCancellable, ModuleUnavailable, StepUpRequired, key=False)
    @signed_in()
    @acts_for("any")
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Cancel one of my bookings

        The places and the allowance are free again at once, and the code stops working.
        Cancelling twice answers the same. Works while the service is draining or off.
        """
        asker, now = _asker(), clock.now()

        def work(session: Any) -> Answer:
            row = cancel_booking(
                session,
                host(),
                asker=asker,
                booking_id=booking_id,
                reason=body.get("reason"),
                now=now,
            )
            found = shown(host(), subject=asker.subject, rows=[row], now=now)[0]
            return Answer(content=as_json(found))

        with _attempts_noted(asker):
            return answer_once(BookingSchema, work)


@blp.route("/bookings/<uuid:booking_id>/code")
class BookingCode(MethodView):
    """The code to show."""

    @blp.alt_response(200, schema={}, content_type="image/svg+xml", success=True)
    @blp.alt_response(200, schema={}, content_type="image/png", success=True)
    @blp.response(200, schemas.CodeSchema)
    @blp.operation("getBookingCode", NoCode, NotAcceptable, ModuleUnavailable, StepUpRequired)
    @limited("60/minute", by="account")
    @signed_in()
    @acts_for("any")
    def get(self, booking_id: UUID) -> Response:
        """Show the code of one of my bookings

        ``application/json`` gives the text the app draws as a QR code; ``image/svg+xml`` and
        ``image/png`` are a fallback for clients that cannot draw. The code is the same until the
        booking ends, and dies with a cancellation.
        """
        media_type = negotiated()
        asker, now = _asker(), clock.now()
        with _attempts_noted(asker), db.transaction() as session:
            row, code = booking_code(session, host(), asker=asker, booking_id=booking_id, now=now)
        if media_type == SVG:
            return Response(qr.svg(code.text), mimetype=media_type)
        if media_type == PNG:
            return Response(qr.png(code.text), mimetype=media_type)
        content = {
            "code": code.text,
            "reference": row.reference,
            "not_before": code.not_before,
            "expires_at": code.expires_at,
            "server_time": now,
        }
        body = orjson.dumps(schemas.CodeSchema().dump(content))
        return Response(body, mimetype="application/json")
