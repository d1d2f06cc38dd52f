"""Kubernetes' objects of deploy/kubernetes as values, and what in them names something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.project.tree import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
BASE = KUBERNETES / "base"
OVERLAYS = sorted((KUBERNETES / "overlays").iterdir())
Object = dict[str, Any]


def read(path: Path) -> list[Object]:
    """Every document of a file."""
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each is not None]


def objects() -> list[Object]:
    """What the base makes."""
    (base,) = read(BASE / "kustomization.yaml")
    return [each for name in base["resources"] for each in read(BASE / name)]


def named(kind: str, name: str) -> Object:
    (found,) = (each for each in objects() if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def pods() -> Iterator[tuple[str, Object]]:
    """Kind/name and pod template's spec of what runs pods."""
    for each in objects():
        if "template" in each.get("spec", {}):
            yield f"{each['kind']}/{each['metadata']['name']}", each["spec"]["template"]["spec"]


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def references(node: Any) -> Iterator[tuple[str, str, str]]:
    """(what, name, key) of each ConfigMap and Secret that is named below; key "" for all of it."""
    if isinstance(node, list):
        for each in node:
            yield from references(each)
    elif isinstance(node, dict):
        for word, value in node.items():
            if word in ("secretKeyRef", "configMapKeyRef"):
                yield word.removesuffix("KeyRef"), value["name"], value["key"]
            elif word in ("secret", "configMap") and isinstance(value, dict):
                keys = [item["key"] for item in value.get("items", [])] or [""]
                yield from ((word, value.get("secretName") or value["name"], key) for key in keys)
            else:
                yield from references(value)
