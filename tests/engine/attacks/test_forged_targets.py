"""Webhooks that are to lead a node to its own house: by the real courier, over real sockets, to a server that
is there and would answer. It hears nothing, however the way to it is written, named, renamed or pointed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from engine.editing import EDITABLE
from engine.hooks.courier import Courier, Standing
from engine.hooks.post import Post, Resolve, resolve
from tests.engine.hooks.receiver import Receiver, receiving, status
from tests.engine.hooks.test_courier import Bench, hook, story
from tests.engine.hooks.test_target import Turncoat

OK = status(200)
WRITTEN = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://127.8.8.8:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/",
    "http://0:{port}/", "http://0.0.0.0:{port}/", "http://[::1]:{port}/", "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/", "https://127.0.0.1:{port}/", "http://example.com@127.0.0.1:{port}/",
    "http://user:password@127.0.0.1:{port}/", "http://example.com%00@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/", "gopher://127.0.0.1:{port}/_POST", "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd", "//127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
]  # fmt: skip
SECRETS = [
    "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://2852039166/",
    "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
    "http://169.254.170.2/v2/credentials",
]  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.happens(*story("c1"))
    yield made
    made.store.dispose()


async def told(bench: Bench, url: str, *, private: bool = False, resolver: Resolve = resolve) -> Standing:
    """How a hook stands after the courier has told it what there is, or has not."""
    return (await all_told(bench, [url], private=private, resolver=resolver))[url]


async def all_told(
    bench: Bench, urls: Sequence[str], *, private: bool = False, resolver: Resolve = resolve
) -> dict[str, Standing]:
    """The same of as many hooks, by their URLs."""
    names = {url: f"hook{number}" for number, url in enumerate(urls)}
    bench.hooks = {name: hook(name, url, allow_private=private) for url, name in names.items()}
    courier = Courier(bench.outbox, Post(resolver), lambda: bench.hooks, lambda: bench.now, Random(1))
    await courier.round()
    return {url: courier.standings()[name] for url, name in names.items()}


def test_the_server_hears_what_is_meant_for_it(bench: Bench) -> None:
    """So that its silence is worth something."""

    async def play() -> tuple[Receiver, Standing]:
        async with receiving(lambda _: OK) as receiver:
            return receiver, await told(bench, receiver.url, private=True)

    receiver, standing = asyncio.run(play())
    assert len(receiver.got) == standing.told == 5


def test_no_way_to_write_it_leads_to_this_machine(bench: Bench) -> None:
    async def play() -> None:
        async with receiving(lambda _: OK) as receiver:
            found = await all_told(bench, [each.format(port=receiver.port) for each in WRITTEN])
            assert receiver.got == []
            assert [url for url, standing in found.items() if standing.told or not standing.error] == []

    asyncio.run(play())


@pytest.mark.parametrize("private", [False, True])
def test_where_clouds_keep_secrets_nothing_goes_even_if_private_addresses_may_be(
    bench: Bench, private: bool
) -> None:
    for url, standing in asyncio.run(all_told(bench, SECRETS, private=private)).items():
        assert standing.told == 0, url
        assert any(words in standing.error for words in ("hooks do not go there", "gaierror")), url


def test_a_name_that_leads_within_is_asked_of_a_real_server_and_not_followed(bench: Bench) -> None:
    async def play(address: str) -> None:
        server = Turncoat(address)
        serving = asyncio.create_task(server.serve())
        async with receiving(lambda _: OK) as receiver:
            url = f"http://hooks.example:{receiver.port}/"
            standing = await told(bench, url, resolver=server.resolve)
        serving.cancel()
        assert server.asked and receiver.got == [] and f"{address} is " in standing.error

    for address in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0"):
        asyncio.run(play(address))


def test_a_name_that_changes_its_mind_between_the_look_and_the_next_letter_is_not_followed(
    bench: Bench,
) -> None:
    """Where private addresses may be, so that the first is a real connection."""

    async def play() -> tuple[list[Receiver], list[Standing]]:
        server = Turncoat("127.0.0.1", *["127.0.0.1"] * 4, "169.254.169.254")
        serving = asyncio.create_task(server.serve())
        async with receiving(lambda _: OK) as receiver:
            url = f"http://rebound.example:{receiver.port}/"
            first = await told(bench, url, private=True, resolver=server.resolve)
            bench.happens(*story("c2"))
            second = await told(bench, url, private=True, resolver=server.resolve)
        serving.cancel()
        return [receiver], [first, second]

    (receiver,), (first, second) = asyncio.run(play())
    assert len(receiver.got) == first.told == 5 and second.told == 0
    assert "169.254.169.254 is" in second.error


@pytest.mark.parametrize("code", [302, 307])
def test_a_target_that_points_elsewhere_is_not_followed(bench: Bench, code: int) -> None:
    async def play() -> tuple[Receiver, Receiver, Standing]:
        async with (
            receiving(lambda _: OK) as within,
            receiving(lambda _: status(code, f"Location: {within.url}")) as outside,
        ):
            return within, outside, await told(bench, outside.url, private=True)

    within, outside, standing = asyncio.run(play())
    assert outside.got and within.got == [] and "redirects are not followed" in standing.error


def test_a_proxy_of_the_environment_is_told_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> tuple[Receiver, Receiver]:
        async with receiving(lambda _: OK) as proxy, receiving(lambda _: OK) as target:
            for name in ("http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
                monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            await told(bench, target.url, private=True)
            return proxy, target

    proxy, target = asyncio.run(play())
    assert proxy.got == [] and len(target.got) == 5


def test_who_edits_the_configuration_from_a_browser_names_no_target_of_the_nodes() -> None:
    """Hooks, providers of identity, collectors of SIP and of traces stand in files about the machine."""
    for name in (
        "hooks.yaml",
        "api.yaml",
        "sip.yaml",
        "store.yaml",
        "node.yaml",
        "media.yaml",
        "language.yaml",
    ):
        assert EDITABLE.fullmatch(name) is None
