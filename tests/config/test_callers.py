"""Callers from pages, and the servers that they find their way with: what is taken, and what is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load

TURN = '  ice_servers: [{{urls: ["{}"], {}}}]'


def test_keys_origins_and_turn_are_read(edit, folder: Path):
    (folder / "turn.secret").write_text("hush\n")
    server = TURN.format("turns:turn.example.com:5349?transport=tcp", "secret: {file: turn.secret}")
    edit("media.yaml", "  ice_servers: []", server)
    edit("api.yaml", "origins: []", "origins: [https://www.Example.com]")
    config = load(folder, {})
    (read,) = config.media.webrtc.ice_servers
    assert read.relays and read.secret is not None and read.secret.reveal() == "hush"
    assert config.api.callers.origins == ("https://www.example.com",)
    assert config.with_secrets(lambda name: name * 3).api.callers.keys["shipped"].reveal()


@pytest.mark.parametrize(
    ("file", "old", "new", "problem", "remedy"),
    [
        ("api.yaml", "key: shipped", "key: shiped", "no key 'shiped'", "callers.keys"),
        ("api.yaml", "token_s: 300", "token_s: 5", "token_s|5", "10"),
        ("api.yaml", "origins: []", "origins: [example.com]", "origin of a page", "https://"),
        ("media.yaml", "  relay: auto", "  relay: forced", "leads nowhere", "TURN server"),
        (
            "media.yaml",
            "  ice_servers: []",
            TURN.format("http://x", "username: x"),
            "no STUN or TURN",
            "turn:HOST",
        ),
        (
            "media.yaml",
            "  ice_servers: []",
            TURN.format("turn:x", "username: x"),
            "without a password",
            "secret",
        ),
        (
            "media.yaml",
            "  ice_servers: []",
            TURN.format("turn:x", "secret: {generated: true}"),
            "is the",
            "file",
        ),
        ("media.yaml", "  resume_s: 30", "  resume_s: -1", "-1", "0"),
    ],
)
def test_mistakes_are_told_with_a_remedy(
    edit, faults, file: str, old: str, new: str, problem: str, remedy: str
):
    edit(file, old, new)
    (fault,) = faults()
    text = str(fault)
    assert any(part in text for part in problem.split("|")) and remedy in text, text
