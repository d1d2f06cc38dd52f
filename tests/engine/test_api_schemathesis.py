"""Odd requests against the API's own description, each from everybody there may be: no fault of ours, no
answer it does not name. `make soak` asks many more (tests/engine/soak_requests.py).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
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

from schemathesis.python.asgi import get_client  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

EXAMPLES = int(os.environ.get("ISOGLOSS_REQUESTS", "1"))  # of each operation
THOROUGH = EXAMPLES > 10
# As often as this asks, callers would be slowed down.
OFTEN = replace(SETTINGS, callers=Callers(per_source_min=1_000_000))


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def description(context: object, value: object) -> bytes:
    return str(value).encode()


SCRATCH = tempfile.TemporaryDirectory(prefix="isogloss-schemathesis-", ignore_cleanup_errors=True)
STAND = Stand(Path(SCRATCH.name))
api = schemathesis.openapi.from_asgi("/v1/openapi.json", create_app(Node(), OFTEN, access=STAND.access))
api.config.phases.coverage.enabled = THOROUGH  # every bound of every parameter
api.config.generation.update(with_security_parameters=False)


def everybody() -> dict[str, dict[str, str]]:
    """What each sends who may be there: programs of the configuration's, every role, and nobody known."""
    found = {
        "writer": {"Authorization": f"Bearer {WRITE}"},
        "reader": {"Authorization": f"Bearer {READ}"},
    }
    for role in Role:
        user = STAND.user(role, role)
        secret = asyncio.run(STAND.desk.open(user, How.PASSWORD, "192.0.2.7")).secret
        found[role] = {
            "Cookie": f"{COOKIE}={secret}",
            "X-CSRF-Token": csrf_of(secret),
            "Origin": "http://testserver",
        }
    return found | {"nobody": {}}


PEOPLE = everybody()
CLIENT = get_client(api.app)
CLIENT.trust_env = False  # proxies, which would be looked for at each request


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield
    STAND.close()


@api.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_of_anybody_finds_a_fault_or_an_answer_that_is_not_described(
    case: schemathesis.Case,
) -> None:
    if case.path == "/v1/live":  # answers without end: tests/engine/live/test_api_live.py
        return
    for headers in PEOPLE.values():
        answer = case.call(headers=headers, session=CLIENT)
        # No schema can say which cursors were given out, nor who may what (test_api_matrix.py); nor, where
        # every bound is tried, that an end comes after its beginning or which password is weak.
        unsaid = [ignored_auth]
        if THOROUGH or "bad-cursor" in answer.text or answer.status_code in (401, 403):
            unsaid.append(positive_data_acceptance)
        if answer.status_code == 413:  # a refusal as well, which Schemathesis does not take for one
            unsaid.append(negative_data_rejection)
        case.validate_response(answer, excluded_checks=unsaid)
