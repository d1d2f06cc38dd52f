"""What docs/monitoring.md and docs/integrating.md show does what they say: every example is run."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from config.hook import HookSettings
from config.secret import Secret
from engine.access.access import Access
from engine.access.role import Role
from engine.api.app import create_app
from engine.api.server import ApiServer
from engine.hooks.cloud_event import cloud_event
from engine.hooks.post import Post
from engine.hooks.signing import headers
from engine.live.feed import Feed
from engine.live.hub import Hub
from engine.live.source import Belonging, Source
from engine.live.tree import Tree
from engine.store.rows import Entry
from tests.engine.access.stand import PASSWORD, standing
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.store_samples import NODE, T0
from tests.project.tree import ROOT
from tests.turns import turns

pytestmark = pytest.mark.real_time

EXAMPLE = re.compile(r"^```(bash|python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = HookSettings(name="crm", url="http://127.0.0.1/", secret=Secret("test", SECRET))
ENTRY = Entry(node=NODE, seq=1, at=T0, call="c1", kind="call.ended", data={"reason": "completed"})


def examples(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return [body for kind, body in EXAMPLE.findall(text) if kind == language]


async def output(*command: str, env: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    return out.decode()


def written(page: str, name: str, to: Path) -> Path:
    """The program of that name that a page shows."""
    (source,) = [each for each in examples(page, "python") if each.startswith(f"# {name}:")]
    program = to / name
    program.write_text(source, "utf-8")
    return program


@asynccontextmanager
async def running(program: Path, env: Mapping[str, str]) -> AsyncIterator[AsyncIterator[str]]:
    """A program's lines, while it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            yield (line.decode().rstrip() async for line in process.stdout)
    finally:
        process.kill()
        await process.wait()


class Env(dict[str, str]):
    """What an example needs to find its node; feed: of that."""

    feed: Feed


@asynccontextmanager
async def node(access: Access | None = None) -> AsyncIterator[Env]:
    """A node that serves, and what an example needs to find it."""
    loop = asyncio.get_running_loop()
    made = Node()
    feed = Feed(Hub(Tree(), "e0"), Source(made, Belonging, lambda: T0), loop.time, loop.call_later)
    server = ApiServer(create_app(made, SETTINGS, access=access, live=feed), "127.0.0.1", 0)
    await server.start()
    try:
        env = Env(NODE=f"http://127.0.0.1:{server.port}", TOKEN=WRITE)
        env.feed = feed
        yield env
    finally:
        feed.stop()
        await server.close()


def test_every_request_is_answered_as_it_says() -> None:
    async def run() -> list[str]:
        async with node() as env:
            told = []
            for page in ("monitoring.md", "integrating.md"):
                for command in examples(page, "bash"):
                    told.append(await output("bash", "-c", command, env=env))
            return told

    for _ in turns("what is told live within 2 s"):
        live, report, table, records, hooks, replayed, tried = asyncio.run(run())
        if live:
            break
    assert live.startswith("id: e0-") and "event: snapshot" in live and '"c1"' in live
    assert '"formula_words"' in report and "agent,offered,answered" in table
    assert '"call":"r2"' in records
    assert '"crm"' in hooks and replayed == '{"events":1}'
    assert '"why":"answered 503"' in tried


def test_the_program_that_watches_keeps_what_goes_on(tmp_path: Path) -> None:
    program = written("monitoring.md", "live.py", tmp_path)

    async def run() -> list[str]:
        async with node() as env, running(program, env) as lines:
            said = [await anext(lines)]
            for group in env.feed.hub._groups.values():  # everybody is sent away
                for reader in group.readers:
                    reader.cut()
            return [*said, await anext(lines)]

    # What comes after the break is not told anew.
    assert asyncio.run(run()) == ["snapshot ['c1', 'c2']", "delta ['c1', 'c2']"]


def test_a_token_is_made_and_asked_with(tmp_path: Path) -> None:
    program = written("integrating.md", "token.py", tmp_path)

    async def run(access: Access) -> str:
        async with node(access) as env:
            who = {"NAME": "maria", "PASSWORD": PASSWORD}
            return await output(sys.executable, str(program), env=env | who)

    with standing(tmp_path) as stand:
        stand.user("maria", Role.SUPERVISOR)
        assert asyncio.run(run(stand.access)) == "wallboard ['c1', 'c2']\n"
        assert ("maria", "create_token", "done") in stand.told()


def test_the_receiver_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    program = written("integrating.md", "receiver.py", tmp_path)

    async def run() -> tuple[list[bool], str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            env={**os.environ, "SECRET": SECRET, "PORT": "0"},
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            url = f"http://127.0.0.1:{(await process.stdout.readline()).split()[1].decode()}/"
            now, taken = time.time(), []
            body = cloud_event(HOOK, ENTRY, "support", "de")
            for secret, at in ((SECRET, now), (SECRET, now), ("whsec_AAAA", now), (SECRET, now - 3600)):
                signed = headers(["of another time", secret], "n1-1", at, body)
                outcome = await Post().send(url, signed, body, private=True, timeout_s=10.0)
                taken.append(outcome.taken)
            process.kill()
            out, _ = await process.communicate()
        return taken, out.decode()

    assert asyncio.run(run()) == ([True, True, False, False], "isogloss.call.ended c1\n")


def test_hooks_are_configured_as_the_page_shows() -> None:
    (shown,) = examples("integrating.md", "yaml")
    entry = yaml.safe_load(shown)["crm"]
    assert set(entry) <= {"url", "secret", "kinds", "personal"}
    assert HookSettings(name="crm", **entry | {"secret": Secret("test", SECRET)}).personal
