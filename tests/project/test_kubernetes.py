"""The Kubernetes manifests, judged without a cluster: whole, and agreed with what is shipped."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.load import load
from tests.project.manifests import (
    BASE,
    OVERLAYS,
    Object,
    containers,
    named,
    objects,
    pods,
    read,
    references,
)
from tests.project.tree import ROOT

SECRETS = {
    "isogloss": {"redis-url", "redis-password", "between-key", "turn-secret"},
    "isogloss-tls": {"tls.crt", "tls.key"},
    "isogloss-nodes-tls": {"tls.crt", "tls.key", "ca.crt"},
    "isogloss-redis-tls": {"tls.crt", "tls.key", "ca.crt"},
}
ENVIRONMENT = {
    "ISOGLOSS_REDIS": "rediss://:secret@redis.example.com:6379/0",
    "ISOGLOSS_BETWEEN_KEY": "k" * 48,
    "TURN_SECRET": "t" * 32,
}
overlays = pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)


def kustomization(overlay: Path) -> Object:
    (found,) = read(overlay / "kustomization.yaml")
    return found


def test_every_file_of_the_base_is_used_and_every_object_has_a_name():
    (base,) = read(BASE / "kustomization.yaml")
    assert set(base["resources"]) == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    keys = [(each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in objects()]
    assert len(keys) == len(set(keys))


@overlays
def test_what_pods_refer_to_is_made_by_the_overlay_or_named_as_a_secret(overlay: Path):
    made = {
        each["name"]: {*each.get("files", []), *(word.partition("=")[0] for word in each.get("literals", []))}
        for each in kustomization(overlay)["configMapGenerator"]
    }
    known = {"configMap": made, "secret": SECRETS}
    for what, name, key in references([spec for _, spec in pods()]):
        assert name in known[what], name
        assert not key or key in known[what][name], (name, key)


def test_the_secrets_are_those_that_the_guide_has_made():
    guide = (ROOT / "docs" / "front.md").read_text("utf-8")
    for name, keys in SECRETS.items():
        assert f"`{name}`" in guide, name
        assert all(f"`{key}`" in guide for key in keys), keys


@overlays
def test_every_file_of_an_overlay_is_there_and_used(overlay: Path):
    made = {each["name"]: each for each in kustomization(overlay)["configMapGenerator"]}
    files = {*made["isogloss-region"]["files"]}
    assert files | {"lines.list", "kustomization.yaml"} == {path.name for path in overlay.iterdir()}


@pytest.mark.parametrize("what", dict(pods()))
def test_pods_are_whole_and_nobody_is_root(what: str):
    pod = dict(pods())[what]
    assert pod["securityContext"]["runAsNonRoot"] is True
    claims = named(*what.split("/"))["spec"].get("volumeClaimTemplates", [])
    volumes = {*(each["name"] for each in pod["volumes"]), *(each["metadata"]["name"] for each in claims)}
    mounted = {each["name"] for container in containers(pod) for each in container["volumeMounts"]}
    assert mounted == volumes
    for container in containers(pod):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        ports = {each["name"] for each in container.get("ports", [])}
        for probe in (value for word, value in container.items() if word.endswith("Probe")):
            port = (probe.get("httpGet") or probe["tcpSocket"])["port"]
            assert port in ports or port in {each["containerPort"] for each in container["ports"]}


def test_services_budgets_and_policies_select_pods_that_there_are():
    templates = (each["spec"]["template"] for each in objects() if "template" in each.get("spec", {}))
    labels = [each["metadata"]["labels"] for each in templates]
    for each in objects():
        spec = each.get("spec", {})
        selector = spec.get("selector", spec.get("podSelector", {})) or {}
        wanted = selector.get("matchLabels", selector)
        assert not wanted or any(wanted.items() <= pod.items() for pod in labels), each["metadata"]["name"]
        if "serviceName" in spec:
            assert (
                named("Service", spec["serviceName"])["spec"]["selector"] == spec["selector"]["matchLabels"]
            )


def shipped(name: str) -> Object:
    return read(ROOT / "config" / f"{name}.yaml")[0]


@overlays
def test_ports_are_those_of_the_configuration(overlay: Path):
    engine = next(each for each in dict(pods())["StatefulSet/node"]["containers"])
    open_ports = {(each["containerPort"], each["protocol"]) for each in engine["ports"]}
    listen = read(overlay / "sip.yaml")[0]["listen"]
    listened = {(each["port"], "UDP" if each["transport"] == "udp" else "TCP") for each in listen}
    between = shipped("cluster")["between"]["port"]
    assert open_ports == listened | {(between, "UDP"), (between, "TCP"), (shipped("api")["port"], "TCP")}
    assert all(each["hostPort"] == each["containerPort"] for each in engine["ports"])
    media, rules = read(overlay / "media.yaml")[0], (BASE / "network.yaml").read_text()
    assert f"{media['port_low']}-{media['port_high'] + 1}/udp" in rules
    kamailio = next(each for each in dict(pods())["DaemonSet/front"]["containers"])
    defines = (ROOT / "deploy" / "kamailio" / "defines.cfg").read_text()
    fronts = {int(port) for port in re.findall(r"^listen=\w+:FRONT_ADDRESS:(\d+)", defines, re.MULTILINE)}
    assert {each["containerPort"] for each in kamailio["ports"]} == fronts


@overlays
def test_a_node_that_drains_is_left_the_time_and_not_taken_for_dead(overlay: Path):
    pod = dict(pods())["StatefulSet/node"]
    assert pod["terminationGracePeriodSeconds"] > read(overlay / "node.yaml")[0]["drain_s"]
    engine = pod["containers"][0]
    assert engine["readinessProbe"]["httpGet"]["path"] == "/health"
    assert "httpGet" not in engine["livenessProbe"]
    assert named("Service", "nodes")["spec"]["publishNotReadyAddresses"] is True


@overlays
def test_a_regions_files_over_the_shipped_ones_are_a_configuration(overlay: Path, tmp_path: Path):
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file in overlay.glob("*.yaml"):
        if file.name != "kustomization.yaml":
            text = file.read_text().replace("NODE_NAME", "node-0").replace("NODE_ADDRESS", "10.1.0.20")
            (folder / file.name).write_text(text)
    (folder / "redis-ca.pem").write_text("a certificate\n")
    (volume,) = (each for each in dict(pods())["StatefulSet/node"]["volumes"] if each["name"] == "tls")
    (folder / "tls").mkdir()
    for each in volume["secret"]["items"]:
        (folder / "tls" / each["path"]).write_text("a certificate or key\n")
    config = load(folder, ENVIRONMENT)
    assert config.node.name == f"{overlay.name}-node-0"
    assert config.node.region == overlay.name
    assert not config.cluster.alone


@overlays
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_makes_them(overlay: Path):
    command = ["kubectl", "kustomize", overlay]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert made.count("\nkind: ") + made.startswith("kind: ") == len(objects()) + 3
    assert "registry.example.com/isogloss-front:1" in made
