import threading
from uuid import uuid4

import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.audit.services import Act, record, seal, verify


def act(number=0):
    return Act(
        actor_kind="admin",
        actor_id=uuid4(),
        action="module.off",
        object_type="module",
        object_id=uuid4(),
        payload={"n": number, "reason": "试验"},
    )


def write(count, start=0):
    with db.transaction() as session:
        for number in range(count):
            record(session, act(start + number))


def sealed():
    with db.transaction() as session:
        return seal(session)


def findings():
    with db.transaction() as session:
        return verify(session)


def test_entries_are_chained_without_gaps(fresh_database):
    write(30)
    assert sealed() == 30
    write(5)
    assert sealed() == 5
    assert sealed() == 0
    assert findings() == []


def test_small_batches_seal_each_entry_once(fresh_database):
    for start in range(20):
        write(3, start)
    total = 0
    for _ in range(40):
        with db.transaction() as session:
            total += seal(session, most=7)
    assert total == 60
    assert findings() == []


def test_an_entry_of_a_transaction_still_running_is_sealed_after_it(fresh_database):
    with fresh_database.database.transaction() as slow:
        record(slow, act(1))
        slow.flush()
        write(4)
        # The slow transaction is older: nothing behind it may be sealed before it is over.
        assert sealed() == 0
    assert sealed() == 5
    assert findings() == []


def test_two_sealers_never_fork_the_chain(fresh_database):
    write(200)
    done = []
    threads = [threading.Thread(target=lambda: done.append(sealed())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed()
    assert findings() == []
    with db.statement() as connection:
        assert connection.scalar(text("SELECT count(*), max(number) FROM audit.seal")) == 200


def test_an_act_is_written_with_the_business_or_not_at_all(fresh_database):
    with pytest.raises(RuntimeError), db.transaction() as session:
        record(session, act())
        raise RuntimeError
    with db.statement() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit.entry")) == 0
