"""Commands find their node and show it the right token, and no other."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from engine.running import Running
from tests.engine.api_node import READ
from tests.engine.backup.stand import House
from tests.engine.command.stand import Served, Shell


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is no node: what it was asked, and what it answers."""

    seen: list[dict[str, str]]
    answer: tuple[int, dict[str, str], bytes]

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, type[Elsewhere]]]:
    handler = type("Handler", (Elsewhere,), {"seen": [], "answer": (200, {}, b"hello")})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


def test_a_token_comes_from_a_file_or_the_environment(
    shell: Shell, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{served.token}\n")
    assert shell("queues", "--api", served.base, "--token-file", file).status == 0
    monkeypatch.setenv("ISOGLOSS_API_TOKEN_FILE", str(file))
    assert shell("queues", "--api", served.base).status == 0
    monkeypatch.setenv(
        "ISOGLOSS_API_TOKEN", "one that nobody knows"
    )  # goes before the file of the environment
    refused = shell("queues", "--api", served.base)
    assert refused.status == 2 and "the token is from ISOGLOSS_API_TOKEN: name another" in refused.err
    assert shell("queues", "--api", served.base, "--token-file", file).status == 0


@pytest.mark.parametrize("token", ["two\nlines", "caf\xe9", "\x1b[31m"])
def test_what_is_no_token_is_said_to_and_not_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", token)
    said = shell("queues", "--api", "http://127.0.0.1:9")
    assert said.status == 2 and "ISOGLOSS_API_TOKEN holds no token" in said.err
    assert not any(part in said.err for part in token.split())


def test_a_line_that_cannot_be_is_not_taken_for_a_node_that_is_away(asks: Shell) -> None:
    for line, words in (("no such line", "path.line"), ("../queues?x=", "Not Found")):
        said = asks("trunk", "test", line)
        assert said.status == 2 and words in said.err and "no node answers" not in said.err


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff", b"caf\xc3\xa9"])
def test_a_file_that_holds_no_token_is_said_to(shell: Shell, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    said = shell("queues", "--api", "http://127.0.0.1:9", "--token-file", file)
    assert said.status == 2 and str(file) in said.err


def test_what_a_token_may_not_is_said_with_where_it_came_from(
    shell: Shell, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOGLOSS_API_TOKEN", READ)
    said = shell("drain", "--api", served.base)
    assert said.status == 2 and "docs/access.md says which role may" in said.err


def test_the_configurations_token_is_not_shown_to_another_machine(shell: Shell, tmp_path: Path) -> None:
    said = shell("calls", "--api", "http://192.0.2.1:8080", "--data", tmp_path)
    assert said.status == 2 and "is not shown to another machine" in said.err


def test_an_answer_that_leads_elsewhere_is_not_followed(
    asks: Shell, served: Served, elsewhere: tuple[str, type[Elsewhere]]
) -> None:
    base, handler = elsewhere
    handler.answer = (302, {"Location": f"{served.base}/v1/calls"}, b"")
    said = asks("calls", "--api", base)
    assert said.status == 2 and f"leads on to {served.base}/v1/calls; name that address" in said.err
    assert len(handler.seen) == 1


def test_a_server_that_is_no_node_is_told_from_one(
    asks: Shell, elsewhere: tuple[str, type[Elsewhere]]
) -> None:
    base, handler = elsewhere
    said = asks("calls", "--api", base)
    assert said.status == 2 and "is no node's API" in said.err
    handler.answer = (500, {}, b"<html>")
    assert "answered 500" in asks("calls", "--api", base).err


def test_where_files_have_faults_the_version_that_ran_says_where_the_node_is(
    shell: Shell, tmp_path: Path, served: Served
) -> None:
    house = House(tmp_path)
    token = house.data / "secrets" / "api" / "console"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.write_text(served.token)
    (house.folder / "api.yaml").write_text("prot: 8081")
    here = ("--config", house.folder, "--data", house.data)
    said = shell("queues", *here)
    assert said.status == 2 and "no node answers at http://127.0.0.1:8080" in said.err
    Running(house.data).tell(served.base)
    assert shell("queues", *here).status == 0


def test_nobody_there_is_said_with_what_to_do(asks: Shell) -> None:
    said = asks("calls", "--api", "http://127.0.0.1:9")
    assert said.status == 2 and "Connection refused" in said.err and "`isogloss serve`" in said.err
    assert "no node answers at nonsense" in asks("calls", "--api", "nonsense").err


def test_a_reader_that_has_gone_is_no_fault(served: Served, tmp_path: Path) -> None:
    import subprocess
    import sys

    env = {**os.environ, "ISOGLOSS_API": served.base, "ISOGLOSS_API_TOKEN": served.token}
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "engine", "calls", "--json"]
    done = subprocess.run(command, env=env, stdout=write, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
