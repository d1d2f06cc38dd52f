"""Two regions by Compose, and what follows the nodes: judged without Docker, agreed with what is shipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import load
from tests.project.dockerfile import ignored, parse
from tests.project.test_kubernetes import ENVIRONMENT
from tests.project.tree import ROOT, files

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.two-regions.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
REGIONS = ("eu-west", "us-east")
NODES = [name for name in SERVICES if name.startswith("node-")]
FOLLOW = DEPLOY / "kamailio" / "follow-nodes.sh"


def address(service: str) -> str:
    return str(SERVICES[service]["networks"]["telephony"]["ipv4_address"])


def mounts(service: str) -> dict[str, str]:
    """Where in the container each file or volume goes."""
    pairs = (each.split(":") for each in SERVICES[service].get("volumes", []))
    return {source: target for source, target, *_ in pairs}


def certify(folder: Path) -> None:
    """What the service `certificate` puts there, by name."""
    folder.mkdir()
    (script,) = SERVICES["certificate"]["command"]
    for name in re.findall(r'folder / "([\w-]+\.pem)"\)\.write_bytes', script):
        (folder / name).write_text("made\n")


def test_what_is_mounted_and_built_from_is_there():
    for name, service in SERVICES.items():
        for source in mounts(name):
            assert (DEPLOY / source).exists() if source[0] == "." else source in COMPOSE["volumes"], source
        if "build" in service:
            context = DEPLOY / service["build"]["context"]
            assert (context / service["build"].get("dockerfile", "Dockerfile")).is_file()
        assert set(service.get("depends_on", [])) <= set(SERVICES)


def test_every_address_is_one_service_of_the_network():
    addresses = [address(name) for name in SERVICES if "networks" in SERVICES[name]]
    assert len(addresses) == len(set(addresses))
    assert all(each.startswith("10.10.") for each in addresses)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_a_front_two_nodes_redis_and_turn(region: str):
    own = {name.replace(f"-{region}", "") for name in SERVICES if region in name}
    assert own == {"front", "node-1", "node-2", "redis", "turn"}
    assert SERVICES[f"front-{region}"]["environment"]["FRONT_ADDRESS"] == address(f"front-{region}")
    listed = (DEPLOY / "regions" / region / "list" / "dispatcher.list").read_text()
    for name in NODES:
        group = 1 if region in name else 2
        assert f"{group} sip:{address(name)}:5061;transport=tls " in listed
    assert listed.count("sip:") == len(NODES)


@pytest.mark.parametrize("name", NODES)
def test_each_node_has_a_configuration_that_is_sound_and_trusts_the_fronts(name: str, tmp_path: Path):
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for source, target in mounts(name).items():
        if target.startswith("/etc/isogloss/"):
            if source == "tls":
                certify(folder / "tls")
            else:
                shutil.copy(DEPLOY / source, folder / Path(target).name)
    config = load(folder, ENVIRONMENT)
    assert f"node-{config.node.name}" == name
    assert config.node.region in name
    assert config.node.drain_s < int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert {f"{address(f'front-{region}')}/32" for region in REGIONS} == set(config.sip.trusted_proxies)
    assert config.cluster.advertise.sip == (f"sip:{address(name)}:5061;transport=tls",)
    assert config.cluster.between.host == address(name)
    asked = {*SERVICES[name]["environment"]}
    assert asked == {"ISOGLOSS_REDIS", "ISOGLOSS_BETWEEN_KEY", "TURN_SECRET"}


def test_the_second_redis_follows_the_first():
    command = SERVICES["redis-us-east"]["command"]
    assert command[command.index("--replicaof") + 1] == address("redis-eu-west")
    assert address("redis-eu-west") in SERVICES[NODES[0]]["environment"]["ISOGLOSS_REDIS"]


def test_the_fronts_image_has_what_is_shipped_and_nobody_is_root():
    (image,) = parse((DEPLOY / "kamailio" / "Dockerfile").read_text("utf-8"))
    patterns = (ROOT / ".dockerignore").read_text("utf-8")
    sent = [path for path in files() if not ignored(patterns, path)]
    copies = [each.rest.split() for each in image.instructions if each.word == "COPY"]
    for source in (source for *sources, _ in copies for source in sources):
        assert any(path.match(source) for path in sent), source
    user, exposed = image.last("USER"), image.last("EXPOSE")
    assert user is not None
    assert user.rest == "10001:10001"
    defines = (DEPLOY / "kamailio" / "defines.cfg").read_text("utf-8")
    listened = re.findall(r"^listen=(\w+):FRONT_ADDRESS:(\d+)", defines, re.MULTILINE)
    assert exposed is not None
    ports = {f"{port}/{'udp' if name == 'udp' else 'tcp'}" for name, port in listened}
    assert set(exposed.rest.split()) == ports


# --- what follows the nodes ---------------------------------------------------------------------------


class Names:
    """A DNS that says what it is told, and a Kamailio that notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list = folder / "dispatcher.list"
        self.asked = folder / "asked"
        self.looked = folder / "looked"
        self._write("kamcmd", f'echo "$@" >>{self.asked}')
        self.say()

    def _write(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def say(self, **names: str) -> None:
        self.looked.unlink(missing_ok=True)
        cases = "".join(f"{name}) printf '%s STREAM\\n' {found} ;; " for name, found in names.items())
        self._write("getent", f'echo "$2" >>{self.looked}; case "$2" in {cases} *) exit 2 ;; esac')

    def follow(self) -> None:
        """Until it has looked several times."""
        environment = os.environ | {"PATH": f"{self.folder}:{os.environ['PATH']}", "EVERY_S": "0.01"}
        command = [FOLLOW, self.list, "unix:/run/ctl", "1=here", "2=there"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 10.0
            while not self.looked.exists() or self.looked.read_text().count("here") < 4:
                assert time.monotonic() < deadline, "it does not look"
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.01)
            process.terminate()


def test_a_front_follows_the_nodes_that_the_dns_has(tmp_path: Path):
    names = Names(tmp_path)
    names.say(here="10.1.0.21 10.1.0.20 10.1.0.20", there="10.2.0.20")
    names.follow()
    entries = [line.split()[:2] for line in names.list.read_text().splitlines()]
    over_tls = [("1", "10.1.0.20"), ("1", "10.1.0.21"), ("2", "10.2.0.20")]
    assert entries == [[group, f"sip:{address}:5061;transport=tls"] for group, address in over_tls]
    assert (
        names.asked.read_text() == "-s unix:/run/ctl dispatcher.reload\n"
    )  # once, for nothing changed after


def test_a_dns_that_is_silent_takes_no_node_away(tmp_path: Path):
    names = Names(tmp_path)
    names.say(here="10.1.0.20", there="10.2.0.20")
    names.follow()
    before = names.list.read_text()
    names.say(there="10.2.0.20")
    names.follow()
    assert names.list.read_text() == before
