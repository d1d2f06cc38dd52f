"""What belongs to the repository, for the tests that read it as text or as syntax."""

from __future__ import annotations

import ast
import gc
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "config", "sip", "media", "routing")


@cache
def files(suffix: str = "") -> tuple[Path, ...]:
    """Every file that git keeps or would keep, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    names = sorted(set(filter(None, listed.split("\0"))))
    return tuple(Path(name) for name in names if name.endswith(suffix) and (ROOT / name).is_file())


@cache
def text(path: Path) -> str | None:
    """The file as text, or None when it is none."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return None


@cache
def syntax(path: Path) -> ast.Module:
    """The module as a syntax tree. All of them are millions of objects, which no collection need look at."""
    gc.disable()
    try:
        return ast.parse((ROOT / path).read_text("utf-8"), str(path))
    finally:
        gc.freeze()
        gc.enable()


def statements(path: Path) -> Iterator[ast.AST]:
    """Every statement of a module, which are a tenth of its nodes."""
    waiting: list[ast.AST] = [syntax(path)]
    while waiting:
        node = waiting.pop()
        yield node
        for within in ("body", "orelse", "finalbody", "handlers", "cases"):
            found = getattr(node, within, ())
            waiting += found if isinstance(found, list) else ()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    for node in statements(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def imports(path: Path) -> frozenset[str]:
    """The top-level names a module imports, anywhere in it."""
    found = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return frozenset(found)
