"""Citizens with phones put there by SQL, who ask for codes by the one-statement way."""

import people
from family_world import run
from health_world import coloured
from phone import Phone, compressed

from citizen_cloud import db
from citizen_cloud.credentials import proofs
from citizen_cloud.db import new_id
from citizen_cloud.modules.health_code.queries.showable import Asking
from citizen_cloud.modules.health_code.services.codes import at_once


def asking(who):
    return Asking(account_id=who.account_id, device_id=who.device_id, person_id=who.person_id)


def with_phone(colour="green"):
    """Return somebody of a colour and his registered phone."""
    me = coloured(people.citizen(), colour)
    return me, phone_of(me)


def phone_of(me):
    """Return the phone of somebody who is there already, registered now."""
    phone, key_id = Phone(), new_id()
    run(
        "INSERT INTO credentials.device_key (id, account_id, device_id, public_key) "
        "VALUES (:i, :a, :d, :k)",
        i=key_id, a=me.account_id, d=me.device_id, k=compressed(phone.device_key),
    )  # fmt: skip
    return phone


def phones_code(me, fresh):
    with db.statement() as connection:
        return at_once.give_phone(
            connection,
            asking(me),
            show_key=proofs.from_text(fresh["show_key"]),
            proof=proofs.from_text(fresh["proof"]),
        )
