"""Every secret that a configuration names, in whatever words a fault of ours or of a library's repeats it: it
is in no line of the log, at any level, nor in what is left of a process or a thread that ends by it.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from config.load import load
from config.secret import Secret
from engine import log
from engine.backup.contents import walked
from engine.serve import prepare
from tests.engine.operating_stand import shipped
from tests.interop.node import ROOT

PLANTED = {
    "TURN_SECRET": "planted:turn/secret 'of relays'",
    "OIDC_SECRET": "planted-oidc-client-secret",
    "CRM_SECRET": "whsec_UGxhbnRlZEhvb2tTZWNyZXQ=",
    "PHONE_PASSWORD": "planted phone password äö",
    "CARRIER_PASSWORD": "planted-carrier-password",
    "TRANSLATOR_KEY": "planted-translator-key",
    "STORE_URL": "postgresql+psycopg://isogloss:planted-store-password@db.example.com/isogloss",
}
FILES = {
    "hooks.yaml": "crm: {url: 'https://crm.example.com/', secret: {env: CRM_SECRET}}\n",
    "store.yaml": "url: {env: STORE_URL}\n",
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The values of a node's configuration, which was prepared as a node that starts does it."""
    place = tmp_path_factory.mktemp("secrets")
    folder = shipped(place / "config")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    config = prepare(load(folder, PLANTED), place / "data", free_ports=True)
    found = [each.value for each in walked(config) if isinstance(each, Secret)]
    assert {PLANTED["CRM_SECRET"], PLANTED["STORE_URL"]} < set(found)
    assert len(found) > 8, "those that were made up for agents and tokens as well"
    log.conceal(PLANTED.values())
    return [*found, *PLANTED.values(), "planted-store-password"]


@pytest.fixture(params=["text", "json"])
def out(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure(request.param, "debug", stream=stream, clock=iter(range(0, 10**6, 60)).__next__)
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


class Strange:
    """What only tells its secret when somebody writes it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return f"Strange({self._secret!r})"


def fail(secret: str) -> None:
    try:
        raise OSError(5, f"could not reach https://user:{quote(secret)}@relay.example.com/")
    except OSError as error:
        raise ValueError({"used": secret, "as": [secret.encode()]}) from error


def test_no_line_of_the_log_has_one(secrets: list[str], out: io.StringIO) -> None:
    rooms, libraries = structlog.get_logger("node"), logging.getLogger("some.library")
    for secret in secrets:
        rooms.debug(f"sent {secret}, they said", what=secret, more=[{"x": (secret,)}], odd=Strange(secret))
        rooms.info("asked", url=f"https://relay.example.com/?user={quote(secret, safe='')}&x=1")
        libraries.debug("connecting with %s %r", secret, {"given": secret})
        try:
            fail(secret)
        except ValueError:
            rooms.exception("a fault")
            libraries.exception("a fault of %s", "its own")
    said = out.getvalue()
    assert said.count("hidden") > 5 * len(secrets) and "Traceback" in said
    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
    assert [form for form in forms if form in said] == []


@pytest.mark.parametrize("where", ["the process", "a thread"])
def test_what_ends_by_one_does_not_tell_it(where: str) -> None:
    secret = PLANTED["TURN_SECRET"]
    program = (
        "import sys, threading\nfrom engine import log\nlog.tell_crashes()\nlog.configure()\n"
        "secret = sys.stdin.read()\nlog.conceal([secret])\n"
        "def end():\n    raise RuntimeError(f'with {secret} it does not go')\n"
    )
    program += (
        "end()\n" if where == "the process" else "t = threading.Thread(target=end); t.start(); t.join()\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, input=secret, capture_output=True, text=True, timeout=60, check=False
    )
    assert f"{where} ends by a fault" in done.stderr and "RuntimeError" in done.stderr
    assert secret not in done.stderr and done.stdout == ""
    assert done.returncode == (1 if where == "the process" else 0)


def test_of_thousands_none_is_missed_and_looking_costs_little() -> None:
    kept = log._Kept()
    kept.add(f"secret-number-{number:05}-of-many" for number in range(3000))
    assert kept.without("x secret-number-02999-of-many y") == "x [hidden] y"
    assert kept.without("secret-number-00001-of-many") == "secret-number-00001-of-many", "the oldest give way"
    kept.add(["short", "secret-number-02999-of-many-more"])
    assert kept.without("secret-number-02999-of-many-more") == "[hidden]"
    assert kept.without("short") == "short"


def test_secrets_that_were_known_are_hidden_while_others_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, first, seen = log._Kept(), "planted-first-secret", list[str]()
    kept.add([first])

    def quoted(value: str, safe: str) -> str:
        seen.append(kept.without(f"said by another thread: {first}"))
        return quote(value, safe=safe)

    monkeypatch.setattr(log, "quote", quoted)
    kept.add(["planted-second-secret"])
    assert seen and not any(first in each for each in seen)
