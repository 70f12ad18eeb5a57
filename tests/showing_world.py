"""Phones of citizens, registered and given codes through HTTP as the app does it."""

from dataclasses import replace
from uuid import UUID

import family_world
import health_world
import people
from phone import Phone, said_by
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.credentials import proofs
from citizen_cloud.privacy import jobs as privacy

ROOT = "/api/v1/health-code"
SCOPES = ("health_code",)


def send(client, method, path, who, person_id=None, *, accept=None, **options):
    query = {} if person_id is None else {"on_behalf_of": str(person_id)}
    headers = {**who.headers, **({"Accept": accept} if accept else {})}
    return client.open(
        f"{ROOT}{path}", method=method, headers=headers, query_string=query, **options
    )


def challenged(client, who, phone):
    """Return what registers a phone: the answer to a fresh challenge."""
    drawn = send(client, "POST", "/devices/challenge", who)
    assert drawn.status_code == 200, drawn.json
    return {
        "public_key": phone.public_key,
        "challenge_id": drawn.json["challenge_id"],
        "proof": phone.registering(drawn.json["challenge"]),
    }


def register(client, who, phone=None):
    """Register a phone for the device somebody is signed in on; return the phone."""
    phone = phone or Phone()
    made = send(client, "POST", "/devices", who, json=challenged(client, who, phone))
    assert made.status_code == 201, made.json
    return phone


def ready(client, colour="green", **facts):
    """Return a citizen in a colour, and the registered phone."""
    someone = health_world.coloured(people.citizen(**facts), colour)
    return someone, register(client, someone)


def ask(client, who, phone, person_id=None, *, fresh=None):
    return send(client, "POST", "/credential", who, person_id, json=fresh or phone.fresh_key())


def credential(client, who, phone, person_id=None):
    answer = ask(client, who, phone, person_id)
    assert answer.status_code == 200, answer.json
    return answer.json["credential"]


def child_of(client, *guardians, colour="green"):
    """Return the person id of a child who is in a colour."""
    for guardian in guardians:
        health_world.agree(guardian)
    child = family_world.child_of(client, *guardians, scopes=SCOPES)
    health_world.say(*health_world._WAYS[colour](child))
    return child


def other_device(someone):
    """Return the same citizen on another device, where the document was shown as well."""
    with db.transaction() as session:
        again = people._sign_in(session, someone.account_id, "citizen", "sms")
        session.execute(
            text("UPDATE accounts.device SET proven_at = statement_timestamp() WHERE id = :id"),
            {"id": again.device_id},
        )
    return replace(
        someone,
        device_id=again.device_id,
        token=again.token,
        refresh_token=again.refresh_token,
    )


def long_after_the_document(someone):
    """Let the document have been shown on this device an hour ago."""
    family_world.run(
        "UPDATE accounts.device SET proven_at = statement_timestamp() - interval '1 hour' "
        "WHERE id = :id",
        id=someone.device_id,
    )


def close_account(client, me):
    """Close the account, with its days of grace over."""
    asked = client.post("/api/v1/me/closure", json={"reason": "privacy"}, headers=me.headers)
    assert asked.status_code == 202, asked.json
    back = (
        "UPDATE privacy.closure SET due_at = due_at - interval '9 day', "
        "begun_at = begun_at - interval '9 day', requested_at = requested_at - interval '9 day'"
    )
    family_world.run(back)
    assert privacy.carry_out_closures(None) == 0
    family_world.run(back)
    assert privacy.carry_out_closures(None) == 1


def refusal(answer):
    return answer.status_code, answer.json["code"]


def jti_of(code):
    return UUID(bytes=proofs.from_text(said_by(code)["jti"]))


def is_void(jti):
    """Return whether the record of a code says that it counts no more, or not now."""
    ((found,),) = family_world.rows(
        "SELECT revoked_at IS NOT NULL OR suspended_at IS NOT NULL "
        "FROM credentials.credential WHERE jti = :jti",
        jti=jti,
    )
    return found
