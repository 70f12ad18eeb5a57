"""The inbox."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.errors import NotFound
from citizen_cloud.messages import services
from citizen_cloud.messages.schemas import MessagePageSchema, MessageQuery, MessageSchema
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, represented
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import acts_for, signed_in
from citizen_cloud.web.paging import page

blp = Blueprint("messages", url_prefix="/me/messages", description="消息 · A citizen's inbox")
blueprints: tuple[Blueprint, ...] = (blp,)


@blp.route("")
class Inbox(MethodView):
    """All messages."""

    @blp.arguments(MessageQuery, location="query")
    @blp.response(200, MessagePageSchema)
    @blp.operation("listMessages", cursors.BadCursor)
    @signed_in()
    @acts_for("messages")
    def get(self, query: dict[str, Any]) -> Response:
        """List my messages

        Newest first; ``unread`` counts all unread ones, whatever the page shows. Where the
        account belongs to a person, a device on which the document was not shown yet gets only
        what came after it was registered: a number's next holder does not read the last one's
        messages. On behalf of a dependant, the messages of their own account; without one there
        are none.
        """
        known = caller()
        limit = query["limit"]
        someone = represented()
        account_id = known.account_id if someone is None else someone.account_id
        after = cursors.decode("messages", query["cursor"]) if "cursor" in query else None
        with db.transaction() as session:
            found = services.inbox(
                session,
                account_id=account_id,
                since_device=known.device_id if known.is_stranger else None,
                only_unread=query["unread"],
                before=UUID(after[0]) if after else None,
                limit=limit + 1,
            )
        rows = found.messages
        cursor = cursors.encode("messages", [rows[limit - 1]["id"]]) if len(rows) > limit else None
        return page(MessagePageSchema(), rows[:limit], cursor, unread=found.unread)


@blp.route("/<uuid:message_id>/read")
class ReadMessage(MethodView):
    """One message, read."""

    @blp.response(200, MessageSchema)
    @blp.operation("readMessage", NotFound, key=False)
    @signed_in()
    def post(self, message_id: UUID) -> Response:
        """Mark a message as read

        Again changes nothing. Somebody else's message and an absent one answer the same ``404``.
        """
        known = caller()

        def work(session: Session) -> Answer:
            row = services.mark_read(
                session,
                account_id=known.account_id,
                message_id=message_id,
                since_device=known.device_id if known.is_stranger else None,
            )
            return Answer(content=row)

        return answer_once(MessageSchema, work)
