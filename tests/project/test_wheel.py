"""The wheel: one name in site-packages, and a program that finds its rooms behind it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.project.tree import ROOMS, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch environment with the wheel alone in it, and the requirements visible beside it."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "--quiet"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    # After the scratch environment's own, as a second site-packages is.
    (site / "requirements.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return folder


def test_the_wheel_owns_one_name_and_every_room_lies_under_it(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.startswith("isogloss-")
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"isogloss"}
    inside = {name.split("/")[2] for name in names if name.startswith("isogloss/_tree/")}
    assert inside == set(ROOMS)


def test_the_wheel_carries_the_configuration_the_licence_and_no_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert "isogloss/_tree/config/prompts/zh.yaml" in names
    shipped = [*(ROOT / "config").rglob("*.yaml"), *(ROOT / "engine").rglob("words/**/*.toml")]
    assert {f"isogloss/_tree/{path.relative_to(ROOT)}" for path in shipped} <= set(names)
    assert "isogloss/_tree/engine/api/words/shared/ar.toml" in names
    assert "isogloss/_tree/media/io/native.c" in names, "built where it is installed"
    assert not [name for name in names if name.endswith(".so")]
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert [name for name in names if name.endswith("licenses/NOTICE")]
    assert not [name for name in names if "test" in Path(name).parts or "__pycache__" in name]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the scratch environment, from a folder that holds nothing."""
    program = [str(folder / "bin" / command[0]), *command[1:]]
    return subprocess.run(
        program, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )


def test_the_installed_program_says_how_it_is_used(installed: Path):
    done = run(installed, "isogloss", "--help")
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout


def test_the_installed_rooms_come_from_the_wheel_in_every_process(installed: Path):
    ask = "import config, engine.prompts; print(config.__file__, engine.prompts.TEXTS)"
    start = "import subprocess, sys, isogloss; isogloss.open_tree(); "
    start += f"subprocess.run([sys.executable, '-c', {ask!r}])"
    done = run(installed, "python", "-c", start)
    assert done.returncode == 0, done.stderr
    module, texts = done.stdout.split()
    assert "isogloss/_tree/config/__init__.py" in module
    assert Path(texts).is_relative_to(installed.resolve()) or Path(texts).is_relative_to(installed)


def test_no_room_is_importable_before_the_launcher_opens_the_tree(installed: Path):
    done = run(installed, "python", "-c", "import routing")
    assert "No module named 'routing'" in done.stderr
