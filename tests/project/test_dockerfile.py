"""The Dockerfile as far as it can be judged without building: whole, and agreed with what it ships."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.project.dockerfile import Stage, assignments, ignored, parse
from tests.project.tree import ROOMS, ROOT, files


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return parse((ROOT / "Dockerfile").read_text("utf-8"))


def shipped(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text("utf-8"))


def test_what_is_copied_is_there_and_not_ignored(stages: list[Stage]):
    patterns = (ROOT / ".dockerignore").read_text("utf-8")
    sent = [path for path in files() if not ignored(patterns, path)]
    for copy in (each for stage in stages for each in stage.instructions if each.word == "COPY"):
        options, rest = copy.options()
        for source in [] if "from" in options else rest.split()[:-1]:
            assert any(path.match(source) or Path(source) in path.parents for path in sent), source


def test_every_room_is_in_the_image(stages: list[Stage]):
    copied = {each.rest.split()[0] for each in stages[0].instructions if each.word == "COPY"}
    assert copied >= {*ROOMS, "isogloss"}


def test_nothing_private_is_sent_to_the_daemon():
    patterns = (ROOT / ".dockerignore").read_text("utf-8")
    for name in (
        ".git/config",
        ".venv/bin/python",
        "var/isogloss.db",
        "sip/__pycache__/uri.pyc",
        "tests/x.py",
    ):
        assert ignored(patterns, Path(name)), name
    for name in ("engine/cli.py", "config/prompts/en.yaml", "scripts/requirements.py"):
        assert not ignored(patterns, Path(name)), name


def test_the_node_runs_as_a_user_without_rights_and_says_whether_it_is_well(stages: list[Stage]):
    image = stages[-1]
    user = image.last("USER")
    assert user is not None
    assert user.rest not in ("root", "0")
    health = image.last("HEALTHCHECK")
    assert health is not None
    assert f"127.0.0.1:{shipped('api')['port']}/health" in health.rest


def test_the_exposed_ports_are_those_of_the_shipped_configuration(stages: list[Stage]):
    exposed = stages[-1].last("EXPOSE")
    assert exposed is not None
    ports = set(exposed.rest.split())
    listened = {(each["transport"], each["port"]) for each in shipped("sip")["listen"]}
    assert {f"{port}/{'udp' if transport == 'udp' else 'tcp'}" for transport, port in listened} <= ports
    assert f"{shipped('media')['port_low']}-{shipped('media')['port_high'] + 1}/udp" in ports
    assert f"{shipped('api')['port']}/tcp" in ports


def test_compose_gives_calls_the_time_to_finish_that_the_node_takes():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    assert set(compose["services"]) == {"engine", "redis"}
    engine = compose["services"]["engine"]
    assert int(engine["stop_grace_period"].removesuffix("s")) > shipped("node")["drain_s"]
    assert engine["network_mode"] == "host"


def test_a_dockerfile_is_read_as_docker_reads_it():
    stage, image = parse(
        'FROM a AS one\nRUN x \\\n# a remark\n && y\nFROM b\nENV P=1 Q=$P:${P}\nCMD ["z", "-v"]\n'
    )
    assert (stage.base, stage.name, image.base, image.name) == ("a", "one", "b", "1")
    assert stage.instructions[0].rest == "x && y"
    assert image.instructions[1].words() == ["z", "-v"]
    assert assignments("P=1:$A", {"A": "2"}) == {"P": "1:2"}
    with pytest.raises(ValueError, match="ONBUILD"):
        parse("FROM a\nONBUILD x\n")
