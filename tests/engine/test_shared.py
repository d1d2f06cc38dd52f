"""Links to recordings over HTTP: made, listed and revoked by who may, opened by anybody who has one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from engine.access.desk import csrf_of
from engine.access.errors import AuditUnavailable
from engine.access.principal import How
from engine.access.role import Role
from engine.api import shared
from engine.api.app import create_app
from engine.api.identify import COOKIE
from engine.sharing import Share
from engine.throttle import Throttle
from tests.engine.access.stand import Stand, standing
from tests.engine.api_node import SETTINGS, Node
from tests.engine.transcript_samples import said

AT = "/v1/recordings/2026-01-01/r1-1.opus"
SOUND = b"OggS and so on, as far as it goes"


class Street:
    """A node with a recording, and a supervisor who signed in."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.node = Node()
        self.node.sounds = {"2026-01-01/r1-1.opus": [SOUND[:10], SOUND[10:]]}
        line = said("<b>call me at +49 30 1234567</b>")
        self.node.transcripts.said = {"r1": (line,)}
        self.app = create_app(self.node, SETTINGS, access=stand.access)
        self.sign_in("sue", Role.SUPERVISOR)

    def sign_in(self, name: str, role: Role) -> None:
        user = self.stand.accounts.user(name) or self.stand.user(name, role)
        self.secret = asyncio.run(self.stand.desk.open(user, How.PASSWORD, "192.0.2.7")).secret

    def ask(self, method: str, path: str, *, signed: bool = True, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
                return await client.request(method, path, **more)

        if signed:
            own = {"Cookie": f"{COOKIE}={self.secret}", "Origin": "http://node"}
            more["headers"] = own | {"X-CSRF-Token": csrf_of(self.secret)} | more.get("headers", {})
        return asyncio.run(asked())

    def at_once(self, *paths: str, source: str) -> list[int]:
        """Statuses, for one who asks for all of it in the same moment."""

        async def asked() -> list[int]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(source, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
                answers = await asyncio.gather(*(client.get(path) for path in paths))
            return [each.status_code for each in answers]

        return asyncio.run(asked())

    def opened(self) -> int:
        """Uses that the audit log knows of."""
        return sum(row[1] == "open_share" for row in self.stand.told())

    def share(self, **wanted: Any) -> dict[str, Any]:
        answer = self.ask("POST", f"{AT}/shares", json=wanted)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def open(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, signed=False, headers=headers)


@pytest.fixture
def street(tmp_path: Any) -> Iterator[Street]:
    with standing(tmp_path) as stand:
        yield Street(stand)


def test_who_has_a_link_reads_no_card_whatever_it_is_told_in(street: Street) -> None:
    pieces = ["My card is 4111, 1111,", "four one one one, 1111, ok", "1111", "٤١١١ ١١١١ ١١١١ ١١١١"]
    street.node.transcripts.said = {
        "r1": tuple(said(each, begin=float(at)) for at, each in enumerate(pieces))
    }
    page = street.open(street.share(transcript=True)["path"]).text
    assert "My card is ********</span>" in page and ">********, ok<" not in page
    assert "4111" not in page and "four" not in page and "٤" not in page


def test_whoever_has_a_link_hears_the_recording_and_reads_what_it_shows(street: Street) -> None:
    made = street.share(transcript=True, note="claim 4471", uses=1)
    assert made["path"].startswith("/shared/") and made["leads"]
    page = street.open(made["path"])
    assert page.status_code == 200 and "claim" not in page.text
    assert "&lt;b&gt;call me at" in page.text and "1234567" not in page.text and "<b>call" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script" not in policy
    told = {name: page.headers[name] for name in ("referrer-policy", "cache-control", "x-robots-tag")}
    assert told == {
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-robots-tag": "noindex, nofollow",
    }
    whole = street.open(f"{made['path']}/sound")
    assert (whole.status_code, whole.content) == (200, SOUND)
    part = street.open(f"{made['path']}/sound", Range="bytes=5-12")
    assert (part.status_code, part.content) == (206, SOUND[5:13])
    assert part.headers["content-range"] == f"bytes 5-12/{len(SOUND)}"
    assert street.open(f"{made['path']}/sound", Range=f"bytes={len(SOUND)}-").status_code == 416
    (listed,) = street.ask("GET", f"{AT}/shares").json()["items"]
    assert (listed["uses"], listed["leads"], listed["made_by"]) == (1, False, "sue")
    assert "path" not in listed and made["path"].rpartition(".")[2] not in str(listed)


def test_what_was_said_is_not_shown_where_the_link_is_for_the_sound_alone(street: Street) -> None:
    assert "call me" not in street.open(street.share()["path"]).text


def test_each_use_is_a_row_of_the_audit_log_before_anything_is_shown(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = street.share()
    street.open(made["path"])
    rows = [row for row in street.stand.told() if row[1] == "open_share"]
    assert rows == [(f"share {made['id']}", "open_share", "done")]

    async def away(entry: object) -> None:
        raise AuditUnavailable("away")

    other = street.share()
    monkeypatch.setattr(street.stand.access.desk.log, "keep", away)
    assert street.open(other["path"]).status_code == 503
    assert street.open(f"{other['path']}/sound").status_code == 503


def test_a_link_that_is_used_up_opens_for_nobody_however_many_ask_at_once(street: Street) -> None:
    made = street.share(uses=1)
    page, sound = made["path"], f"{made['path']}/sound"
    assert street.at_once(page, sound, sound, source="203.0.113.9") == [200] * 3, "one use"
    assert street.at_once(page, sound, sound, page, source="203.0.113.10") == [404] * 4
    assert street.at_once(sound, sound, source="203.0.113.10") == [404] * 2
    assert street.at_once(sound, page, source="203.0.113.9") == [200] * 2, "whose use it is goes on"
    assert street.opened() == 1
    (listed,) = street.ask("GET", f"{AT}/shares").json()["items"]
    assert listed["uses"] == 1


def test_nobody_hears_what_the_audit_log_does_not_know_of_by_asking_twice(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = street.share()
    page, sound = made["path"], f"{made['path']}/sound"

    opens, asked = street.node.shares.open, []

    def open(link: str, *, use: bool) -> Share | None:
        asked.append(use)
        return opens(link, use=use)

    async def away(entry: object) -> None:
        while asked.count(False) < 3:  # all of them are there before it fails
            await asyncio.sleep(0)
        raise AuditUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(street.stand.access.desk.log, "keep", away)
        patched.setattr(street.node.shares, "open", open)
        assert street.at_once(page, sound, sound, source="203.0.113.9") == [503] * 3
    assert street.opened() == 0
    assert street.at_once(sound, source="203.0.113.9") == [200] and street.opened() == 1


def test_a_link_that_was_revoked_or_is_none_leads_nowhere_and_says_no_more(street: Street) -> None:
    made = street.share()
    assert street.ask("DELETE", f"{AT}/shares/{made['id']}").json()["revoked_by"] == "sue"
    gone = street.open(made["path"])
    unknown = street.open("/shared/" + "0" * 16 + "." + "A" * 43)
    odd = street.open("/shared/..%2F..%2Fetc%2Fpasswd")
    assert gone.status_code == unknown.status_code == odd.status_code == 404
    assert gone.text == unknown.text and "<audio" not in gone.text
    assert street.open(f"{made['path']}/sound").status_code == 404


def test_one_source_asks_so_often(street: Street) -> None:
    street.app.state.doorman = shared.Doorman(throttle=Throttle(3))
    link = "/shared/" + "0" * 16 + "." + "A" * 43
    told = [street.open(link).status_code for _ in range(4)]
    assert told == [404, 404, 404, 429]
    assert int(street.open(f"{link}/sound").headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "wanted",
    [{"lasts_s": 10}, {"lasts_s": 1e9}, {"uses": 0}, {"note": "x" * 300}, {"note": "a\nb"}, {"other": 1}],
)
def test_wishes_have_bounds(street: Street, wanted: dict[str, Any]) -> None:
    assert street.ask("POST", f"{AT}/shares", json=wanted).status_code == 422


def test_nobody_shares_what_is_not_there_or_without_the_right(street: Street) -> None:
    nowhere = AT.replace("r1", "r9")
    assert street.ask("POST", f"{nowhere}/shares", json={}).status_code == 404
    assert street.ask("GET", f"{nowhere}/shares").status_code == 404
    assert street.ask("DELETE", f"{AT}/shares/{'0' * 16}").status_code == 404
    assert street.ask("POST", f"{AT}/shares", json={}, signed=False).status_code == 401


NOWHERE = "/shared/" + "0" * 16 + "." + "A" * 43


@pytest.mark.parametrize(
    ("accepted", "code", "direction", "read"),
    [
        ("en-GB,en;q=0.9", "en", "ltr", ("Recording of a call", "Customer", "This link ends on")),
        (
            "es-MX,es;q=0.9,en;q=0.8",
            "es",
            "ltr",
            ("Grabación de una llamada", "Cliente", "Este enlace caduca el"),
        ),
        ("fr, zh-CN;q=0.9, es;q=0.1", "zh", "ltr", ("通话录音", "客户", "此链接的有效期至")),
        ("en;q=0.3, ar;q=0.9", "ar", "rtl", ("تسجيل مكالمة", "العميل", "تنتهي صلاحية هذا الرابط")),
    ],
)
def test_the_page_speaks_what_the_visitors_browser_asks_for(
    street: Street, accepted: str, code: str, direction: str, read: tuple[str, ...]
) -> None:
    page = street.open(street.share(transcript=True)["path"], **{"Accept-Language": accepted})
    assert page.status_code == 200 and f'<html lang="{code}" dir="{direction}">' in page.text
    assert [word for word in read if word not in page.text] == []
    assert (page.headers["content-language"], page.headers["vary"]) == (code, "Accept-Language")
    assert "&lt;b&gt;call me at" in page.text and "1234567" not in page.text, "what was said stays as it was"
    hashed = base64.b64encode(hashlib.sha256(page.text.split("style>")[1][:-2].encode()).digest()).decode()
    assert f"style-src 'sha256-{hashed}'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x" * 10_240,
        b"a-" * 5_120 + b", es",
        b"," * 10_240,
        b";q=" * 3_000,
        "العربية".encode(),
        b"\xff\xfe\x80, \xc3\xa9s",
        b"'\"><script>alert(1)</script>",
        b"../../ar, ar.toml, %61r",
    ],
)
def test_a_browser_that_asks_for_odd_things_reads_english(street: Street, raw: bytes) -> None:
    page = street.ask("GET", NOWHERE, signed=False, headers=[(b"Accept-Language", raw)])
    assert (page.status_code, page.headers["content-language"]) == (404, "en")
    assert '<html lang="en" dir="ltr">' in page.text and "This link leads nowhere" in page.text
    assert page.text == street.open(NOWHERE).text, "nothing of the header is in the page"


def test_what_cannot_be_shown_is_said_in_the_visitors_language(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(entry: object) -> None:
        raise AuditUnavailable("away")

    def opened(path: str, accepted: str) -> tuple[int, str, str]:
        page = street.open(path, **{"Accept-Language": accepted})
        (told,) = re.findall("<p>(.*?)</p>", page.text)
        assert page.headers["vary"] == "Accept-Language" and page.headers["referrer-policy"] == "no-referrer"
        return page.status_code, page.headers["content-language"], told

    path = street.share()["path"]
    assert opened(NOWHERE, "zh") == (404, "zh", "此链接无效或已失效。请向提供链接的人索取新的链接。")
    with monkeypatch.context() as patched:
        patched.setattr(street.stand.access.desk.log, "keep", away)
        assert opened(path, "ar") == (503, "ar", "لا يمكن عرض هذا الآن. حاول مرة أخرى بعد بضع دقائق.")
    street.node.store_answers = False
    assert opened(path, "es") == (
        503,
        "es",
        "Esto no se puede mostrar ahora. Vuelva a intentarlo en unos minutos.",
    )
    assert street.open(f"{path}/sound").status_code == 503
    street.app.state.doorman = shared.Doorman(throttle=Throttle(1))
    street.open(NOWHERE)
    assert opened(path, "ar-SA") == (429, "ar", "محاولات كثيرة. حاول مرة أخرى بعد دقيقة.")
