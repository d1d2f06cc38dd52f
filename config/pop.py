"""Templates of pages that agents are shown for a call: a URL with values of the call in braces."""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated
from urllib.parse import urlsplit

from annotated_types import Len
from pydantic import AfterValidator

from config.setting import Words, wrong

VALUES = ("number", "name", "call", "queue", "language", "market", "called")
_HOLE = re.compile(r"\{([^{}]*)\}")


def _template(text: str) -> str:
    if not text:
        return text
    try:
        parsed = [(name, spec, change) for _, name, spec, change in Formatter().parse(text)]
        holes = [hole for hole in parsed if hole[0] is not None]
        parts = urlsplit(_HOLE.sub("x", text))
    except ValueError as error:
        raise wrong(f"{text!r} is no template", "write https://host/path?number={number}") from error
    if parts.scheme not in ("https", "http") or not parts.hostname or re.search(r"[\s\x00-\x1f\"<>\\]", text):
        raise wrong(f"{text!r} is no URL of a page", "write https://host/path?number={number}")
    if "{" in text.split("://", 1)[1].split("/", 1)[0]:
        raise wrong("a call's value may not name the host", "put it behind the host, in path or query")
    for name, spec, change in holes:
        if name not in VALUES or spec or change:
            known = ", ".join(f"{{{each}}}" for each in VALUES)
            raise wrong(f"{{{name}}} is nothing of a call", f"use {known}")
    return text


PopTemplate = Annotated[str, Len(0, 1024), AfterValidator(_template), Words("URL with {values}")]
