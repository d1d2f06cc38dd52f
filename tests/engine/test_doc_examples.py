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

import yaml

from config.hook import HookSettings
from config.secret import Secret
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
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.store_samples import NODE, T0
from tests.project.tree import ROOT

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


@asynccontextmanager
async def node() -> AsyncIterator[dict[str, str]]:
    """A node that serves, and what an example needs to find it."""
    loop = asyncio.get_running_loop()
    made = Node()
    feed = Feed(Hub(Tree(), "e0"), Source(made, Belonging, lambda: T0), loop.time, loop.call_later)
    server = ApiServer(create_app(made, SETTINGS, live=feed), "127.0.0.1", 0)
    await server.start()
    try:
        yield {"NODE": f"http://127.0.0.1:{server.port}", "TOKEN": WRITE}
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

    live, report, table, hooks, replayed = asyncio.run(run())
    assert live.startswith("id: e0-") and "event: snapshot" in live and '"c1"' in live
    assert '"formula_words"' in report and "agent,offered,answered" in table
    assert '"crm"' in hooks and replayed == '{"events":1}'


def test_the_program_that_watches_keeps_what_goes_on(tmp_path: Path) -> None:
    (source,) = examples("monitoring.md", "python")
    program = tmp_path / "live.py"
    program.write_text(source, "utf-8")

    async def run() -> str:
        async with node() as env:
            return await output(sys.executable, str(program), env=env | {"ONCE": "1"})

    assert asyncio.run(run()) == "['c1', 'c2']\n"


def test_the_receiver_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    (source,) = examples("integrating.md", "python")
    program = tmp_path / "receiver.py"
    program.write_text(source, "utf-8")

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
                signed = headers(secret, "n1-1", at, body)
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
