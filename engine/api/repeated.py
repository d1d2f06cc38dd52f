"""A parameter of the query that is given twice is refused: whoever logs, checks or forwards a request may take
the first of them, and the route the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from inspect import isclass
from typing import Any, get_args, get_origin

from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from engine.api.problem import Problem

Named = Iterator[tuple[str, Any]]


async def each_once(connection: HTTPConnection) -> None:
    """The dependency of all routes. Raises Problem."""
    route = connection.scope.get("route")
    if not isinstance(route, APIRoute) or not connection.scope["query_string"]:
        return
    counts = Counter(name for name, _ in connection.query_params.multi_items())
    known = _known(route)
    errors = [
        {"where": f"query.{name}", "what": "is given more than once"}
        for name, count in counts.items()
        if count > 1 and known.get(name) is False
    ]
    if errors:
        raise Problem(422, "invalid-request", "a parameter is given more than once", errors=errors)


@lru_cache(maxsize=1024)
def _known(route: APIRoute) -> dict[str, bool]:
    """The parameters of a route's query, and whether they take several values."""
    fields = get_flat_dependant(route.dependant).query_params
    named = [(field.alias, field.field_info.annotation) for field in fields]
    return {name: _several(kind) for each in named for name, kind in _parts(*each)}


def _parts(alias: str, kind: Any) -> Named:
    """Of a model that has them, its fields."""
    if isclass(kind) and issubclass(kind, BaseModel):
        yield from ((field.alias or name, field.annotation) for name, field in kind.model_fields.items())
    else:
        yield alias, kind


def _several(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple, set, frozenset) or any(map(_several, get_args(kind)))
