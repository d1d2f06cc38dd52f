"""A parameter of the query that is given twice is refused: whoever logs, checks or forwards a request may
take the first of them, and the route the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import isclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from engine.api.problem import Problem


async def each_once(connection: HTTPConnection) -> None:
    """The dependency of all routes. Raises Problem."""
    route = connection.scope.get("route")
    if not isinstance(route, APIRoute) or not connection.scope["query_string"]:
        return
    counts = Counter(name for name, _ in connection.query_params.multi_items())
    known = parameters_of(route.endpoint)
    errors = [
        {"where": f"query.{name}", "what": "is given more than once"}
        for name, count in counts.items()
        if count > 1 and known.get(name) is False
    ]
    if errors:
        raise Problem(422, "invalid-request", "a parameter is given more than once", errors=errors)


@lru_cache(maxsize=1024)
def parameters_of(endpoint: Callable[..., Any]) -> dict[str, bool]:
    """The parameters of a route's query, and whether they take several values."""
    hints = get_type_hints(endpoint, include_extras=True)
    return {name: _several(kind) for each in hints.items() for name, kind in _named(*each)}


def _named(name: str, hint: Any) -> Iterator[tuple[str, Any]]:
    """What a route's argument is called in the query; of a model that has them, its fields."""
    kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    query = next((mark for mark in marks if isinstance(mark, Query)), None)
    if query is None:
        return
    if isclass(kind) and issubclass(kind, BaseModel):
        yield from ((field.alias or own, field.annotation) for own, field in kind.model_fields.items())
    else:
        yield query.alias or name, kind


def _several(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple, set, frozenset) or any(map(_several, get_args(kind)))
