"""A wish that is sent again with its key is done once, whoever or whatever repeats it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.app import create_app
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused

KEY = {"Idempotency-Key": "7f1c"}


class Counting(Node):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def tell_agent(self, agent: str, text: str, by: str) -> int:
        self.count += 1
        return 1

    def replay(self, hook: str, seqs: Any) -> int:
        self.count += 1
        return self.count


@pytest.mark.parametrize(
    ("path", "wish", "other"),
    [
        ("/v1/agents/alice/notes", {"text": "hello"}, {"text": "bye"}),
        ("/v1/hooks/crm/replay", {}, {"seqs": [7]}),
        ("/v1/lines/carrier/probes", {"number": "+442071838999"}, {"number": "+442071838998"}),
    ],
)
def test_what_is_asked_again_is_answered_again_and_done_once(
    path: str, wish: dict[str, Any], other: dict[str, Any]
) -> None:
    node = Counting()
    ask = Client(create_app(node, SETTINGS))
    first, again = (ask("POST", path, WRITE, json=wish, headers=KEY) for _ in range(2))
    assert first.status_code == again.status_code == 202 and first.json() == again.json()
    assert node.count <= 1
    refused(ask("POST", path, WRITE, json=other, headers=KEY), 422, "idempotency-key-reused")
