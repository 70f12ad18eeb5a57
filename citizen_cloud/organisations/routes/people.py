"""The people who work for organisations, and their roles."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import crypto, db
from citizen_cloud.accounts.identity import display_name_place
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations import queries, services
from citizen_cloud.organisations.queries import StaffRow
from citizen_cloud.organisations.refusals import (
    LastAdmin,
    RoleAboveOwn,
)
from citizen_cloud.organisations.routes.doors import actor, after_of, blp
from citizen_cloud.organisations.schemas.people import (
    StaffPageSchema,
)
from citizen_cloud.web import cursors
from citizen_cloud.web.caller import grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery


@blp.route("/organisations/<uuid:organisation_id>/staff")
class Staff(MethodView):
    """The people of one organisation."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, StaffPageSchema)
    @blp.operation("listStaff", NotFound, BadCursor)
    @requires("organisations.staff.read")
    def get(self, query: dict[str, Any], organisation_id: UUID) -> Response:
        """List the staff of an organisation

        Live memberships, oldest first.
        """
        after = after_of("staff", query.get("cursor"))
        with db.transaction() as session:
            is_there = queries.organisation(session, organisation_id) is not None
            rows = queries.staff(session, organisation_id, after=after, limit=query["limit"])
        if not is_there or not grant().covers(organisation_id):
            raise NotFound
        shown = rows[: query["limit"]]
        more = None
        if len(rows) > len(shown):
            more = cursors.encode("staff", [shown[-1].membership_id])
        return page(StaffPageSchema(), [_staff_json(row) for row in shown], more)


def _staff_json(row: StaffRow) -> dict[str, Any]:
    sealed, place = row.display_name_sealed, display_name_place(row.account_id)
    name = crypto.current().open(sealed, place=place) if sealed else row.username
    return {**vars(row), "display_name": name}


@blp.route("/memberships/<uuid:membership_id>")
class OneMembership(MethodView):
    """One role of one account."""

    @blp.response(204)
    @blp.operation("endMembership", NotFound, RoleAboveOwn, LastAdmin)
    @requires("organisations.staff.manage")
    def delete(self, membership_id: UUID) -> None:
        """End a role

        It counts from the account's next request on. The platform keeps at least one
        administrator. Ending a role that is over answers 404.
        """
        with db.transaction() as session:
            services.end_membership(
                session, membership_id=membership_id, grant=grant(), actor=actor()
            )
