"""Everything sealed or blind is written anew, once, while others write, wherever it is stopped."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import people
import pytest
from sqlalchemy import LargeBinary, text

from citizen_cloud import crypto, db
from citizen_cloud.accounts.identity import display_name_place
from citizen_cloud.cli import keys
from citizen_cloud.cli.keys import rewriting
from citizen_cloud.cli.keys.standing import count, report
from citizen_cloud.db import Base

# Found in no row that says what it is of: counts of a day, which keep to the older key.
COUNTS = {"accounts.otp_challenge.allowance", "accounts.otp_day.allowance"}


def declared(kind):
    return {
        f"{table.name}.{each.column}" for table in keys.declared() for each in vars(table)[kind]
    }


def test_every_sealed_or_blind_column_is_declared(shared_app, fresh_database):
    del shared_app
    binary = [
        (f"{table.fullname}.{column.name}", column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    ]
    sealed = {path for path, name in binary if name.endswith("_sealed") or name == "secret"}
    blind = {path for path, name in binary if name.endswith("_index")}
    assert sealed == declared("sealed")
    assert blind == declared("blind")
    assert {path for path, name in binary if name == "allowance"} == COUNTS


def test_the_places_declared_open_real_rows(full):
    rings = crypto.current()
    for table in keys.declared():
        opened = set()
        for rows in table.rows(100):
            for row in rows:
                for each in table.sealed:
                    if row[each.column] is not None:
                        rings.open(row[each.column], place=each.place.format(**row))
                        opened.add(each.column)
        if table.name.split(".")[0] in ("accounts", "jobs", "messages"):
            assert opened == {each.column for each in table.sealed}, table.name


def test_what_a_room_seals_with_its_own_words_is_what_it_declares(full):
    standing = count(keys.declared())
    assert set(standing.needed("field")) == {"k1"}
    assert set(standing.needed("lookup")) == {"k1"}


def test_after_a_rewrite_the_new_keys_alone_open_and_find_everything(full):
    city = full.city
    persons = city.rows("SELECT id, person_key FROM accounts.person ORDER BY id")
    city.turn("k2", "k1")
    before = count(keys.declared())
    tally = city.rewrite()
    assert (tally.missed, tally.unreadable) == (0, 0)
    assert tally.rewritten == sum(before.needed("field").values()) + sum(
        before.needed("lookup").values()
    )
    new = city.turn("k2")
    after = count(keys.declared())
    assert set(after.needed("field")) == set(after.needed("lookup")) == {"k2"}
    (sealed, index), *_ = city.rows(
        "SELECT phone_sealed, phone_index FROM accounts.account WHERE id = :id",
        id=full.someone.account_id,
    )
    assert new.open(sealed, place=full.phone_place) == full.phone
    assert index == new.lookup("phone", full.phone)
    assert city.rows("SELECT id, person_key FROM accounts.person ORDER BY id") == persons


def test_a_second_run_changes_nothing(full):
    full.city.turn("k2", "k1")
    assert full.city.rewrite().rewritten > 0
    before = full.city.rows("SELECT id, xmin FROM accounts.account ORDER BY id")
    assert full.city.rewrite().rewritten == 0
    assert full.city.rows("SELECT id, xmin FROM accounts.account ORDER BY id") == before


def test_a_run_that_is_stopped_goes_on_where_it_was(full, monkeypatch):
    city = full.city
    city.turn("k2", "k1")
    calls = iter(range(100))
    stored = rewriting._stored

    def until_the_power_goes(table, changes):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return stored(table, changes)

    monkeypatch.setattr(rewriting, "_stored", until_the_power_goes)
    with pytest.raises(KeyboardInterrupt):
        city.rewrite(batch=2)
    monkeypatch.undo()
    left = count(keys.declared()).needed("field")
    assert left["k1"] > 0
    assert left["k2"] > 0
    city.rewrite()
    assert set(count(keys.declared()).needed("field")) == {"k2"}


def rename(account_id, name):
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.account SET display_name_sealed = :n WHERE id = :id"),
            {
                "n": crypto.current().seal(name, place=display_name_place(account_id)),
                "id": account_id,
            },
        )


def name_of(city, account_id):
    (sealed,) = city.rows(
        "SELECT display_name_sealed FROM accounts.account WHERE id = :id", id=account_id
    )[0]
    return crypto.current().open(sealed, place=display_name_place(account_id))


def test_who_writes_between_reading_and_storing_wins(full, monkeypatch):
    city, clerk = full.city, full.clerk.account_id
    city.turn("k2", "k1")
    write = rewriting._write
    renamed = []

    def after_somebody_else(table, changes, tally):
        if table.name == "accounts.account" and not renamed:
            renamed.append(True)
            rename(clerk, "新名字")
        write(table, changes, tally)

    monkeypatch.setattr(rewriting, "_write", after_somebody_else)
    tally = city.rewrite(batch=100)
    assert renamed
    assert name_of(city, clerk) == "新名字"
    assert tally.missed == 0
    assert set(count(keys.declared()).needed("field")) == {"k2"}


def test_writers_and_two_runs_at_once_lose_nothing(full):
    city = full.city
    city.turn("k2", "k1")
    clerks = [people.staff(None, None).account_id for _ in range(6)]
    for number, clerk in enumerate(clerks):
        rename(clerk, f"before {number}")
    stop = threading.Event()
    last = {}

    def write(clerk):
        turn = 0
        while not stop.is_set():
            turn += 1
            last[clerk] = f"name {turn}"
            rename(clerk, last[clerk])
        return turn

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, clerk) for clerk in clerks]
        runs = [pool.submit(city.rewrite, 2) for _ in range(2)]
        for run in runs:
            assert run.result().unreadable == 0
        stop.set()
        assert all(writer.result() > 1 for writer in writers)
    assert {clerk: name_of(city, clerk) for clerk in clerks} == last
    city.rewrite()
    assert set(count(keys.declared()).needed("field")) == {"k2"}


def test_a_row_that_somebody_holds_is_left_for_later_and_holds_up_nothing(full):
    city = full.city
    city.turn("k2", "k1")
    began = time.monotonic()
    with city.fresh.database.transaction() as holder:
        holder.execute(
            text("SELECT 1 FROM accounts.account WHERE id = :id FOR UPDATE"),
            {"id": full.clerk.account_id},
        )
        tally = city.rewrite(batch=100)
    assert tally.missed == 1
    assert time.monotonic() - began < 15
    left = count(keys.declared()).needed("field")
    assert left["k1"] == 3, "a clerk's name and second factors"
    assert city.rewrite().missed == 0


def test_what_no_key_opens_is_counted_and_left_alone(full):
    city = full.city
    city.turn("k2")
    tally = city.rewrite()
    assert tally.unreadable == sum(count(keys.declared()).needed("field").values())
    assert tally.rewritten == 0
    lines = "\n".join(report(count(keys.declared()), crypto.current()))
    assert "field k1: not held" in lines


def test_the_verdict_names_a_key_only_when_nothing_needs_it(full):
    city = full.city
    rings = city.turn("k2", "k1")
    before = "\n".join(report(count(keys.declared()), rings))
    assert "field k1: still needed by" in before
    assert "lookup k1: still needed by" in before
    city.rewrite()
    after = "\n".join(report(count(keys.declared()), rings))
    assert "field k1: safe to remove" in after
    assert "lookup k1: safe to remove" in after
