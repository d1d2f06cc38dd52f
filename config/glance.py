"""The little of a folder that commands beside a node need: where its data are, and its API.

Read by itself: all of a configuration takes a second, and what is wrong with its other files is no matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import document
from config.node import NodeSettings
from config.service import ApiSettings
from config.validate import validate


@dataclass(frozen=True, slots=True)
class Glance:
    """None for what cannot be told: the file has faults."""

    data_dir: Path | None
    api: ApiSettings | None


def glance(folder: Path, env: Mapping[str, str], texts: Path | None = None) -> Glance:
    """env: where `{env: NAME}` secrets are looked up. texts: a copy of the files, read in their place."""
    return Glance(data_dir(texts or folder), _api(folder, env, texts or folder))


def data_dir(folder: Path) -> Path | None:
    """Where the node of a folder keeps its data."""
    path = folder / "node.yaml"
    read, _ = document.read(path, str(path))
    node = None if read.broken else validate(NodeSettings, read, (), env={}, folder=folder)[0]
    return None if node is None else node.data_dir


def _api(folder: Path, env: Mapping[str, str], texts: Path) -> ApiSettings | None:
    read, _ = document.read(texts / "api.yaml", str(folder / "api.yaml"))
    return None if read.broken else validate(ApiSettings, read, (), env=env, folder=folder)[0]
