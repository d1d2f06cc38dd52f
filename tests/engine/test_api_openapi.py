"""The API's description of itself is complete, and true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from engine.access import errors
from engine.api import schemas
from engine.api.app import ROUTERS, create_app
from engine.api.documented import model_of
from engine.api.settings import Settings
from engine.api.unchanged import HEADER
from tests.engine.api_node import SETTINGS, Node
from tests.project.tree import ROOT, files, syntax

DOCUMENT: dict[str, Any] = create_app(Node(), SETTINGS).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
GUARDED = {name: operation for name, operation in OPERATIONS.items() if " /v1/" in name}
OPEN = {"sign_in", "sign_in_by_oidc", "finish_oidc"}  # by which somebody becomes known


def every(operations: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("operation", operations.values(), ids=operations.keys())


def test_nothing_is_served_that_is_not_described() -> None:
    served = {
        f"{method} {route.path.replace(':path}', '}')}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert served == set(OPERATIONS)


@every(OPERATIONS)
def test_every_operation_has_a_name_a_summary_and_a_tag(operation: dict[str, Any]) -> None:
    assert operation["operationId"] and operation["summary"]
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}


def test_no_two_operations_share_a_name() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))


@every(GUARDED)
def test_every_operation_of_v1_needs_a_token_and_says_what_comes_without(operation: dict[str, Any]) -> None:
    if operation["operationId"] in OPEN:
        assert "security" not in operation
    else:
        assert operation["security"] == [{"token": []}, {"session": []}]
    assert {"401", "403"} <= set(operation["responses"])


@every(GUARDED)
def test_whoever_has_to_be_known_may_have_to_wait_and_the_store_may_be_away(
    operation: dict[str, Any],
) -> None:
    """A user's token or session is looked up in the store, and guesses at tokens are slowed."""
    if operation.get("security"):
        assert {"429", "503"} <= set(operation["responses"])


@every(OPERATIONS)
def test_what_takes_a_parameter_or_body_says_what_comes_of_a_wrong_one(operation: dict[str, Any]) -> None:
    asked = {each["name"] for each in operation.get("parameters", ())} - {HEADER}  # of which nothing is wrong
    if asked or "requestBody" in operation:
        assert "422" in operation["responses"]
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        assert "404" in operation["responses"]
    if "requestBody" in operation:
        assert {"409", "413"} <= set(operation["responses"])


@every(OPERATIONS)
def test_every_refusal_is_a_problem_with_an_example(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        assert answer["description"]
        if status >= "400" and operation["operationId"] != "get_health":
            assert list(answer["content"]) == ["application/problem+json"]
            example = answer["content"]["application/problem+json"]["example"]
            assert schemas.Problem.model_validate(example).status == int(status)


@every(OPERATIONS)
def test_every_parameter_is_explained(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description"), parameter["name"]


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_body_has_an_example_that_is_valid(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    if "enum" in schema or name == "Fault":
        return
    model = model_of(name)
    assert schema["examples"]
    for example in schema["examples"]:
        TypeAdapter(model).validate_python(example)
        assert set(example) <= set(schema["properties"])


def test_the_manual_shows_every_operation_and_loads_nothing_from_elsewhere() -> None:
    from tests.engine.test_api import Client

    ask = Client(create_app(Node(), SETTINGS))
    answer = ask("GET", "/docs", None)
    assert answer.status_code == 200
    for operation in OPERATIONS.values():
        assert f'id="{operation["operationId"]}"' in answer.text
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            for name, value in attrs:
                if name in ("src", "href"):
                    assert (value or "").startswith("/")

    Reader().feed(answer.text)
    assert "script" not in seen and "table" in seen
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_manual_can_be_left_out() -> None:
    from tests.engine.test_api import Client

    ask = Client(create_app(Node(), Settings(docs=False)))
    assert ask("GET", "/docs", None).status_code == 404
    assert ask("GET", "/v1/openapi.json", None).json()["openapi"].startswith("3.1")


# --- problems -------------------------------------------------------------------------------------

PROBLEM = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \| .+ \|$", re.MULTILINE)
OF_FRAMEWORK = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}  # answered in its own words


def kinds(kind: type) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


def named_in_code() -> Iterator[tuple[str, int]]:
    """Problems that the code raises or answers by name, with their status."""
    for path in files(".py"):
        if path.parts[:2] != ("engine", "api") and path.parts != ("engine", "whip.py"):
            continue
        for node in ast.walk(syntax(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            literals = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            if node.func.id == "not_found":
                yield f"unknown-{literals[0]}", 404
            for status, name in pairwise(literals):
                named = isinstance(status, int) and isinstance(name, str) and status >= 400
                if node.func.id in ("Problem", "reply", "Refused") and named:
                    yield name, status


def in_openapi() -> Iterator[tuple[str, int]]:
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            example = answer.get("content", {}).get("application/problem+json", {}).get("example")
            if example is not None:
                yield example["type"].rpartition(":")[2], int(status)


def test_every_problem_is_told_with_its_status() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    told = {(name, int(status)) for name, status in PROBLEM.findall(page)}
    of_access = {(each.name, each.status) for each in kinds(errors.AccessError)}
    framework = {(each.phrase.lower().replace(" ", "-"), each.value) for each in OF_FRAMEWORK}
    assert told == {*named_in_code(), *in_openapi(), *of_access, *framework}
