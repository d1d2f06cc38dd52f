"""What may be a label: names that are configured, and so many of them together. All else is `other`, so that
nobody outside can make up series.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.schema import Config

OTHER = "other"
MOST_PLACES = 500  # label sets; so many that a misconfiguration does not hurt


class Bounds:
    """By the configuration that runs."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    def market(self, name: str) -> str:
        """The node's own for none."""
        config = self._config()
        name = name or config.node.market
        known = {config.node.market, *(each.market for each in config.queues.values())}
        known |= {each.market or "" for each in config.lines.values()}
        return name if name in known else OTHER

    def region(self, name: str) -> str:
        config = self._config()
        known = {config.node.region, *(each.region or "" for each in config.lines.values())}
        return name if name in known else OTHER

    def language(self, name: str) -> str:
        config = self._config()
        known = {config.node.language, *(each.language for each in config.queues.values())}
        return name if name in known else OTHER

    def line(self, name: str) -> str:
        return name if name in self._config().lines else OTHER
