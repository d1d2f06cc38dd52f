"""JsSIP and SIP.js themselves, run by Node.js: signalling as in a page, with a stand-in for its media.

They are where tests/browser/npm.py looks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.npm import MODULES, package
from tests.interop.node import Node

SCRIPT = Path(__file__).with_name("webphones.cjs")


def run(node: Node, library: str, scenario: str) -> list[str]:
    """What the library says of itself."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed (Debian: nodejs)")
    package(library)
    command = ["node", "--experimental-websocket", "--no-warnings", str(SCRIPT)]
    done = subprocess.run(
        [*command, library, scenario, f"wss://{node.address('wss')}/ws", node.domain],
        env=os.environ | {"NODE_PATH": str(MODULES), "NODE_TLS_REJECT_UNAUTHORIZED": "0"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_jssip_registers_and_unregisters(node: Node) -> None:
    assert run(node, "jssip", "register") == ["registered outbound", "unregistered"]


def test_sip_js_registers_and_unregisters(node: Node) -> None:
    assert run(node, "sip.js", "register") == ["registered", "unregistered"]


def test_jssip_calls_and_is_called(node: Node) -> None:
    assert run(node, "jssip", "call") == ["confirmed", "ended"]
    assert node.record("gus")["reason"] == "completed"
