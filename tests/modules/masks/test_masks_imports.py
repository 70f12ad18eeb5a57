"""Stock files through the staff's door and the platform's command, on the real database."""

import io
from datetime import timedelta
from pathlib import Path

import masks_world as world
import pytest
from click.testing import CliRunner
from masks_world import API
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.cli import masks as cli
from citizen_cloud.modules.masks.rules.refusals import RowsRejected
from citizen_cloud.modules.masks.services import known
from citizen_cloud.modules.masks.services.imports import StockFile, import_stock
from citizen_cloud.web.caller import Grant

SHARED = Path(__file__).parents[4] / "shared" / "data" / "mask-stock-2020-03-03.csv"
HEADER = "outlet_code,window_on,half,product_class,capacity\n"
NHI = "醫事機構代碼,醫事機構名稱,醫事機構地址,醫事機構電話,成人口罩剩餘數,兒童口罩剩餘數,來源資料時間\n"


@pytest.fixture
def outlet(app):
    world.campaign()
    return world.outlet(code="PH001")


@pytest.fixture
def clerk(outlet):
    return world.clerk(outlet)


def tomorrow(days=1):
    return str(world.today() + timedelta(days=days))


def row(code="PH001", capacity=100, half="am", days=1, product_class="adult"):
    return f"{code},{tomorrow(days)},{half},{product_class},{capacity}\n"


def send(client, who, content, *, name="stock.csv", **form):
    raw = content.encode() if isinstance(content, str) else content
    data = {"file": (io.BytesIO(raw), name), **form}
    return client.post(
        f"{API}/staff/imports", data=data, headers=who.headers, content_type="multipart/form-data"
    )


def capacities():
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT o.code, f.half, s.capacity FROM masks.offer f "
                "JOIN booking.slot s ON s.id = f.slot_id "
                "JOIN organisations.organisation o ON o.id = f.organisation_id"
            )
        )
        return {(r.code, r.half): r.capacity for r in rows}


def test_a_clerk_sends_stock_and_the_same_file_changes_nothing(client, clerk):
    content = HEADER + row() + row(half="pm", capacity=30)
    first = send(client, clerk, content)
    assert first.status_code == 200, first.json
    assert (first.json["rows_in"], first.json["accepted"], first.json["rejected"]) == (2, 2, 0)
    assert (first.json["changed"], first.json["unchanged"], first.json["applied"]) == (2, 0, True)
    assert (first.json["encoding"], len(first.json["checksum"])) == ("utf-8", 64)
    before = snapshot()
    again = send(client, clerk, content)
    assert (again.json["changed"], again.json["unchanged"]) == (0, 2)
    assert snapshot() == before
    assert capacities() == {("PH001", "am"): 100, ("PH001", "pm"): 30}


def snapshot():
    with db.transaction() as session:
        return [
            session.execute(text(sql)).all()
            for sql in (
                "SELECT * FROM masks.offer ORDER BY slot_id",
                "SELECT * FROM booking.slot ORDER BY id",
                "SELECT id, version, name::text, address FROM organisations.organisation ORDER BY id",
                "SELECT count(*) FROM masks.stock_import",
            )
        ]


def test_a_new_number_replaces_the_old_one_and_an_older_file_counts_again(client, clerk):
    for capacity, changed in ((100, 1), (80, 1), (100, 1), (100, 0)):
        answer = send(client, clerk, HEADER + row(capacity=capacity))
        assert answer.json["changed"] == changed
        assert capacities() == {("PH001", "am"): capacity}


def test_one_wrong_row_holds_back_all_unless_partial(client, clerk):
    content = HEADER + row() + row(half="noon") + row(code="OTHER", half="pm")
    refused = send(client, clerk, content)
    assert (refused.status_code, refused.json["code"]) == (422, "rows_rejected")
    report = refused.json["report"]
    assert (report["rows_in"], report["accepted"], report["rejected"]) == (3, 1, 2)
    assert report["applied"] is False
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [
        (3, "half", "half_required"),
        (4, "outlet_code", "unknown_outlet"),
    ]
    assert all(e["message"] for e in report["errors"])
    assert capacities() == {}
    done = send(client, clerk, content, partial="true")
    assert (done.status_code, done.json["accepted"], done.json["rejected"]) == (200, 1, 2)
    assert done.json["rows_in"] == done.json["accepted"] + done.json["rejected"]
    assert capacities() == {("PH001", "am"): 100}


def test_words_of_a_report_follow_the_callers_language(client, clerk):
    refused = client.post(
        f"{API}/staff/imports",
        data={"file": (io.BytesIO((HEADER + row(half="noon")).encode()), "x.csv")},
        headers={**clerk.headers, "Accept-Language": "en"},
        content_type="multipart/form-data",
    )
    assert refused.json["report"]["errors"][0]["message"] == "am or pm is expected."


def test_another_outlets_code_looks_unknown(client, clerk):
    world.outlet("别家药店", code="PH002")
    theirs = send(client, clerk, HEADER + row(code="PH002"))
    absent = send(client, clerk, HEADER + row(code="PH003"))
    codes = [r.json["report"]["errors"][0]["code"] for r in (theirs, absent)]
    assert codes == ["unknown_outlet", "unknown_outlet"]


def test_stock_never_falls_below_what_is_reserved(client, clerk, outlet):
    assert send(client, clerk, HEADER + row(capacity=10)).status_code == 200
    offer_id = world.value("SELECT slot_id FROM masks.offer")
    assert world.book(client, world.citizen(), offer_id, 2).status_code == 201
    refused = send(client, clerk, HEADER + row(capacity=1) + row(half="pm"))
    assert refused.json["report"]["errors"][0]["code"] == "below_reserved"
    assert capacities() == {("PH001", "am"): 10}
    done = send(client, clerk, HEADER + row(capacity=1) + row(half="pm"), partial="true")
    assert (done.json["accepted"], done.json["rejected"]) == (1, 1)
    assert capacities() == {("PH001", "am"): 10, ("PH001", "pm"): 100}


def test_a_row_overtaken_by_a_booking_takes_its_whole_round_back(session, outlet, monkeypatch):
    """A booking between look and write: the row is reported, and nothing of it was applied."""
    file = StockFile(
        raw=(HEADER + row(capacity=10)).encode(),
        grant=Grant(organisation_ids=frozenset({outlet})),
        actor=world.SYSTEM,
    )
    assert import_stock(session, file=file).changed == 1
    session.execute(text("UPDATE booking.slot SET taken = 5"))
    monkeypatch.setattr(known.Known, "_count_fault", lambda *_: None)
    lower = StockFile(
        raw=(HEADER + row(capacity=3) + row(half="pm", capacity=7)).encode(),
        grant=file.grant,
        actor=world.SYSTEM,
        partial=True,
    )
    report = import_stock(session, file=lower)
    assert [(f.row, f.code) for f in report.faults] == [(2, "below_reserved")]
    assert (report.accepted, report.rejected, report.changed) == (1, 1, 1)
    assert session.scalars(text("SELECT capacity FROM booking.slot ORDER BY capacity")).all() == [
        7,
        10,
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (lambda: row(days=40), "no_campaign"),
        (lambda: row(product_class="child"), "no_campaign"),
        (lambda: row(days=-1), "no_campaign"),
        (lambda: row() + row(), "repeated"),
    ],
)
def test_rows_that_fit_no_campaign_are_reported(client, clerk, line, code):
    refused = send(client, clerk, HEADER + line())
    assert [e["code"] for e in refused.json["report"]["errors"]] == [code]


def test_two_campaigns_on_a_day_leave_the_choice_to_the_platform(client, clerk, outlet):
    second = world.campaign()
    refused = send(client, clerk, HEADER + row())
    assert refused.json["report"]["errors"][0]["code"] == "campaign_ambiguous"
    world.offer(second, outlet, capacity=5)
    done = send(client, clerk, HEADER + row())
    assert (done.status_code, done.json["changed"]) == (200, 1)
    assert capacities() == {("PH001", "am"): 100}


def test_a_closed_outlet_and_an_overlapping_half_day_are_reported(client, clerk, outlet):
    campaign = world.value("SELECT id FROM masks.campaign")
    from datetime import time

    world.offer(campaign, outlet, half="am", begin=time(8), end=time(15))
    refused = send(client, clerk, HEADER + row(half="pm"))
    assert refused.json["report"]["errors"][0]["code"] == "windows_overlap"
    world.value(
        "UPDATE organisations.organisation SET status = 'closed' WHERE id = :id RETURNING 1",
        id=outlet,
    )
    closed = send(client, clerk, HEADER + row(half="pm", days=2))
    assert closed.json["report"]["errors"][0]["code"] == "outlet_closed"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty_file"),
        ((HEADER + "x").encode("utf-16"), "utf16"),
        (b"outlet_code,window_on\n1,2\n", "columns_missing"),
        (b"PK\x03\x04nothing", "not_a_sheet"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(client, clerk, raw, code):
    refused = send(client, clerk, raw)
    assert (refused.status_code, refused.json["code"]) == (422, "file_refused")
    report = refused.json["report"]
    assert report["errors"][0]["code"] == code
    assert (report["rows_in"], report["applied"]) == (0, False)


def test_the_form_itself_is_checked(client, clerk, outlet):
    path = f"{API}/staff/imports"
    assert client.post(path, json={}, headers=clerk.headers).status_code == 415
    empty = client.post(
        path, data={"partial": "true"}, headers=clerk.headers, content_type="multipart/form-data"
    )
    assert empty.status_code == 422
    assert empty.json["errors"][0]["code"] == "file_required"
    assert send(client, clerk, HEADER + row(), partial="yes").status_code == 422
    assert send(client, clerk, HEADER + row(), note="x").status_code == 422
    citizen = world.citizen()
    assert send(client, citizen, HEADER + row()).status_code == 403


def test_the_same_key_repeats_the_report(client, clerk):
    who = type("Who", (), {"headers": {**clerk.headers, "Idempotency-Key": "i-1"}})
    first = send(client, who, HEADER + row())
    again = send(client, who, HEADER + row())
    assert first.json == again.json
    assert first.json["changed"] == 1


def test_staff_may_send_open_data_for_their_own_outlet(client, app):
    world.campaign()
    world.campaign(product_class="child")
    outlet = world.outlet(code="0145080011", register="nhi-tw", address="花蓮縣豐濱鄉1號")
    clerk = world.clerk(outlet)
    rows = "0145080011,甲,花蓮縣豐濱鄉1號,,5,6,2020/03/03 11:23:40\n"
    content = NHI + rows + rows.replace("0145080011", "0145080012")
    refused = send(client, clerk, content, on=tomorrow(), half="pm")
    assert {e["code"] for e in refused.json["report"]["errors"]} == {"unknown_outlet"}
    done = send(client, clerk, content, on=tomorrow(), half="pm", partial="true")
    assert (done.json["accepted"], done.json["rejected"], done.json["changed"]) == (1, 1, 1)
    names = world.value("SELECT count(*) FROM organisations.organisation WHERE register = 'nhi-tw'")
    assert names == 1


def test_an_import_is_kept_and_audited(client, clerk):
    send(client, clerk, HEADER + row())
    stored = world.value("SELECT report FROM masks.stock_import")
    assert (stored["accepted"], stored["changed"]) == (1, 1)
    payload = world.value("SELECT payload FROM audit.entry WHERE action = 'masks.stock_imported'")
    assert payload["checksum"] == stored["checksum"]


def run(fresh, monkeypatch, *arguments):
    monkeypatch.setattr(cli, "settings_of_run", lambda: fresh.settings)
    try:
        return CliRunner().invoke(cli.command, ["import", *map(str, arguments)])
    finally:
        db.install(fresh.database)


@pytest.mark.skipif(not SHARED.exists(), reason="the published file is not on this machine")
def test_the_published_file_becomes_outlets_and_offers_in_seconds(fresh_database, monkeypatch):
    done = run(fresh_database, monkeypatch, SHARED, "--on", tomorrow(), "--half", "am")
    assert done.exit_code == 0, done.output
    assert "6588 rows: 6588 accepted, 0 rejected, 6588 changed, 0 unchanged" in done.output
    seconds = float(done.output.rsplit(", ", 1)[1].split(" s)")[0])
    assert seconds < 15
    assert world.value("SELECT count(*) FROM organisations.organisation") == 6_588
    assert world.value("SELECT count(*) FROM masks.offer") == 13_176
    assert world.value("SELECT count(DISTINCT county) FROM organisations.organisation") == 22
    total = world.value("SELECT sum(capacity) FROM booking.slot")
    assert total == world.value("SELECT sum(capacity) FROM booking.slot WHERE status = 'open'")
    again = run(fresh_database, monkeypatch, SHARED, "--on", tomorrow(), "--half", "am")
    assert "0 changed, 6588 unchanged" in again.output


def test_the_command_refuses_in_words_and_leaves_nothing(fresh_database, monkeypatch, tmp_path):
    good = "0145080011,甲,花蓮縣豐濱鄉1號,,5,6,2020/03/03 11:23:40\n"
    bad = good.replace("0145080011", "145080011")
    file = tmp_path / "stock.csv"
    file.write_text(NHI + good + bad)
    done = run(fresh_database, monkeypatch, file, "--on", tomorrow(), "--half", "am")
    assert done.exit_code == 1
    assert "row 3, 醫事機構代碼" in done.output
    assert world.value("SELECT count(*) FROM organisations.organisation") == 0
    assert world.value("SELECT count(*) FROM masks.campaign") == 0
    done = run(fresh_database, monkeypatch, file, "--on", tomorrow(), "--half", "am", "--partial")
    assert "2 rows: 1 accepted, 1 rejected, 1 changed" in done.output
    later = run(fresh_database, monkeypatch, file, "--on", tomorrow(2), "--half", "pm", "--partial")
    assert later.exit_code == 0, later.output
    assert world.value("SELECT count(*) FROM masks.campaign") == 2
    missing = run(fresh_database, monkeypatch, file, "--partial")
    assert "names no day" in missing.output


def test_named_campaigns_take_the_numbers(fresh_database, monkeypatch, tmp_path):
    adult, child = world.campaign(), world.campaign(product_class="child")
    world.campaign()
    file = tmp_path / "stock.csv"
    file.write_text(NHI + "0145080011,甲,花蓮縣豐濱鄉1號,,5,6,2020/03/03 11:23:40\n")
    options = (
        "--on",
        tomorrow(),
        "--half",
        "am",
        "--campaign-adult",
        adult,
        "--campaign-child",
        child,
    )
    done = run(fresh_database, monkeypatch, file, *options)
    assert done.exit_code == 0, done.output
    assert (
        world.value(
            "SELECT count(*) FROM masks.offer WHERE campaign_id = ANY(:ids)", ids=[adult, child]
        )
        == 2
    )


def test_an_import_without_everything_right_raises_rows_rejected(session, outlet):
    file = StockFile(
        raw=(HEADER + row(half="noon")).encode(),
        grant=Grant(organisation_ids=frozenset({outlet})),
        actor=world.SYSTEM,
        language="en",
    )
    with pytest.raises(RowsRejected) as caught:
        import_stock(session, file=file)
    assert caught.value.facts["rejected"] == 1
