"""Names of recordings that lead elsewhere: however they are written, nothing else is read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from config.load import load
from engine import unseal
from engine.api.app import create_app
from engine.views import SoundView
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.test_unseal import folder

__all__ = ["folder"]  # fixture

SECRET = "planted outside of the recordings"
DAY = "2026-03-14"
WRITTEN = [
    "..", "%2e%2e", "%2E%2E", "%252e%252e", "..%2f..", "..%252f..", "%c0%ae%c0%ae", "....//", "..\\", "%5c..",
    ".%00.", "%EF%BC%8E%EF%BC%8E", "%2fetc", "file:", "~", DAY + "%2f..", DAY + "/..",
]  # fmt: skip
FILES = [
    "secret.wav",
    "%2e%2e%2fsecret.wav",
    "..%2fsecret.wav",
    "%2fsecret.wav",
    "secret.wav%00.opus",
    "secret.wav;.opus",
]


class Real(Node):
    """Recordings of a folder on the disk, found as a node finds them."""

    def __init__(self, config_folder: Path) -> None:
        super().__init__()
        self.config = load(config_folder, {})
        self.recordings = self.config.media.recording.directory
        (self.recordings / DAY).mkdir(parents=True)

    def recording(self, name: str) -> SoundView | None:
        path = unseal.find(self.config, name)
        return (
            None
            if path is None
            else SoundView(file=path.name, type="audio/wav", pieces=unseal.sound(path, {}))
        )


@pytest.fixture
def node(folder: Path) -> Real:
    made = Real(folder)
    for place in (made.recordings.parent, made.recordings, folder):
        (place / "secret.wav").write_text(SECRET * 3)
    (made.recordings / DAY / "own.opus").write_text("own sound" * 20)
    return made


def get(node: Real, *paths: str) -> list[httpx.Response]:
    """Paths go over the wire as they are written here."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=create_app(node, SETTINGS), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {WRITE}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://node", headers=headers) as client:
            return [await client.get(httpx.URL("http://node", raw_path=path.encode())) for path in paths]

    return asyncio.run(ask())


def test_no_way_of_writing_it_leads_out_of_the_folder(node: Real) -> None:
    paths = [f"/v1/recordings/{day}/{file}" for day in WRITTEN for file in FILES]
    paths += [f"/v1/recordings/{DAY}/{file}" for file in FILES if file != "secret.wav"]
    for path, answer in zip(paths, get(node, *paths), strict=True):
        assert answer.status_code in (404, 405, 422), path
        assert SECRET not in answer.text, path


def test_a_link_in_the_folder_leads_nowhere_else(node: Real) -> None:
    outside = node.recordings.parent / "secret.wav"
    (node.recordings / DAY / "link.wav").symlink_to(outside)
    (node.recordings / "2026-03-15").symlink_to(node.recordings.parent, target_is_directory=True)
    (node.recordings / DAY / "round.wav").symlink_to(node.recordings / DAY / "round.wav")
    answers = get(
        node,
        *(
            f"/v1/recordings/{each}"
            for each in (f"{DAY}/link.wav", "2026-03-15/secret.wav", f"{DAY}/round.wav")
        ),
        f"/v1/recordings/{DAY}/own.opus",
    )
    assert [each.status_code for each in answers] == [404, 404, 404, 200]
    assert not any(SECRET in each.text for each in answers)


def test_the_folder_itself_may_be_a_link(node: Real) -> None:
    real = node.recordings.with_name("elsewhere")
    node.recordings.rename(real)
    node.recordings.symlink_to(real, target_is_directory=True)
    (answer,) = get(node, f"/v1/recordings/{DAY}/own.opus")
    assert answer.status_code == 200
