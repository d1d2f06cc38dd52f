"""Packages of CommonJS modules as one script for a page, run by Node.js with as little as a page has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import npm

# A page has no `require`, no `module` and no `exports` but those that the script makes.
PAGE = "require('vm').runInNewContext(require('fs').readFileSync(0, 'utf8') + '\\n;told = require(%s);', box)"
RUN = "const box = {}; %s; console.log(JSON.stringify(box.told))"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages in place of the installed ones."""
    monkeypatch.setattr(npm, "MODULES", tmp_path)
    return tmp_path


def put(folder: Path, **files: str | dict[str, object]) -> None:
    """A package; names of files with `__` for `/` and without `.js`, or package for package.json."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path = path.with_suffix(".json" if isinstance(content, dict) else ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def required(name: str) -> object:
    """What a page gets of `require(name)` behind the package's script."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed (Debian: nodejs)")
    command = [node, "-e", RUN % (PAGE % json.dumps(name))]
    done = subprocess.run(command, input=npm.bundle(name), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_package_is_one_script_with_all_that_it_requires(modules: Path):
    put(
        modules / "phone",
        package={"main": "lib"},
        lib__index="const {ring} = require('./bell'); module.exports = [ring, require('words').hello];",
        lib__bell="exports.ring = require('./tone.json').hertz;",
        lib__tone={"hertz": 425},
    )
    put(modules / "words", package={}, index="exports.hello = 'hello';")
    assert required("phone") == [425, "hello"]


def test_where_a_package_has_a_file_for_browsers_that_is_taken(modules: Path):
    put(
        modules / "log",
        package={"main": "node", "browser": "page"},
        node="exports.at = 1;",
        page="exports.at = 2;",
    )
    assert required("log") == {"at": 2}


def test_a_module_that_two_others_require_is_run_once(modules: Path):
    put(
        modules / "count",
        package={"main": "first"},
        first="require('./other'); module.exports = require('./counter').next();",
        other="require('./counter').next();",
        counter="let n = 0; exports.next = () => ++n;",
    )
    assert required("count") == 2


def test_modules_that_require_each_other_see_what_there_is_so_far(modules: Path):
    put(
        modules / "ring",
        package={"main": "a"},
        a="exports.early = 1; exports.seen = require('./b').seen; exports.late = 2;",
        b="exports.seen = Object.keys(require('./a'));",
    )
    assert required("ring") == {"early": 1, "seen": ["early"], "late": 2}


def test_a_package_that_is_not_installed_skips_the_test_and_says_how_it_is_had(modules: Path):
    with pytest.raises(pytest.skip.Exception, match="make browser"):
        npm.package("absent")
