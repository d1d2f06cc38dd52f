"""Recordings read back: over the API, and on the command line."""

from __future__ import annotations

import io
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.load import load
from engine import unseal
from engine.api.app import create_app
from engine.cli import main
from engine.command.parser import SHIPPED
from media.duplex import UNKNOWN_SIZE, wav_header
from media.sealed import Seal, Tampered
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused

SECRET = "a secret of thirty-two characters"
NAME = "2026-03-14/call-1.opus.sealed"
SOUND = [b"OggS first", b"OggS second", b"OggS last"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose key is `y1`, recordings in `rec` beside it."""
    made = tmp_path / "config"
    shutil.copytree(SHIPPED, made, ignore=shutil.ignore_patterns("*.py", "__pycache__", "prompts"))
    (tmp_path / "key").write_text(SECRET)
    media = made / "media.yaml"
    text = media.read_text("utf-8").replace("keys: {}", f"keys: {{y1: {{file: {tmp_path / 'key'}}}}}")
    media.write_text(text.replace("directory: recordings", f"directory: {tmp_path / 'rec'}"), "utf-8")
    return made


def write(path: Path, chunks: list[bytes] = SOUND, *, ended: bool = True) -> Path:
    """A sealed file."""
    seal = Seal("y1", SECRET, b"s" * 16)
    last = len(chunks) - 1 if ended else -1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        seal.header + b"".join(seal.chunk(data, last=n == last) for n, data in enumerate(chunks))
    )
    return path


def test_a_whole_file_is_said_to_be_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder.parent / "a.opus.sealed")
    assert main(["recordings", "verify", "--config", str(folder), str(path)]) == 0
    assert "whole" in capsys.readouterr().out


def test_a_changed_file_is_told_and_leaves_nothing_behind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder.parent / "a.opus.sealed")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert main(["recordings", "decrypt", "--config", str(folder), str(path)]) == 1
    assert "changed" in capsys.readouterr().err
    assert not list(path.parent.glob("a.opus*[!d]"))


def test_a_file_without_its_end_is_opened_as_far_as_it_goes_and_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder.parent / "a.opus.sealed", ended=False)
    assert main(["recordings", "decrypt", "--config", str(folder), str(path)]) == 1
    assert "no end" in capsys.readouterr().err
    assert path.with_name("a.opus").read_bytes() == b"".join(SOUND)


def test_another_key_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder.parent / "a.opus.sealed")
    (folder.parent / "key").write_text("x" * 40)
    assert main(["recordings", "verify", "--config", str(folder), str(path)]) == 1
    assert "y1" in capsys.readouterr().err


def test_a_sealed_wav_comes_with_its_true_length(tmp_path: Path) -> None:
    header = wav_header(8000, UNKNOWN_SIZE)
    path = write(tmp_path / "a.wav.sealed", [header + bytes(4000), bytes(8000), b""])
    data = b"".join(unseal.sound(path, {"y1": SECRET}))
    with wave.open(io.BytesIO(data)) as file:
        assert file.getnframes() == 3000 and file.getnchannels() == 2


def test_a_wav_that_was_cut_off_has_the_length_of_what_is_there(tmp_path: Path) -> None:
    header = wav_header(8000, UNKNOWN_SIZE)
    path = write(tmp_path / "a.wav.sealed", [header + bytes(4000), bytes(8000)], ended=False)
    path.write_bytes(path.read_bytes()[:-10])
    assert unseal.decrypt(path, tmp_path / "a.wav", {"y1": SECRET})
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() == 1000


@pytest.mark.parametrize("name", ["../etc/passwd", "2026-03-14/../../x.wav", "x.wav", "2026-03-14/a.txt", ""])
def test_only_names_of_recordings_lead_to_a_file(folder: Path, name: str) -> None:
    config = load(folder, {})
    write(config.media.recording.directory / NAME)
    assert unseal.find(config, NAME) is not None
    assert unseal.find(config, name) is None


# ------------------------------------------------------------------------------------------------- the API


@pytest.fixture
def node() -> Node:
    node = Node()
    node.sounds[NAME] = SOUND
    return node


@pytest.fixture
def ask(node: Node) -> Client:
    return Client(create_app(node, SETTINGS))


def test_a_recording_is_downloaded_open(ask: Client) -> None:
    answer = ask("GET", f"/v1/recordings/{NAME}", WRITE)
    assert answer.status_code == 200 and answer.content == b"".join(SOUND)
    assert answer.headers["content-type"] == "audio/ogg"
    assert "r1-1.opus" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"


def test_who_may_only_read_may_not_listen(ask: Client) -> None:
    refused(ask("GET", f"/v1/recordings/{NAME}", READ), 403, "forbidden")


def test_a_recording_that_is_not_there_is_not_found(ask: Client) -> None:
    refused(ask("GET", "/v1/recordings/2026-03-14/other.wav", WRITE), 404, "unknown-recording")


def test_a_recording_that_does_not_open_says_why(ask: Client, node: Node) -> None:
    def broken() -> Iterator[bytes]:
        raise Tampered("chunk 0 was changed")
        yield b""

    node.sounds[NAME] = broken()
    problem = refused(ask("GET", f"/v1/recordings/{NAME}", WRITE), 409, "illegal-state")
    assert "chunk 0" in problem["detail"]


def test_a_recording_is_paused_and_resumed_by_who_may_change(ask: Client, node: Node) -> None:
    assert ask("POST", "/v1/calls/c1/recording", WRITE, json={"paused": True}).status_code == 202
    assert ask("POST", "/v1/calls/c1/recording", WRITE, json={"paused": False}).status_code == 202
    assert node.paused == [("c1", True, "supervisor"), ("c1", False, "supervisor")]
    refused(ask("POST", "/v1/calls/c1/recording", READ, json={"paused": True}), 403, "forbidden")
    refused(ask("POST", "/v1/calls/c2/recording", WRITE, json={"paused": True}), 409, "illegal-state")
    refused(ask("POST", "/v1/calls/c9/recording", WRITE, json={"paused": True}), 404, "unknown-call")
    refused(ask("POST", "/v1/calls/c1/recording", WRITE, json={"paused": "yes"}), 422, "invalid-request")


def test_recorded_calls_are_listed(ask: Client) -> None:
    answer = ask("GET", "/v1/recordings?limit=1").json()
    assert len(answer["items"]) == 1 and answer["next"]
