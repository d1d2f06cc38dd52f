"""A wish that is sent again with its key is done once, whoever or whatever repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from engine.access.role import Role
from engine.api.app import ROUTERS, create_app
from engine.api.idempotency import Once
from tests.engine.access.stand import Stand, standing
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.card_samples import GOOD
from tests.engine.test_api import Client, refused
from tests.engine.test_api_access import Browser

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


# Twice is once without a key: what is asked is how something is to be from then on, or asks nothing; who
# signs in gets a session each time, and a factor that is begun anew takes the place of the one before.
BY_THEMSELVES = {
    *("pause_recording", "drain_node", "show_caption", "choose_near", "check_config", "plan_config"),
    *("begin_call", "sign_in", "enrol_totp", "give_up_totp"),
}


def test_every_write_that_makes_something_takes_a_key() -> None:
    app = create_app(Node(), SETTINGS)
    posts = {
        route.operation_id
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in route.methods
    }
    document = app.openapi()["paths"].values()
    keyed = {
        operation["operationId"]
        for methods in document
        for operation in methods.values()
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ()))
    }
    assert posts - keyed == BY_THEMSELVES


SHARES = "/v1/recordings/2026-01-01/r1-1.opus/shares"
SECRETS = [
    ("/v1/users", {"name": "eva", "role": "agent"}, "password"),
    ("/v1/tokens", {"name": "wall", "scopes": ["board"]}, "secret"),
    ("/v1/phones", None, "password"),
    (SHARES, {"note": "for the court"}, "path"),
]
APP = create_app(Node(), SETTINGS)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path) as made:
        made.user("admin", Role.ADMIN)
        yield made


@pytest.fixture
def ask(stand: Stand) -> Client:
    node = Node()
    node.sounds = {"2026-01-01/r1-1.opus": [b"sound"]}
    APP.state.view, APP.state.access, APP.state.once = node, stand.access, Once()
    return Client(APP)


@pytest.mark.parametrize(("path", "wish", "secret"), SECRETS)
def test_a_secret_is_told_again_to_who_asked_and_kept_where_nobody_reads_it(
    ask: Client, path: str, wish: Any, secret: str
) -> None:
    admin, elsewhere = Browser(ask, "admin"), Browser(ask, "admin")
    first, again = (admin("POST", path, json=wish, headers=KEY) for _ in range(2))
    assert first.status_code == again.status_code == 201, first.text
    assert first.json() == again.json() and len(first.json()[secret]) >= 16
    assert first.headers.get("etag") == again.headers.get("etag")
    (kept,) = APP.state.once._kept.values()
    assert first.json()[secret].encode() not in kept.answer.result() + repr(kept).encode()
    refused(elsewhere("POST", path, json=wish, headers=KEY), 409, "answered-already")
    assert admin("POST", path, json=wish, headers={"Idempotency-Key": "other"}).text != first.text


def test_a_call_is_judged_once_by_a_key() -> None:
    node = Node()
    ask = Client(create_app(node, SETTINGS))
    wish = {"form": "service", "answers": GOOD}
    first, again = (ask("POST", "/v1/calls/r1/scorecards", WRITE, json=wish, headers=KEY) for _ in range(2))
    assert first.status_code == 201 and first.json() == again.json()
    assert len(node.judged.of_call("r1")) == 1


def test_a_password_that_somebody_chose_is_not_kept_with_the_key(ask: Client) -> None:
    chosen = "a-rather-long-and-odd-one"
    wish = {"name": "eva", "role": "agent", "password": chosen}
    assert Browser(ask, "admin")("POST", "/v1/users", json=wish, headers=KEY).status_code == 201
    (kept,) = APP.state.once._kept.values()
    assert chosen not in repr(kept) and chosen.encode() not in kept.asked + kept.answer.result()
