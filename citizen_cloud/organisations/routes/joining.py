"""Accepting an invitation, with a new account or one's own."""

from dataclasses import asdict
from typing import Any

from flask.views import MethodView
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.refusals import PasswordTooWeak, UsernameTaken
from citizen_cloud.accounts.services import passwords
from citizen_cloud.errors import Forbidden
from citizen_cloud.organisations import services
from citizen_cloud.organisations.refusals import (
    AlreadyMember,
    InvitationInvalid,
    OrganisationClosed,
    RolesExclude,
)
from citizen_cloud.organisations.routes.doors import actor
from citizen_cloud.organisations.schemas.people import (
    InvitationAcceptanceSchema,
    InvitationUseSchema,
    JoinedSchema,
    WelcomeSchema,
)
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.idempotency import Answer, answer_once
from citizen_cloud.web.marks import limited, public, signed_in

blp = Blueprint("joining", description="接受邀请 Accepting an invitation to work somewhere")


@blp.route("/auth/invitations/accept")
class AcceptAsNew(MethodView):
    """Joining with a new account."""

    @blp.arguments(InvitationAcceptanceSchema)
    @blp.response(200, WelcomeSchema)
    @blp.operation(
        "acceptInvitation", InvitationInvalid, PasswordTooWeak, UsernameTaken, OrganisationClosed
    )
    @limited("30/minute", by="address")
    @public
    def post(self, sent: dict[str, str]) -> dict[str, Any]:
        """Open a staff account with an invitation

        Account and role come into being together, and the code is used up; a refusal leaves it as
        it was. Then sign in with the password: the first time sets an authenticator up. After a
        lost answer, sign in; the code says `invitation_invalid` by then.
        """
        username = sent["username"]
        with db.statement() as connection:
            services.check_invitation(connection, code=sent["code"])
        hashed = passwords.first_hash(sent["password"], username=username)
        with db.transaction() as session:
            joined = services.accept_as_new(
                session, code=sent["code"], username=username, password_hash=hashed
            )
        return {**asdict(joined), "username": username, "next": "sign_in"}


@blp.route("/me/invitations/accept")
class AcceptAsMember(MethodView):
    """Joining with the own account."""

    @blp.arguments(InvitationUseSchema)
    @blp.response(200, JoinedSchema)
    @blp.operation(
        "joinOrganisation",
        InvitationInvalid,
        Forbidden,
        RolesExclude,
        AlreadyMember,
        OrganisationClosed,
        key=False,
    )
    @limited("10/minute", by="account")
    @signed_in()
    def post(self, sent: dict[str, str]) -> Any:
        """Add an invited role to the own account

        For staff who will work at another organisation too; it counts from the next request on.
        Administrators and auditors need an account of its own for that.
        """

        def work(session: Session) -> Answer:
            joined = services.accept_as_member(session, code=sent["code"], actor=actor())
            return Answer(content=asdict(joined))

        return answer_once(JoinedSchema, work)
