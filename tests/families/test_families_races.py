"""Two at once: with real threads, on a database of their own."""

import threading
from collections import Counter

import family_world as world
import people
import pytest

from citizen_cloud.app import create_app
from citizen_cloud.portal.state import HOST

AT_ONCE = 8


@pytest.fixture
def server(fresh_database):
    app = create_app(fresh_database.settings)
    app.testing = True
    host = app.extensions[HOST]
    host.switchboard.take({name: ("active", {}) for name in host.modules})
    yield app
    host.database.dispose()


def at_once(app, *calls):
    """Begin all calls together; return what each answered, in order."""
    barrier = threading.Barrier(len(calls), timeout=20)
    answers = [None] * len(calls)

    def run(number, call):
        client = app.test_client(use_cookies=False)
        barrier.wait()
        answers[number] = call(client)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def codes(answers):
    return Counter(answer.json.get("code", answer.status_code) for answer in answers)


def test_many_requests_at_once_leave_eight_dependants(server):
    me = people.citizen()
    numbers = [people.document() for _ in range(10)]
    calls = [lambda c, n=n: world.ask(c, me, n) for n in numbers]
    assert codes(at_once(server, *calls)) == {202: 8, "dependants_full": 2}


def test_one_person_asked_for_at_once_is_asked_for_once(server):
    me, number = people.citizen(), people.document()
    calls = [lambda c: world.ask(c, me, number)] * AT_ONCE
    seen = codes(at_once(server, *calls))
    assert seen[202] == 1
    assert world.rows("SELECT count(*) FROM families.link WHERE status = 'pending'") == [(1,)]


def test_two_who_ask_for_each_other_at_once_get_one_request(server):
    for _ in range(4):
        one, two = people.citizen(), people.citizen()
        answers = at_once(
            server,
            lambda c, a=one, b=two: world.ask(c, a, b.document_number),
            lambda c, a=one, b=two: world.ask(c, b, a.document_number),
        )
        assert codes(answers) == {202: 1, "proxy_cycle": 1}


def test_two_who_become_a_childs_second_guardian_at_once(server):
    client = server.test_client(use_cookies=False)
    first, number = people.citizen(), people.document(world.CHILD)
    world.child_of(client, first, number=number)
    others = [people.citizen() for _ in range(3)]
    asked = [world.ask(client, one, number, relation="child").json["id"] for one in others]
    calls = [lambda c, r=r: world.decide(c, first, r) for r in asked]
    assert codes(at_once(server, *calls)) == {200: 1, "guardians_full": 2}


def test_control_without_the_lock_a_child_would_get_a_third_guardian(server, monkeypatch):
    """The race is real: with the lock off, both count before either has written."""
    from citizen_cloud.families.services import writing

    client = server.test_client(use_cookies=False)
    first, number = people.citizen(), people.document(world.CHILD)
    world.child_of(client, first, number=number)
    others = [people.citizen() for _ in range(2)]
    asked = [world.ask(client, one, number, relation="child").json["id"] for one in others]
    check, barrier = writing.check_guardians, threading.Barrier(2, timeout=10)

    def both_count(*args, **facts):
        check(*args, **facts)
        barrier.wait()

    monkeypatch.setattr(writing, "lock_people", lambda *_: None)
    monkeypatch.setattr(writing, "check_guardians", both_count)
    calls = [lambda c, r=r: world.decide(c, first, r) for r in asked]
    assert codes(at_once(server, *calls)) == {200: 2}


def test_an_attempt_repeated_at_once_is_written_once(server):
    me, person = people.citizen(), people.citizen()
    calls = [lambda c: world.get(c, "/me/bookings", me, person.person_id)] * AT_ONCE
    assert codes(at_once(server, *calls)) == {"proxy_not_permitted": AT_ONCE}
    assert world.looks(person.person_id) == [("families.proxy.any", "refused", "none")]


def test_no_request_that_begins_after_a_revocation_is_served(server):
    """With requests in flight all the while, on several connections."""
    client = server.test_client(use_cookies=False)
    me, person = people.citizen(), people.citizen()
    link_id = world.agreed(client, me, person)
    booked = people.booking(person, people.offer())
    ended, stop = threading.Event(), threading.Event()
    before, after = Counter(), Counter()

    def keep_asking():
        mine = server.test_client(use_cookies=False)
        while not stop.is_set():
            is_late = ended.is_set()
            answer = world.get(mine, f"/bookings/{booked}", me, person.person_id)
            (after if is_late else before)[answer.status_code] += 1

    threads = [threading.Thread(target=keep_asking) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    while before[200] < 3 * AT_ONCE:
        ended.wait(0.01)
    gone = client.delete(f"/api/v1/me/proxies/{link_id}", headers=person.headers)
    ended.set()
    assert gone.status_code == 204
    while sum(after.values()) < 3 * AT_ONCE:
        stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert before[200] >= 3 * AT_ONCE
    assert set(after) == {403}
