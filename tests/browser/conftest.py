"""What tests of pages are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import chromium, missing, tab
from tests.browser.pages import node_for_pages
from tests.browser.site import Site
from tests.interop.conftest import phone, prompts_of, serve, speech
from tests.interop.node import Node

__all__ = ["chromium", "phone", "speech", "tab"]


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """Of another company."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="package")
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, site: Site
) -> Iterator[Node]:
    """A real node that serves its pages, and lets the site show the caller's."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    prompts = prompts_of(request.config.cache)
    site.node = node_for_pages(tmp_path_factory.mktemp("pages"), prompts, [site.origin()])
    yield from serve(site.node)


@pytest.fixture(autouse=True)
def at_rest(request: pytest.FixtureRequest) -> None:
    """What a test left, one that failed say, is no matter of the next."""
    if "node" in request.fixturenames:
        kept = request.getfixturevalue("forsaken").calls if "forsaken" in request.fixturenames else ()
        request.getfixturevalue("node").rest(kept)
