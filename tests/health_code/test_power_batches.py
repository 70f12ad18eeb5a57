"""The batch door: a registered key, row by row, all or nothing, and a cap two people can lift."""

import json

import approvals_world
import people
import power_world as world
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citizen_cloud.modules.health_code.rules import signatures

HEADER = (
    "document_type,document_number,name,kind,detail,occurred_at,evidence_class,evidence_reference"
)


@pytest.fixture
def source(client):
    return world.source(client)


def csv_of(rows, *, encoding="utf-8", header=HEADER):
    lines = [header, *(",".join(str(row[name]) for name in HEADER.split(",")) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def test_a_registered_source_reports_and_the_colour_follows(client, source):
    someone = people.citizen()
    answer = world.report(client, source, [world.row(someone)])
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["accepted"]) == ("received", 1)
    assert world.colour(someone) == "red"
    [(kind, approval_id, batch_id)] = world.events(someone)
    assert (kind, approval_id, str(batch_id)) == ("test_result", None, answer.json["id"])


def test_where_the_evidence_lies_is_kept_sealed(client, source):
    someone = people.citizen()
    world.report(client, source, [world.row(someone)])
    sealed = world.value(
        "SELECT details_sealed FROM health_code.event WHERE person_id = :p", p=someone.person_id
    )
    assert sealed
    assert b"LAB-2026-0412" not in bytes(sealed)


def test_staff_with_the_permission_are_no_source(client, source):
    officer = people.staff(people.hall())
    answer = world.report(
        client,
        source,
        [world.row(people.citizen())],
        headers={**officer.headers, "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json["code"]) == (403, "not_a_source")


def test_a_system_an_administrator_registered_alone_is_no_source(client, app):
    rogue = world.system(client, people.hall())
    someone = people.citizen()
    answer = world.report(client, rogue, [world.row(someone)])
    assert (answer.status_code, answer.json["code"]) == (403, "not_a_source")
    assert world.events(someone) == []


def test_the_secret_of_a_source_is_worth_nothing_without_its_key(client, source):
    """An administrator can give a system another secret; the key he does not have."""
    thief = world.System(
        client_id=source.client_id, account_id=source.account_id, token=source.token
    )
    someone = people.citizen()
    answer = world.report(client, thief, [world.row(someone)])
    assert (answer.status_code, answer.json["code"]) == (403, "signature_invalid")
    assert world.alarms() == ["signature_invalid"]
    assert world.events(someone) == []


@pytest.mark.parametrize("change", ["body", "reference", "partial"])
def test_the_signature_is_over_every_byte_the_id_and_the_mode(client, source, change):
    rows = [world.row(people.citizen())]
    sent = {"batch_id": "b-1", "partial": False, "rows": rows}
    body = json.dumps(sent).encode()
    signed = source.sign(
        "b-2" if change == "reference" else "b-1",
        body + b" " if change == "body" else body,
        partial=change == "partial",
    )
    headers = {**source.headers, signatures.HEADER: signed, "Content-Type": "application/json"}
    answer = client.post("/api/v1/health-code/events/batch", data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "signature_invalid")


def test_a_p256_key_signs_as_well():
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    signed = signatures.message("b-1", b"{}", partial=False)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    facts = {"algorithm": "ES256", "public_key": point, "signed": signed}
    assert signatures.key_of("ES256", world.b64(point)) == point
    assert signatures.is_signed(**facts, signature=raw)
    assert not signatures.is_signed(**facts, signature=raw[:-1] + bytes([raw[-1] ^ 1]))
    assert not signatures.is_signed(**{**facts, "signed": signed + b"x"}, signature=raw)
    assert signatures.key_of("ES256", world.b64(b"\x05" + point[1:])) is None


def test_every_row_is_accepted_or_rejected_and_nothing_is_applied_with_a_wrong_one(client, source):
    right = people.citizen()
    rows = [
        world.row(right),
        world.row(right, detail="maybe"),
        world.row(right, occurred_at="2099-01-01T00:00:00+08:00"),
        world.row(right, occurred_at="yesterday"),
        world.row(right, evidence_reference="x"),
        world.row(right, document_number="123"),
        world.row(right, name="7"),
    ]
    rows.append(dict(rows[0]))
    answer = world.report(client, source, rows)
    assert (answer.status_code, answer.json["code"]) == (422, "batch_rejected")
    report = answer.json["report"]
    assert [(fault["row"], fault["code"]) for fault in report["errors"]] == [
        (2, "detail_invalid"),
        (3, "in_future"),
        (4, "instant_required"),
        (5, "evidence_required"),
        (6, "document_invalid"),
        (7, "name_invalid"),
        (8, "repeated"),
    ]
    assert report["rows_in"] == report["accepted"] + report["rejected"] == 8
    assert world.events(right) == []
    sql = "SELECT payload FROM audit.entry WHERE action = 'health_code.batch_refused'"
    assert world.value(sql)["rejected"] == 7


def test_the_right_rows_alone_are_taken_where_that_is_asked_for(client, source):
    right = people.citizen()
    rows = [world.row(right), world.row(right, name="7")]
    answer = world.report(client, source, rows, partial=True)
    assert answer.status_code == 200
    assert (answer.json["accepted"], answer.json["rejected"]) == (1, 1)
    assert len(world.events(right)) == 1


def test_a_kind_the_source_was_not_registered_for_is_a_wrong_row(client, app):
    made = world.source(client, kinds=("recovery",))
    answer = world.report(client, made, [world.row(people.citizen())])
    assert answer.json["report"]["errors"][0]["code"] == "kind_not_permitted"


def test_the_same_batch_again_is_the_same_report(client, source):
    someone = people.citizen()
    rows = [world.row(someone)]
    first = world.report(client, source, rows, reference="b-7")
    again = world.report(client, source, rows, reference="b-7")
    assert first.json == again.json
    assert len(world.events(someone)) == 1


def test_one_id_stands_for_one_content(client, source):
    world.report(client, source, [world.row(people.citizen())], reference="b-7")
    other = world.report(client, source, [world.row(people.citizen())], reference="b-7")
    assert (other.status_code, other.json["code"]) == (422, "batch_id_reused")


def test_above_the_hourly_cap_a_batch_waits_for_two_approvers(client, app):
    source = world.source(client, cap=2)
    crowd = [people.citizen() for _ in range(3)]
    assert world.report(client, source, [world.row(crowd[0])]).status_code == 200
    answer = world.report(client, source, [world.row(one) for one in crowd[1:]])
    assert (answer.status_code, answer.json["status"]) == (202, "waiting")
    assert [world.colour(one) for one in crowd] == ["red", "none", "none"]
    assert world.alarms() == ["above_cap"]
    proposal_id = world.value("SELECT proposal_id FROM health_code.batch WHERE status = 'waiting'")
    first, second = approvals_world.approvers()
    assert world.decide(client, first, proposal_id).json["status"] == "open"
    assert world.colour(crowd[1]) == "none"
    assert world.decide(client, second, proposal_id).json["status"] == "applied"
    assert [world.colour(one) for one in crowd] == ["red", "red", "red"]
    assert world.events(crowd[1])[0][1] == proposal_id
    path = f"/api/v1/health-code/events/batches/{answer.json['id']}"
    seen = client.get(path, headers=source.headers)
    assert seen.json["status"] == "released"


def test_what_waits_lies_sealed_and_is_forgotten_when_refused(client, app):
    source = world.source(client, cap=1)
    crowd = [people.citizen() for _ in range(2)]
    world.report(client, source, [world.row(one) for one in crowd])
    [row] = world.rows("SELECT rows_sealed, proposal_id FROM health_code.batch")
    assert str(crowd[0].person_id).encode() not in bytes(row.rows_sealed)
    world.decide(client, approvals_world.approver(), row.proposal_id, "reject")
    world.hear()
    [after] = world.rows("SELECT status, rows_sealed FROM health_code.batch")
    assert tuple(after) == ("refused", None)
    assert world.events(crowd[0]) == []


def test_nobody_asks_to_let_a_batch_pass_but_the_rule(client, app):
    source = world.source(client, cap=1)
    world.report(client, source, [world.row(people.citizen()) for _ in range(2)])
    batch_id = world.value("SELECT id FROM health_code.batch")
    answer = world.propose(
        client,
        people.admin(),
        "health_code.release_batch",
        {"batch_id": str(batch_id)},
        reason="above_cap",
    )
    assert answer.status_code == 403


def test_a_retired_source_reports_nothing_and_what_waits_of_it_does_not_pass(client, app):
    source = world.source(client, cap=1)
    crowd = [people.citizen() for _ in range(2)]
    world.report(client, source, [world.row(one) for one in crowd])
    source_id = world.value("SELECT id FROM health_code.source")
    retire = world.propose(
        client,
        people.admin(),
        "health_code.retire_source",
        {"source_id": str(source_id)},
        reason="misuse",
    )
    assert world.agree(client, retire).json["status"] == "applied"
    assert world.report(client, source, [world.row(crowd[0])]).json["code"] == "not_a_source"
    proposal_id = world.value("SELECT proposal_id FROM health_code.batch")
    first, second = approvals_world.approvers()
    world.decide(client, first, proposal_id)
    assert world.decide(client, second, proposal_id).json["status"] == "failed"
    assert world.events(crowd[0]) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_same_comes_as_a_file(client, source, encoding):
    someone = people.citizen()
    content = csv_of([world.row(someone)], encoding=encoding)
    answer = world.report_file(client, source, content)
    assert answer.status_code == 200, answer.text
    assert world.colour(someone) == "red"


def test_rows_of_a_file_count_as_a_spreadsheet_does(client, source):
    someone = people.citizen()
    content = csv_of([world.row(someone), world.row(someone, name="7")]) + b"short,row\r\n"
    answer = world.report_file(client, source, content)
    faults = [(one["row"], one["code"]) for one in answer.json["report"]["errors"]]
    assert faults == [(3, "name_invalid"), (4, "column_count")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (csv_of([]), "no_rows"),
        (csv_of([], header="name,kind"), "columns_wrong"),
        (csv_of([]) + b"resident_id,110", "truncated"),
        (csv_of([]) + b'"resident_id', "unbalanced_quotes"),
        (csv_of([]) + b"x," * 7 + b"y\r\n" + "王".encode()[:2], "truncated"),
        (csv_of([]) + b"\xff\xfe\x00\r\n", "encoding_unknown"),
        (csv_of([]) + b"a,b\rc", "line_ends"),
        (csv_of([]) + (b"a," * 7 + b"b\r\n") * 20_001, "too_many_rows"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_whole(client, source, content, code):
    answer = world.report_file(client, source, content)
    assert (answer.status_code, answer.json["code"]) == (422, "batch_unreadable")
    assert answer.json["report"]["code"] == code
    assert world.value("SELECT count(*) FROM health_code.batch") == 0


def test_of_a_file_nobody_signed_nothing_is_read(client, source):
    answer = world.report_file(client, source, b"\0", signature="q" * 86)
    assert (answer.status_code, answer.json["code"]) == (403, "signature_invalid")


def test_another_source_does_not_see_the_batch(client, source):
    made = world.report(client, source, [world.row(people.citizen())])
    path = f"/api/v1/health-code/events/batches/{made.json['id']}"
    assert client.get(path, headers=source.headers).status_code == 200
    assert client.get(path, headers=world.source(client).headers).status_code == 404


@pytest.mark.parametrize(
    "change",
    [{"algorithm": "ES256"}, {"client_id": str(people.new_id())}, {"public_key": "A" * 44}],
)
def test_an_unfit_system_or_key_is_not_even_proposed(client, app, change):
    payload = {**world.source_payload(world.system(client, people.hall())), **change}
    answer = world.propose(
        client, people.admin(), "health_code.register_source", payload, reason="new_source"
    )
    assert (answer.status_code, answer.json["code"]) == (422, "source_unfit")


def test_a_pharmacys_system_cannot_be_a_source(client, app):
    payload = world.source_payload(world.system(client, people.pharmacy()))
    answer = world.propose(
        client, people.admin(), "health_code.register_source", payload, reason="new_source"
    )
    assert (answer.status_code, answer.json["code"]) == (422, "source_unfit")


def test_neither_system_nor_key_is_registered_twice(client, source):
    admin = people.admin()
    again = world.propose(
        client,
        admin,
        "health_code.register_source",
        world.source_payload(source),
        reason="new_source",
    )
    assert (again.status_code, again.json["code"]) == (409, "source_exists")
    other = world.system(client, people.hall())
    payload = {**world.source_payload(other), "public_key": source.public_key}
    copied = world.propose(
        client, admin, "health_code.register_source", payload, reason="new_source"
    )
    assert copied.json["code"] == "source_exists"
