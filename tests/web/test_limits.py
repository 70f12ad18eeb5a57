"""Counting passages: in Redis by one round trip, in memory without it, never failing."""

import pytest
from redis import Redis as Client

from citizen_cloud.cache import Cache
from citizen_cloud.embedded.account import account_for
from citizen_cloud.embedded.redis import Redis
from citizen_cloud.errors import TooMany
from citizen_cloud.web.limits import FEWEST_SWEPT, Limiter, Untold, Windows
from citizen_cloud.web.marks import Limit

THREE = Limit(rate="3/minute", by="account")


@pytest.fixture
def redis(cluster, tmp_path):
    server = Redis(cluster.run, account_for(cluster.cluster), log=tmp_path / "redis.log")
    if not server.start():
        pytest.skip("no Redis program here")
    yield server
    server.stop()


@pytest.fixture(params=["redis", "memory"])
def limiter(request):
    url = request.getfixturevalue("redis").url if request.param == "redis" else None
    return Limiter(Cache(url))


def test_the_fourth_passage_is_refused_with_the_seconds_to_wait(limiter):
    left = [limiter.hit(THREE, "door", "me").remaining for _ in range(3)]
    assert left == [2, 1, 0]
    with pytest.raises(TooMany) as refused:
        limiter.hit(THREE, "door", "me")
    assert 55 <= refused.value.facts["retry_after"] <= 60


def test_doors_callers_and_rates_are_counted_apart(limiter):
    for door, key, limit in (
        ("door", "me", THREE),
        ("other", "me", THREE),
        ("door", "you", THREE),
        ("door", "me", Limit(rate="9/hour", by="account")),
    ):
        assert limiter.hit(limit, door, key).remaining in (2, 8)


def test_workers_share_one_count(redis):
    one, other = Limiter(Cache(redis.url)), Limiter(Cache(redis.url))
    assert one.hit(THREE, "door", "me").remaining == 2
    assert other.hit(THREE, "door", "me").remaining == 1


def test_counting_asks_redis_once(redis):
    limiter = Limiter(Cache(redis.url))
    limiter.hit(THREE, "door", "me")
    client = Client(unix_socket_path=str(redis.socket))

    def calls():
        return client.info("commandstats")["cmdstat_evalsha"]["calls"]

    before = calls()
    standing = limiter.hit(THREE, "door", "me")
    assert calls() == before + 1
    assert (standing.limit, standing.policy) == (3, "3;w=60")
    assert 55 <= standing.reset_s <= 60


def passages(limiter, limit, key="me"):
    """Return how many pass before the first is refused."""
    for number in range(1_000):
        try:
            limiter.hit(limit, "door", key)
        except TooMany:
            return number
    raise AssertionError("nobody is refused")


def test_a_worker_tells_redis_of_an_accounts_passages_by_the_twentieth(redis):
    limiter = Limiter(Cache(redis.url))
    client = Client(unix_socket_path=str(redis.socket))
    forty = Limit(rate="40/minute", by="account")
    left = [limiter.hit(forty, "door", "me").remaining for _ in range(5)]
    assert left == [39, 38, 37, 36, 35]
    # Two on its own word, told with the third; two more on its own word.
    assert [client.get(key) for key in client.scan_iter()] == [b"3"]
    assert passages(limiter, forty) == 35


@pytest.mark.parametrize(("rate", "by", "allowed"), [
    ("60/minute", "account", 60 + 3),
    ("19/minute", "account", 19),
    ("60/minute", "address", 60),
])  # fmt: skip
def test_two_workers_let_a_twentieth_more_pass_and_only_of_large_limits(redis, rate, by, allowed):
    limit = Limit(rate=rate, by=by)
    one, other = Limiter(Cache(redis.url)), Limiter(Cache(redis.url))
    first = passages(one, limit)
    assert first + passages(other, limit) <= allowed
    with pytest.raises(TooMany):
        one.hit(limit, "door", "me")


def test_passages_on_a_workers_own_word_end_with_their_window_and_are_forgotten():
    now = [0.0]
    untold = Untold(monotonic=lambda: now[0])
    assert [untold.count("me", 60, 2) for _ in range(3)] == [(1, 60), (2, 60), None]
    untold.told("me", 7, 30)
    assert untold.count("me", 60, 2) == (8, 30)
    now[0] = 30
    assert untold.count("me", 60, 2) == (1, 60)
    for number in range(FEWEST_SWEPT * 3):
        now[0] += 1
        untold.count(f"key{number}", 60, 2)
    assert len(untold) <= FEWEST_SWEPT + 1


@pytest.mark.parametrize("garbage", [b"\xff\x00", "words", "1e999"])
def test_garbage_in_redis_counts_in_memory(redis, garbage):
    limiter = Limiter(Cache(redis.url))
    limiter.hit(THREE, "door", "me")
    client = Client(unix_socket_path=str(redis.socket))
    (key,) = client.keys()
    client.set(key, garbage)
    assert limiter.hit(THREE, "door", "me").remaining == 2


def test_a_counter_without_an_end_gets_one(redis):
    limiter = Limiter(Cache(redis.url))
    limiter.hit(THREE, "door", "me")
    client = Client(unix_socket_path=str(redis.socket))
    (key,) = client.keys()
    client.set(key, "1000")
    with pytest.raises(TooMany):
        limiter.hit(THREE, "door", "me")
    assert 0 < client.ttl(key) <= 60


def test_a_window_ends_and_ended_ones_are_forgotten():
    now = [0.0]
    windows = Windows(monotonic=lambda: now[0])
    assert [windows.count("me", 60) for _ in range(2)] == [(1, 60), (2, 60)]
    now[0] = 59.5
    assert windows.count("me", 60) == (3, 1)
    now[0] = 60
    assert windows.count("me", 60) == (1, 60)
    for number in range(FEWEST_SWEPT * 3):
        now[0] += 1
        windows.count(f"key{number}", 60)
    assert len(windows) <= FEWEST_SWEPT + 1
