"""The pages' files: served with strict headers, found by name alone, and spoken in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from engine.api.app import create_app
from engine.api.pages import FOLDER, read, sockets_of
from engine.views import PhoneTerms
from tests.engine.api_node import SETTINGS, Node

LANGUAGES = ("en", "es", "zh", "ar")
WORD = re.compile(r"^  '([^']+)': (.+),$", re.MULTILINE)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Node(), SETTINGS), base_url="https://node.example.com") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/agent", "/call", "/call/support", "/web/agent.js", "/web/sip/phone.js"])
def test_a_page_and_its_parts_are_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff"
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    kept = "content-security-policy"  # what a 304 says of it takes the place of what was said before
    assert again.headers[kept] == answer.headers[kept]


def test_a_page_runs_nothing_but_its_own_files_and_speaks_to_nobody_but_its_node(client: TestClient) -> None:
    policy = client.get("/agent").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert (
        "connect-src 'self' wss://node.example.com ws://node.example.com wss://node.example.com:7443"
        in policy
    )
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "trusted-types 'none'" in policy


def test_only_sites_that_are_named_may_show_the_callers_page_within_theirs(client: TestClient) -> None:
    policy = client.get("/call").headers["content-security-policy"]
    assert "frame-ancestors https://shop.example.com;" in policy


@pytest.mark.parametrize("host", ["", "a;script-src *", "a b", "x" * 300])
def test_a_host_header_that_is_no_host_adds_nothing_to_the_policy(host: str) -> None:
    assert sockets_of(host, PhoneTerms(domain="d", scheme="wss", port=7443), "") == ""


def test_where_a_proxy_has_the_sip_the_policy_names_it() -> None:
    phone = PhoneTerms(domain="d", scheme="", port=0)
    assert sockets_of("a.example", phone, "wss://sip.example:443/x y").endswith(" wss://sip.example:443")


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "nothing.js", "", "web"])
def test_nothing_else_is_found(client: TestClient, path: str) -> None:
    assert client.get(f"/web/{path}").status_code == 404


def test_the_button_for_other_sites_may_be_loaded_by_them_and_nothing_else_may(client: TestClient) -> None:
    policy = {
        path: client.get(f"/web/{path}").headers["cross-origin-resource-policy"]
        for path in ("embed.js", "whip.js")
    }
    assert policy == {"embed.js": "cross-origin", "whip.js": "same-origin"}


# --- words ----------------------------------------------------------------------------------------------


def words(language: str) -> dict[str, str]:
    return dict(WORD.findall((FOLDER / "words" / f"{language}.js").read_text("utf-8")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_its_values(language: str) -> None:
    english, theirs = words("en"), words(language)
    assert list(theirs) == list(english) and len(english) > 150
    for key, text in english.items():
        values = set(re.findall(r"\{(\w+)\}", text))
        assert set(re.findall(r"\{(\w+)\}", theirs[key])) == values, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_plural_forms_that_it_needs(language: str) -> None:
    forms = {"en": "one other", "es": "one many other", "zh": "other", "ar": "zero one two few many other"}
    for key, text in words(language).items():
        if text.startswith("{"):
            assert re.findall(r"(\w+): '", text) == forms[language].split(), key


def test_every_text_that_a_page_asks_for_is_there() -> None:
    asked = set()
    for file in FOLDER.rglob("*.*"):
        source = file.read_text("utf-8")
        asked |= set(re.findall(r'data-say[a-z-]*="([^"]+)"', source))
        asked |= set(re.findall(r"\bsay\('([^']+)'", source))
    assert asked - set(words("en")) == set()


def test_every_module_that_is_imported_is_served() -> None:
    files = read()
    for name, file in files.items():
        for target in re.findall(r"(?:from|import) '(\.[^']+)'", file.body.decode()):
            found = (FOLDER / name).parent.joinpath(target).resolve().relative_to(FOLDER)
            assert found.as_posix() in files, f"{name}: {target}"
    for page in ("agent.html", "caller.html"):
        for target in re.findall(r'(?:src|href)="/web/([^"]+)"', files[page].body.decode()):
            assert target in files
