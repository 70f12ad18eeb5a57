"""The canary's phone with its key, a challenge that waits, and codes on the phone and on paper."""

from uuid import UUID

import canary
from phone import Phone

from citizen_cloud import db
from citizen_cloud.credentials import proofs, services


def build(me):
    account_id, device_id, holder_id = (
        UUID(str(each)) for each in (me.account_id, me.device["id"], me.person_id)
    )
    device = {"account_id": account_id, "device_id": device_id}
    phone = Phone()
    with db.transaction() as session:
        asked = services.challenge(session, **device)
        key = services.register_device_key(
            session,
            **device,
            challenge_id=asked.id,
            public_key=proofs.from_text(phone.public_key),
            proof=proofs.from_text(phone.registering(proofs.to_text(asked.challenge))),
        )
        services.challenge(session, **device)
        held = {"holder_id": holder_id, "colour": "green", "expires_at": None}
        services.issue_held(
            session,
            type="hc",
            show_key=proofs.from_text(phone.fresh_key()["show_key"]),
            device_key_id=key.id,
            **held,
        )
        services.issue_held(session, type="hp", name=f"{canary.NAME[0]}*", **held)
