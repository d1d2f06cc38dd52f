"""The house rules that no linter knows: sizes, words, and what a file may never say."""

from __future__ import annotations

import ast
import re

from tests.project.tree import ROOMS, ROOT, files, functions, syntax, text

MODULES = files(".py")


def said(*parts: str) -> str:
    """A word put together here, so that this file does not say it."""
    return "".join(parts)


UNFINISHED = [said("TO", "DO"), said("FIX", "ME"), said("XX", "X"), said("Not", "ImplementedError")]
REGISTRIES = [
    said("py", "pi.org"),
    said("python", "hosted"),
    said("deb.", "debian.org"),
    said("snapshot.", "debian"),
    said("registry.", "npm"),
    said("proxy.", "golang"),
    said("crates", ".io"),
    said("index", "-url ="),
]
MACHINE_PATHS = [
    said("/wo", "rk/"),
    said("/ro", "ot/"),
    said("/home/", "user"),
    said("/opt/", "py"),
    said("/opt/", "wheels"),
    said(".py", "env/"),
]
MAKERS = [
    said("clau", "de"),
    said("anthro", "pic"),
    said("chat", "gpt"),
    said("copi", "lot"),
    said("open", "ai"),
    said("language ", "model"),
    said("as an ", "ai"),
    said("before-", "stop"),
]


def test_no_module_is_longer_than_a_sitting():
    lines = {module: len((text(module) or "").splitlines()) for module in MODULES}
    long = [f"{m}: {n} lines" for m, n in lines.items() if n > (600 if m.parts[0] == "tests" else 400)]
    assert long == []


def test_no_function_is_longer_than_a_screen_or_two():
    long = [
        f"{module}:{function.lineno} {function.name}"
        for module in MODULES
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= 80
    ]
    assert long == []


def test_every_module_with_code_says_what_it_is():
    silent = [str(m) for m in MODULES if syntax(m).body and not ast.get_docstring(syntax(m))]
    assert silent == []


def test_no_test_sleeps():
    asleep = [
        f"{module}:{node.lineno}"
        for module in MODULES
        if module.parts[0] == "tests"
        for node in ast.walk(syntax(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        # A sleep of 0 passes no time: it lets the event loop's other tasks run.
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]
    assert asleep == []


def test_no_group_of_a_pattern_is_possessive():
    """Up to Python 3.11.4 such a group takes along what it tried last (gh-106052); atomic ones do not."""
    group = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9]*,?[0-9]*\})\+")
    left = [
        f"{module}:{node.lineno}"
        for module in MODULES
        if module.parts[0] in ROOMS
        for node in ast.walk(syntax(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile"
        for each in node.args[:1]
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and group.search(each.value)
    ]
    assert group.search('(?:a|b)*+"') and not group.search("(?>(?:a|b)*)")
    assert left == []


def found(words: list[str], *, fold: bool = False) -> list[str]:
    """Every line of every text file that has one of the words."""

    def has(said: str) -> bool:
        looked_at = said.lower() if fold else said
        return any(word in looked_at for word in words)

    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in files()
        if has(text(path) or "")
        for number, line in enumerate((text(path) or "").splitlines(), 1)
        if has(line)
    ]


def test_nothing_is_left_unfinished():
    pattern = re.compile(r"\b(" + "|".join(UNFINISHED) + r")\b")
    left = [
        f"{path}:{number}"
        for path in files(".py")
        if pattern.search(text(path) or "")
        for number, line in enumerate((text(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]
    assert left == []


def test_no_file_names_a_package_registry():
    assert found(REGISTRIES) == []


def test_no_file_names_a_path_of_somebodys_machine():
    assert found(MACHINE_PATHS) == []


def test_the_files_speak_of_the_product_alone():
    assert found(MAKERS, fold=True) == []


def test_constraints_are_names_and_versions_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert len(lines) > 30
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.+!-]*", line), line
