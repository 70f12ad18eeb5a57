"""A number changes hands: its next holder does not read the last one's inbox."""

import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.accounts.services import devices, sign_ins

ROOT = "/api/v1/me/messages"


@pytest.fixture
def owner(app):
    return people.citizen()


def on_another_device(owner):
    """Sign in to the owner's account elsewhere, as whoever holds the number can."""
    with db.transaction() as session:
        device = devices.recognise_or_add(
            session, account_id=owner.account_id, proof=None, name=None
        )
        issued = sign_ins.open_sign_in(
            session, account_id=owner.account_id, kind="citizen", device=device, amr="sms"
        )
        return device.id, {"Authorization": f"Bearer {issued.access_token}"}


def earlier(session, message_id):
    session.execute(
        text("UPDATE messages.message SET created_at = now() - interval '1 day' WHERE id = :id"),
        {"id": message_id},
    )


@pytest.fixture
def old_and_new(owner, session):
    """Return an old message, the stranger, and a message that came after him."""
    old = people.message(owner)
    earlier(session, old)
    device_id, stranger = on_another_device(owner)
    new = people.message(owner)
    return str(old), str(new), device_id, stranger


def seen(client, headers):
    answer = client.get(ROOT, headers=headers).json
    home = client.get("/api/v1/home", headers=headers).json
    return [item["id"] for item in answer["items"]], answer["unread"], home["unread_messages"]


def test_a_stranger_sees_what_came_after_his_device(client, owner, old_and_new):
    old, new, _, stranger = old_and_new
    assert seen(client, stranger) == ([new], 1, 1)
    assert seen(client, owner.headers) == ([new, old], 2, 2)


def test_a_stranger_cannot_read_an_old_message_by_its_id(client, owner, old_and_new):
    old, new, _, stranger = old_and_new
    answer = client.post(f"{ROOT}/{old}/read", headers=stranger)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert client.post(f"{ROOT}/{new}/read", headers=stranger).status_code == 200
    assert client.post(f"{ROOT}/{old}/read", headers=owner.headers).status_code == 200


def test_the_document_opens_the_whole_inbox(client, session, old_and_new):
    old, new, device_id, stranger = old_and_new
    session.execute(
        text("UPDATE accounts.device SET proven_at = now() WHERE id = :id"), {"id": device_id}
    )
    assert seen(client, stranger) == ([new, old], 2, 2)


def test_an_account_without_a_person_hides_nothing_from_its_devices(client, session, app):
    someone = people.citizen(1)
    old = people.message(someone)
    earlier(session, old)
    _, elsewhere = on_another_device(someone)
    assert seen(client, elsewhere) == ([str(old)], 1, 1)
