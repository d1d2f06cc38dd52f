"""The API's manual as one page, made from its OpenAPI: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; text-transform: capitalize; }
section { border-top: 1px solid #8886; padding: .5rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; background: #8882; border-radius: .4rem; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
.method { font-weight: 700; text-transform: uppercase; }
"""


def manual(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    body = [f"<h1>{escape(info['title'])} API</h1>"]
    body += [f"<p>{escape(part)}</p>" for part in info.get("description", "").split("\n\n")]
    body.append('<p>The same for programs: <a href="/v1/openapi.json">openapi.json</a></p>')
    for tag in document.get("tags", ()):
        body.append(f"<h2>{escape(tag['name'])}</h2><p>{escape(tag.get('description', ''))}</p>")
        body += [_operation(document, *found) for found in _operations(document, tag["name"])]
    title, page = escape(info["title"]), "\n".join(body)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{page}</body></html>"
    )


def _operations(document: dict[str, Any], tag: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag in operation.get("tags", ())
    ]


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<section id="{escape(operation["operationId"])}"><h3>{escape(operation["summary"])}</h3>',
        f'<p><code><span class="method">{method}</span> {escape(path)}</code></p>',
    ]
    if operation.get("description"):
        parts.append(f"<p>{escape(operation['description'])}</p>")
    if operation.get("parameters"):
        parts.append(
            _table([(item["name"], item.get("description", "")) for item in operation["parameters"]])
        )
    if "requestBody" in operation:
        parts.append("<p>Body</p>" + _example(document, operation["requestBody"]))
    answers = operation["responses"]
    good = next(status for status in answers if status[0] in "23")
    parts.append(f"<p>Answer {good}</p>" + _example(document, answers[good]))
    parts.append(
        _table([(status, answer["description"]) for status, answer in answers.items() if status != good])
    )
    return "\n".join(parts) + "</section>"


def _table(rows: list[tuple[str, str]]) -> str:
    lines = (f"<tr><td><code>{escape(name)}</code></td><td>{escape(what)}</td></tr>" for name, what in rows)
    return f"<table>{''.join(lines)}</table>"


def _example(document: dict[str, Any], part: dict[str, Any]) -> str:
    """The first example of a body's schema; nothing for one without, or for no body."""
    if not part.get("content"):
        return ""
    schema = next(iter(part["content"].values())).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    examples = schema.get("examples", ())
    return f"<pre>{escape(json.dumps(examples[0], indent=2))}</pre>" if examples else ""
