"""npm packages that tests use, and nothing else does: `npm.txt` names them, `make browser` installs them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = Path(os.environ.get("ISOGLOSS_NPM", ROOT / "var" / "npm")) / "node_modules"

_REQUIRE = re.compile(r"""\brequire\(['"]([^'"]+)['"]\)""")
_LOADER = """
const require = ((files) => {
  const made = {};
  const load = (name) => {
    if (!made[name]) {
      const module = made[name] = {exports: {}};
      const [run, names] = files[name];
      run(module, module.exports, (wanted) => load(names[wanted]));
    }
    return made[name].exports;
  };
  return load;
})({%s});
"""


def package(name: str) -> Path:
    """Where it is installed; the test that asks is skipped where it is not."""
    folder = MODULES / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not installed: `make browser`, or npm: {name} in ISOGLOSS_NPM")
    return folder


def bundle(name: str) -> str:
    """A package of CommonJS modules and what it requires as one script for a page, which can then say
    `require(name)`. Packages that have a script for browsers need none of this.
    """
    files: dict[Path, dict[str, Path]] = {}
    waiting = [_entry(package(name))]
    while waiting:
        file = waiting.pop()
        if file not in files:
            wanted = _REQUIRE.findall(file.read_text("utf-8")) if file.suffix == ".js" else []
            files[file] = {each: _found(each, file) for each in wanted}
            waiting += files[file].values()
    named = {_entry(package(name)): name}
    parts = []
    for file, wanted in files.items():
        names = {each: named.get(other, str(other)) for each, other in wanted.items()}
        text = file.read_text("utf-8")
        body = f"module.exports = {text};" if file.suffix == ".json" else text
        key = json.dumps(named.get(file, str(file)))
        parts.append(f"{key}: [(module, exports, require) => {{{body}\n}}, {json.dumps(names)}]")
    return _LOADER % ",\n".join(parts)


def _entry(folder: Path) -> Path:
    """The file that a package begins with, in browsers where it has one for these."""
    about = json.loads((folder / "package.json").read_text("utf-8"))
    browser = about.get("browser")
    return _file(folder / (browser if isinstance(browser, str) else about.get("main", "index.js")))


def _found(wanted: str, by: Path) -> Path:
    if wanted.startswith("."):
        return _file(by.parent / wanted)
    return _entry(MODULES / wanted)


def _file(path: Path) -> Path:
    tries = (path, path.with_name(f"{path.name}.js"), path.with_name(f"{path.name}.json"), path / "index.js")
    return next(each.resolve() for each in tries if each.is_file())
