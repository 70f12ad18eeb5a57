"""Invitations as managers and administrators see them."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from citizen_cloud import db
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations import queries, services
from citizen_cloud.organisations.refusals import OrganisationClosed, RoleAboveOwn
from citizen_cloud.organisations.routes.doors import actor, after_of, blp
from citizen_cloud.organisations.schemas.people import (
    InvitationCodeSchema,
    InvitationPageSchema,
    NewInvitationSchema,
)
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import API_ROOT
from citizen_cloud.web.caller import grant
from citizen_cloud.web.cursors import BadCursor
from citizen_cloud.web.marks import fresh, requires
from citizen_cloud.web.paging import page
from citizen_cloud.web.schemas import PageQuery

LISTING = "invitations"


@blp.route("/organisations/<uuid:organisation_id>/invitations")
class Invitations(MethodView):
    """Who was invited to an organisation."""

    @blp.arguments(PageQuery, location="query")
    @blp.response(200, InvitationPageSchema)
    @blp.operation("listInvitations", NotFound, BadCursor)
    @requires("organisations.staff.manage")
    def get(self, query: dict[str, Any], organisation_id: UUID) -> Response:
        """List the invitations of an organisation

        Latest first, whatever became of them. Codes are never shown again.
        """
        if not grant().covers(organisation_id):
            raise NotFound
        before, limit = after_of(LISTING, query.get("cursor")), query["limit"]
        with db.transaction() as session:
            is_there = queries.organisation(session, organisation_id) is not None
            rows = queries.invitations(session, organisation_id, before=before, limit=limit)
        if not is_there:
            raise NotFound
        more = cursors.encode(LISTING, [rows[limit - 1]["id"]]) if len(rows) > limit else None
        return page(InvitationPageSchema(), rows[:limit], more)

    @blp.arguments(NewInvitationSchema)
    @blp.response(201, InvitationCodeSchema)
    @blp.operation("inviteStaff", NotFound, OrganisationClosed, RoleAboveOwn)
    @fresh
    @requires("organisations.staff.manage")
    def post(self, sent: dict[str, Any], organisation_id: UUID) -> Any:
        """Invite somebody to work for an organisation

        The code is in this answer only: hand it to the person, who chooses user name and password
        with `POST /auth/invitations/accept`, or adds the role to an account that is signed in with
        `POST /me/invitations/accept`. It is good for 72 hours and one acceptance, and over when
        whoever invited loses the role or is suspended. A manager invites staff, not managers.
        Needs the factors shown in the last five minutes: it is a way in for somebody else.
        """
        with db.transaction() as session:
            made = services.invite(
                session, organisation_id=organisation_id, grant=grant(), actor=actor(), **sent
            )
        return asdict(made), 201, {"Location": f"{API_ROOT}/admin/invitations/{made.id}"}


@blp.route("/invitations/<uuid:invitation_id>")
class OneInvitation(MethodView):
    """One invitation."""

    @blp.response(204)
    @blp.operation("revokeInvitation", NotFound, RoleAboveOwn)
    @requires("organisations.staff.manage")
    def delete(self, invitation_id: UUID) -> None:
        """Take an invitation back

        Its code is refused from now on. One that was accepted or taken back answers 404; end the
        membership instead.
        """
        with db.transaction() as session:
            services.revoke_invitation(
                session, invitation_id=invitation_id, grant=grant(), actor=actor()
            )
