"""Thousands of odd requests against the API's own description: no fault of ours, no answer it does not
name.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engine.access.desk import csrf_of
from engine.access.principal import How
from engine.access.role import Role
from engine.api.app import create_app
from engine.api.identify import COOKIE
from engine.api.settings import Callers
from tests.engine.access.stand import Stand
from tests.engine.api_node import READ, SETTINGS, WRITE, Node

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

# As often as this asks, callers would be slowed down.
OFTEN = replace(SETTINGS, callers=Callers(per_source_min=1_000_000))


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def description(context: object, value: object) -> bytes:
    return str(value).encode()


STAND = Stand(Path(tempfile.mkdtemp(prefix="isogloss-schemathesis-")))
api = schemathesis.openapi.from_asgi("/v1/openapi.json", create_app(Node(), OFTEN, access=STAND.access))


def everybody() -> Iterator[dict[str, str]]:
    """What each sends who may be there: every role, and programs of the configuration's and of a user's."""
    yield {"Authorization": f"Bearer {WRITE}"}
    yield {"Authorization": f"Bearer {READ}"}
    for role in Role:
        secret = asyncio.run(STAND.desk.open(STAND.user(role, role), How.PASSWORD, "192.0.2.7")).secret
        yield {
            "Cookie": f"{COOKIE}={secret}",
            "X-CSRF-Token": csrf_of(secret),
            "Origin": "http://testserver",
        }


PEOPLE = cycle(list(everybody()))


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield
    STAND.close()


@api.auth()
class Somebody:
    def get(self, case: schemathesis.Case, context: object) -> dict[str, str]:
        return next(PEOPLE)

    def set(self, case: schemathesis.Case, data: dict[str, str], context: object) -> None:
        case.headers = {**(case.headers or {}), **data}


@api.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_finds_a_fault_or_an_answer_that_is_not_described(case: schemathesis.Case) -> None:
    if case.path == "/v1/live":  # answers without end: tests/engine/live/test_api_live.py
        return
    answer = case.call()
    # No schema can say which cursors were given out.
    unsaid = [positive_data_acceptance] if "bad-cursor" in answer.text else []
    case.validate_response(answer, excluded_checks=unsaid)
