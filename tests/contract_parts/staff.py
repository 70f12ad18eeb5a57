"""Staff: invitations, factors, resets and suspension."""

import people
import pyotp
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.accounts.identity import totp_place
from citizen_cloud.accounts.services import bindings, factors
from citizen_cloud.organisations import services
from citizen_cloud.organisations.services import Actor
from citizen_cloud.web.caller import Grant

EVERYWHERE = Grant(everywhere=True)
SYSTEM = Actor("system", None)


def build(city):
    """Make invitations, a member of staff to look after, and a reset that waits for a second."""
    outlet = city.facts["outlet"]
    keyholder = city["keyholder"].someone.account_id
    proposer, shut_out, forgetful = people.admin(), people.admin(), people.staff(outlet)
    with db.transaction() as session:
        opened, waiting, joining = (
            services.invite(
                session, organisation_id=outlet, role="staff", grant=EVERYWHERE, actor=SYSTEM
            )
            for _ in range(3)
        )
        _enrol(session, keyholder)
        city.facts["next_totp"] = factors.begin_totp(session, account_id=keyholder).secret
        asked = Actor("admin", proposer.account_id)
        proposed, made = (
            services.reset_account(session, account_id=one, grant=EVERYWHERE, actor=asked)
            for one in (shut_out.account_id, forgetful.account_id)
        )
        asking = people.staff(outlet, session=session)
        binding = bindings.ask(session, account_id=asking.account_id)
    city.facts |= {"joining": joining.code, "opening": opened.code, "reset": made.code}
    city.facts |= {"binding": binding.code, "asking": people.username_of(asking)}
    theirs = people.staff(outlet)
    people.bind(theirs, city["owner"].someone.person_id)
    with db.transaction() as session:
        city.ids["binding_id"] = str(
            session.scalar(
                text("SELECT id FROM accounts.binding WHERE account_id = :a"),
                {"a": theirs.account_id},
            )
        )
    city.ids |= {
        "invitation_id": str(waiting.id),
        "account_id": str(people.staff(outlet).account_id),
        "reset_id": str(proposed.id),
    }


def _enrol(session, account_id):
    secret = crypto.current().seal(pyotp.random_base32(), place=totp_place(account_id))
    session.execute(
        text(
            "UPDATE accounts.account SET totp_sealed = :s, totp_confirmed_at = now() WHERE id = :id"
        ),
        {"s": secret, "id": account_id},
    )


OWNERS = {"invitation_id": {"manager", "admin"}, "binding_id": {"owner"}}
OWNERS_IN = {
    ("getAccount", "account_id"): {"auditor", "admin"},
    ("setAccountStatus", "account_id"): {"manager", "admin"},
    ("resetAccount", "account_id"): {"manager", "admin"},
}
WHO = {
    "getFactors": "keyholder",
    "drawRecoveryCodes": "keyholder",
    "beginTotp": "keyholder",
    "confirmTotp": "keyholder",
    "joinOrganisation": "keyholder",
    "getPersonBinding": "keyholder",
    "askPersonBinding": "keyholder",
}
BODIES = {
    "confirmTotp": lambda city: {"totp": pyotp.TOTP(city.facts["next_totp"]).now()},
    "joinOrganisation": lambda city: {"code": city.facts["joining"]},
    "previewStaffAccount": lambda city: {"code": city.facts["binding"]},
    "confirmStaffAccount": lambda city: {
        "code": city.facts["binding"],
        "username": city.facts["asking"],
    },
    "acceptInvitation": lambda city: {
        "code": city.facts["opening"],
        "username": "wang.xiaomei",
        "password": "四月的风 吹过海边 42",
    },
    "useReset": lambda city: {"code": city.facts["reset"], "password": "四月的风 吹过海边 42"},
}
KIND = {
    # Citizens stand for themselves.
    "getPersonBinding": lambda actor: actor.role == "citizen",
    "askPersonBinding": lambda actor: actor.role == "citizen",
    # Citizens have no such factors.
    "getFactors": lambda actor: actor.role == "citizen",
    "confirmTotp": lambda actor: actor.role == "citizen",
    # Of the staff here only one has an authenticator.
    "drawRecoveryCodes": lambda actor: actor.name != "keyholder",
    "beginTotp": lambda actor: actor.name != "keyholder",
    # Citizens and administrators work for no organisation.
    "joinOrganisation": lambda actor: actor.role in ("citizen", "admin"),
}
PEERS = {
    "neighbour": ("binding_id",),
    "other_clerk": ("invitation_id", "account_id"),
    "other_manager": ("invitation_id", "account_id"),
}
