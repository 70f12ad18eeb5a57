"""What the doors give out, at a gate that works from the snapshot alone: good, and void in time."""

import io
import re
from datetime import timedelta

import family_world
import people
import pytest
from family_world import Statements, rows
from health_world import ILL, coloured, declared, reported, say
from PIL import Image, ImageDraw
from qr_reader import read
from showing_world import ROOT, close_account, credential, other_device, ready, register, send

from citizen_cloud import clock, db
from citizen_cloud.credentials import keys, qr, queries
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Outcome, Snapshot

ELDER = "19400101"


def snapshot(client):
    """Publish one and fetch it through the door, as a gate does."""
    with db.transaction() as session:
        publish(session)
    queries.forget()
    answer = client.get(f"{ROOT}/snapshot")
    assert answer.status_code == 200, answer.json
    return Snapshot.read(answer.text, keys.roots())


def at_gate(client, text, *, after=0, **gate):
    """Return what a gate says that fetched its snapshot just now."""
    verifier = OfflineVerifier(snapshot=snapshot(client), gate=Gate(**gate))
    return verifier.check(text, now=clock.now() + timedelta(seconds=after))


def outcome(client, phone, code):
    return at_gate(client, phone.show(code, clock.now())).outcome


def test_a_phone_shows_its_code_and_the_gate_sees_the_colour(client):
    me, phone = ready(client, "yellow")
    verdict = at_gate(client, phone.show(credential(client, me, phone), clock.now()))
    assert (verdict.outcome, verdict.type, verdict.colour) == (Outcome.VALID, "hc", "yellow")
    assert verdict.name is None


def test_showing_asks_no_server(client, database):
    me, phone = ready(client)
    code = credential(client, me, phone)
    with Statements(database.connection) as seen:
        texts = {phone.show(code, clock.now() + timedelta(seconds=30 * n)) for n in range(20)}
    assert seen == []
    assert len(texts) == 20


def test_a_thin_code_passes_where_thin_is_accepted_and_nowhere_else(client):
    me = coloured(people.citizen(), "green")
    code = send(client, "GET", "/code", me).json["code"]
    verdict = at_gate(client, code)
    assert (verdict.outcome, verdict.type, verdict.colour) == (Outcome.VALID, "ht", "green")
    assert at_gate(client, code, after=61).outcome is Outcome.EXPIRED
    strict = at_gate(client, code, types=frozenset({"hc"}))
    assert strict.outcome is Outcome.WRONG_TYPE


def paper_of(client, who):
    made = send(client, "POST", "/paper", who).json
    return send(client, "GET", f"/paper/{made['id']}", who).json["code"]


def test_a_paper_code_says_the_family_name_offline(client):
    me = coloured(people.citizen(birth=ELDER), "green")
    verdict = at_gate(client, paper_of(client, me))
    assert (verdict.outcome, verdict.type, verdict.name) == (Outcome.VALID, "hp", "王*")
    say(declared(me.person_id, said=ILL))
    code = paper_of(client, me)
    assert at_gate(client, code).colour == "yellow"
    say(reported(me.person_id))
    assert at_gate(client, code).outcome is Outcome.REVOKED


def changes_colour(client, me, phone):
    say(reported(me.person_id))


def removes_the_phone(client, me, phone):
    assert send(client, "DELETE", f"/devices/{me.device_id}", me).status_code == 204


def reports_it_lost(client, me, phone):
    elsewhere = other_device(me)
    path = f"/devices/{me.device_id}/lost"
    assert send(client, "POST", path, elsewhere).status_code == 204


def signs_the_phone_out(client, me, phone):
    path = f"/api/v1/me/devices/{me.device_id}"
    assert client.delete(path, headers=me.headers).status_code == 204
    family_world.deliver()


def registers_another_key(client, me, phone):
    register(client, me)


def closes_the_account(client, me, phone):
    close_account(client, me)


@pytest.mark.parametrize(
    "what",
    [
        changes_colour,
        removes_the_phone,
        reports_it_lost,
        signs_the_phone_out,
        registers_another_key,
        closes_the_account,
    ],
)
def test_whatever_ends_a_code_makes_it_void_in_the_next_snapshot(client, what):
    me, phone = ready(client)
    other, others = ready(client)
    code, kept = credential(client, me, phone), credential(client, other, others)
    assert outcome(client, phone, code) is Outcome.VALID
    what(client, me, phone)
    assert outcome(client, phone, code) is Outcome.REVOKED
    # And nobody else's code with it.
    assert outcome(client, others, kept) is Outcome.VALID


def test_the_snapshot_is_served_from_memory_with_its_tag(client, database):
    snapshot(client)
    with Statements(database.connection) as seen:
        first = client.get(f"{ROOT}/snapshot")
        again = client.get(f"{ROOT}/snapshot", headers={"If-None-Match": first.headers["ETag"]})
    assert seen == []
    assert first.mimetype == "application/jwt"
    assert (again.status_code, again.data) == (304, b"")
    age = re.search(r"max-age=([0-9]+)", first.headers["Cache-Control"])[1]
    assert int(age) <= 60
    assert first.text == client.get("/.well-known/credential-snapshot.jwt").text


def svg_as_png(svg):
    """Draw the one path of our pictures: runs of dark modules, row by row."""
    side = int(re.search(r'viewBox="0 0 ([0-9]+)', svg)[1])
    picture = Image.new("1", (side * 6, side * 6), 1)
    pen = ImageDraw.Draw(picture)
    for x, y, width in re.findall(r"M([0-9]+) ([0-9]+)h([0-9]+)v1", svg):
        left, top = int(x) * 6, int(y) * 6
        pen.rectangle((left, top, left + int(width) * 6 - 1, top + 5), fill=0)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def test_every_picture_the_doors_draw_is_read_back_and_names_nobody(client):
    me = coloured(people.citizen(birth=ELDER, name="欧阳小明"), "green")
    made = send(client, "POST", "/paper", me).json
    text = send(client, "GET", f"/paper/{made['id']}", me).json["code"]
    official = family_world.clerk()
    path = client.post(
        f"{ROOT}/staff/papers",
        json=family_world.shown(me.document_number, "欧阳小明"),
        headers=official.headers,
    ).headers["Location"]
    printed = client.get(path, headers=official.headers).json["code"]
    found = []
    for address, who, expected in (
        (f"{ROOT}/code", me, None),
        (f"{ROOT}/paper/{made['id']}", me, text),
        (path, official, printed),
    ):
        # The counter's paper ended the one before it.
        if expected == text:
            continue
        for accept in ("image/png", "image/svg+xml"):
            answer = client.get(address, headers={**who.headers, "Accept": accept})
            assert answer.status_code == 200, answer.json
            png = answer.data if accept == "image/png" else svg_as_png(answer.text)
            seen = read(png)
            assert expected in (None, seen)
            found.append(seen)
    assert len(found) == 4
    for seen in found:
        assert at_gate(client, seen).outcome is Outcome.VALID
        raw = str(_said(seen))
        for secret in ("小明", me.document_number, str(me.person_id), str(me.account_id)):
            assert secret not in raw
            assert secret not in seen


def _said(code):
    from phone import said_by

    from citizen_cloud.credentials import compact

    return said_by(compact.unpack(code))


def test_what_a_phone_draws_is_read_back_bound_or_not(client):
    me, phone = ready(client)
    code = credential(client, me, phone)
    for facts in ({}, {"nonce": b"n" * 16, "place_id": me.device_id}):
        text = phone.show(code, clock.now(), **facts)
        assert read(qr.png(text)) == text
        assert qr.version(text) <= 13


def test_a_registered_phone_never_tells_its_device_key_to_a_gate(client):
    me, phone = ready(client)
    text = credential(client, me, phone)
    assert phone.public_key not in text
    ((key,),) = rows("SELECT encode(public_key, 'hex') FROM credentials.device_key")
    assert key not in str(_raw(text))


def _raw(jws):
    from citizen_cloud.credentials import proofs

    return [proofs.from_text(part).hex() for part in jws.split(".")]
