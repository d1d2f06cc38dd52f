"""Thousands of odd requests against the API's own description: no fault of ours, no answer it does not
name.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings

from engine.api.app import create_app
from engine.api.settings import Callers
from tests.engine.api_node import SETTINGS, WRITE, Node

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

# As often as this asks, callers would be slowed down.
OFTEN = replace(SETTINGS, callers=Callers(per_source_min=1_000_000))


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def description(context: object, value: object) -> bytes:
    return str(value).encode()


api = schemathesis.openapi.from_asgi("/v1/openapi.json", create_app(Node(), OFTEN))


@api.auth()
class Supervisor:
    def get(self, case: schemathesis.Case, context: object) -> str:
        return WRITE

    def set(self, case: schemathesis.Case, data: str, context: object) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@api.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_finds_a_fault_or_an_answer_that_is_not_described(case: schemathesis.Case) -> None:
    if case.path == "/v1/live":  # answers without end: tests/engine/live/test_api_live.py
        return
    answer = case.call()
    # No schema can say which cursors were given out.
    unsaid = [positive_data_acceptance] if "bad-cursor" in answer.text else []
    case.validate_response(answer, excluded_checks=unsaid)
