"""The console's office in Chromium: reports, the audit log, users, one's own account, files of the
configuration. Filled in wrongly and rightly, by keys, in both themes, read by everybody.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyotp
import pytest

from engine.access.principal import Directory
from engine.access.principal import Place as Belongs
from engine.access.role import Role
from tests.browser.axe import unreadable
from tests.browser.chromium import Chromium
from tests.browser.console_stand import Stand
from tests.browser.keys import walked
from tests.engine.access.stand import PASSWORD, hashed
from tests.engine.access.stand import Stand as Users
from tests.engine.console.busy import BusyNode
from tests.engine.operating_stand import Stand as Configured
from tests.engine.operating_stand import shipped

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opened = Callable[..., "Page"]
PAGES = (
    "reports?period=week", "reports?period=week&by=day&then=hour_of_day",
    "reports?period=week&by=agent&figure=service_level&show=sound",
    "reports?period=custom&from=2001-01-01&to=x",
    "audit", "audit?doing=reads", "users", "users?new=1", "users/sue", "users/gone", "account",
    "config?file=queues.yaml",
)  # fmt: skip
HERE, ALL = "document.activeElement", "document.querySelectorAll"
T = TypeVar("T")


def apart(make: Callable[[], T]) -> T:
    """In a thread of its own: in the main one runs Playwright's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(make).result()


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    folder = tmp_path_factory.mktemp("users")
    made = apart(lambda: Users(folder))
    apart(hashed)
    made.wall.now, made.desk.clock = time.time(), time.monotonic
    made.desk.wall = time.time
    made.user("ada", Role.ADMIN)
    made.user("axel", Role.AUDITOR)
    made.user("sue", Role.SUPERVISOR, markets=("de",), display="Sue Park")
    yield made
    apart(made.close)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Configured]:
    place = tmp_path_factory.mktemp("files")
    made = apart(lambda: Configured(shipped(place / "config"), place / "data"))
    yield made
    apart(made.close)


@pytest.fixture(scope="module")
def stand(users: Users, files: Configured) -> Iterator[Stand]:
    node = BusyNode()
    node.directory = lambda: Directory(  # type: ignore[method-assign]
        {"emre": Belongs("north", ("support",))}, {"support": "de", "ventas": "es"}, {"carrier": "de"}
    )
    made = Stand(node, access=users.access, operating=files.operating)
    yield made
    made.close()


@pytest.fixture
def opened(chromium: Chromium, stand: Stand, tmp_path: Path) -> Iterator[Opened]:
    """Opens a place of the console as somebody who signs in by name."""
    said: list[str] = []

    def heard(message: str) -> None:
        """Who types before a field got its focus by itself is told so by Chromium; no policy did that."""
        if "blocked" in message and not message.startswith("Autofocus"):
            said.append(message)

    def open_page(to: str, name: str = "ada", password: str = PASSWORD, **look: Any) -> Page:
        page = chromium.open(tmp_path / "nothing.wav", timezone_id="Europe/Madrid", **look).page
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: heard(message.text))
        page.goto(f"{stand.address}/console/{to}{'&' if '?' in to else '?'}lang=en")
        page.fill("#name", name)
        page.fill("#password", password)
        page.press("#password", "Enter")
        page.wait_for_selector(".page-head h1")
        page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
        return page

    yield open_page
    chromium.close_pages()
    assert said == [], "no script failed, and the policy had nothing to block"


def test_a_report_is_narrowed_sorted_and_led_on_from_to_its_calls(opened: Opened) -> None:
    page = opened("reports?period=week")
    page.wait_for_selector("text=Europe/Madrid")
    assert page.locator(".columns .slot").count() == 7
    page.select_option(".figures-card select[name=by]", "day")
    page.wait_for_selector(".figures tbody tr >> nth=4")
    assert "by=day" in page.url and "period=week" in page.url
    page.select_option("select[name=queue]", "vip")
    page.wait_for_selector("text=Clear filters")
    page.select_option(".figures-card select[name=by]", "queue")
    page.wait_for_function("() => document.querySelectorAll('.figures tbody tr').length === 1")
    page.click(".figures tbody a")
    page.wait_for_selector(".main-calls .chip:has-text('Arrived')")
    assert "queue=vip" in page.url and "from=" in page.url
    page.go_back()
    page.wait_for_selector(".figures tbody tr[data-key=vip]")


def test_a_report_is_taken_along_as_it_is(opened: Opened) -> None:
    page = opened("reports?period=week&by=queue&then=market")
    with page.expect_download() as taking:
        page.click("text=CSV")
    rows = list(csv.DictReader(io.StringIO(Path(taking.value.path()).read_text("utf-8"))))
    assert {row["queue"] for row in rows} == {"support", "sales", "ventas", "vip"} and "market" in rows[0]


def test_days_and_zones_without_sense_are_told_at_their_field(opened: Opened) -> None:
    page = opened("reports?period=week")
    page.fill("#ask-zone", "Mars/Olympus")
    page.press("#ask-zone", "Enter")
    page.wait_for_selector("#ask-zone-fault")
    assert page.get_attribute("#ask-zone", "aria-invalid") == "true"
    page.fill("#ask-zone", "Asia/Tokyo")
    page.press("#ask-zone", "Enter")
    page.wait_for_selector("#ask-zone-fault", state="detached")
    page.wait_for_selector(".page-head >> text=Asia/Tokyo")
    assert page.locator("#zones option").count() > 300, "the browser's own names are offered"


def test_the_chain_is_proved_before_ones_eyes_and_a_change_is_found(opened: Opened, users: Users) -> None:
    page = opened("audit", "axel")
    page.click("text=Verify the chain")
    page.wait_for_selector(".verdict.good >> text=Whole")
    with users.engine.begin() as connection:
        who = connection.exec_driver_sql("SELECT who FROM audit WHERE seq = 2").scalar_one()
        connection.exec_driver_sql("UPDATE audit SET who = 'eve' WHERE seq = 2")
    broken = ".verdict.bad >> text=entry 2 is not as it was written"
    try:
        page.click("text=Verify the chain")
        page.wait_for_selector(broken)
        looked_at = opened("audit", "axel", bypass_csp=True)
        looked_at.wait_for_selector(broken)
        assert unreadable(looked_at) == []
    finally:
        with users.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE audit SET who = ? WHERE seq = 2", (who,))


def test_the_log_is_sifted_and_a_row_is_unfolded(opened: Opened) -> None:
    page = opened("audit", "axel")
    page.click("text=Signed in and out")
    page.fill("#sift-who", "axel")
    page.press("#sift-who", "Enter")
    page.wait_for_function(
        "() => !location.search.includes('cursor') && location.search.includes('who=axel')"
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.trail b')].every((each) => each.textContent === 'axel')"
    )
    page.focus(".trail summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".trail details[open] .hash")


def test_a_user_is_made_wrongly_and_rightly_and_gets_in(opened: Opened) -> None:
    page = opened("users")
    page.click("text=New user")
    page.wait_for_selector("#new-name")
    page.fill("#new-name", "Otto Lind")
    page.click("button:has-text('Make the user')")
    page.wait_for_selector("#new-name-fault")
    page.wait_for_function(f"() => {HERE}.id === 'new-name'")
    assert page.get_attribute("#new-name", "aria-invalid") == "true"
    page.fill("#new-name", "otto")
    page.select_option("#new-role", "operator")
    page.click("button:has-text('Make the user')")
    page.wait_for_selector("#secret")
    password = page.inner_text("#secret")
    assert page.locator("#secret").count() == 1
    page.click("text=Look at")
    page.wait_for_selector("#edit-display")
    assert password not in page.content()
    other = opened("account", "otto", password)
    assert (
        other.inner_text("h1") == "Your account"
        and other.locator("nav a[href='/console/users']").count() == 0
    )


def test_who_is_shut_out_is_at_the_door_at_once(opened: Opened, users: Users) -> None:
    users.user("tim", Role.SUPERVISOR)
    hers = opened("wallboard", "tim")
    page = opened("users/tim")
    page.click("[data-opens=bar]")
    page.click("dialog[open] [data-do=bar_user]")
    page.wait_for_selector("text=May not sign in")
    hers.wait_for_selector("#password")
    page.click("[data-do=bar_user][data-disabled=no]")
    page.wait_for_selector("[data-opens=bar]")


def test_a_second_factor_is_set_up_with_a_phone(opened: Opened, users: Users) -> None:
    users.user("pat", Role.SUPERVISOR)
    page = opened("account", "pat")
    page.fill("#enrol-password", "not it at all")
    page.click("text=Set it up")
    page.wait_for_selector("#enrol-password-fault")
    page.fill("#enrol-password", PASSWORD)
    page.click("text=Set it up")
    page.wait_for_selector("svg.qr")
    light = page.evaluate("() => getComputedStyle(document.querySelector('.qr .ground')).fill")
    assert light == "rgb(255, 255, 255)", "phones read dark on light"
    letters = page.inner_text(".letters").replace(" ", "")
    page.fill("#confirm-code", pyotp.TOTP(letters).now())
    page.click("button:has-text('Confirm')")
    page.wait_for_selector("#codes li >> nth=9")
    assert re.fullmatch(r"[a-z2-7]{5}-[a-z2-7]{5}", page.inner_text("#codes li >> nth=0"))


def test_a_token_is_made_shown_once_and_revoked(opened: Opened) -> None:
    page = opened("account")
    page.click("text=New token")
    page.fill("#mint-days", "9999")
    page.fill("#mint-name", "wallboard")
    page.click("button:has-text('Make the token')")
    page.wait_for_selector("#mint-days-fault")
    page.fill("#mint-days", "30")
    page.check(".checks [data-key=metrics] input")
    page.click("button:has-text('Make the token')")
    page.wait_for_selector("#secret")
    assert page.inner_text("#secret").startswith("isot_")
    assert "metrics" in page.inner_text("tbody tr")
    page.reload()
    page.wait_for_selector("tbody tr")
    assert "isot_" not in page.content()
    page.click("tbody [data-opens]")
    page.click("dialog[open] [data-do=revoke_token]")
    page.wait_for_selector("tbody .pill:has-text('revoked')")


def test_looking_at_the_files_again_leaves_the_caret_where_it_is(opened: Opened) -> None:
    page = opened("config?file=queues.yaml&at=support")
    page.wait_for_function(f"() => {HERE}.id === 'editor'")
    page.keyboard.press("Control+Home")
    page.click("[data-do=check]")
    page.wait_for_selector("text=The files are sound.")
    assert page.evaluate(f"() => {HERE}.dataset.do") == "check"
    assert page.evaluate("() => document.getElementById('editor').selectionStart") == 0


def test_a_file_is_edited_wrongly_and_rightly_and_put_back(opened: Opened) -> None:
    page = opened("config?file=queues.yaml&at=support")
    page.wait_for_function(f"() => {HERE}.id === 'editor'")
    text = page.input_value("#editor")
    page.fill("#editor", text.replace("ring_timeout_s: 20", "ring_timeuot_s: 20", 1))
    page.click("text=Save and check")
    page.click("button.where")
    page.wait_for_selector("text=did you mean 'ring_timeout_s'?")
    chosen = f"() => {HERE}.value.slice({HERE}.selectionStart, {HERE}.selectionEnd)"
    assert "ring_timeuot_s" in page.evaluate(chosen), "the mistake leads to its line"
    page.fill("#editor", text.replace("ring_timeout_s: 20", "ring_timeout_s: 25", 1))
    page.click("text=Save and check")
    page.wait_for_selector("text=The files are sound.")
    page.click("[data-do=plan]:not([data-version])")
    page.wait_for_selector("text=ring_timeout_s: 20 → 25")
    page.click("[data-opens=restore]")
    page.click("dialog[open] [data-do=restore]")
    page.wait_for_function("(text) => document.getElementById('editor').value === text", arg=text)


def test_a_line_is_begun_removed_and_had_back(opened: Opened) -> None:
    page = opened("config")
    page.select_option("select[name=like]", "lines/gateway.yaml")
    page.fill("[name=new]", "telecom b")
    page.click("text=Begin")
    assert page.evaluate("() => document.querySelector('[name=new]').validity.patternMismatch")
    page.fill("[name=new]", "telecom-b")
    page.click("text=Begin")
    page.wait_for_selector("#editor")
    text = page.input_value("#editor")
    assert "A gateway in the same building" in text and not page.query_selector("[data-opens=remove]")
    page.click("text=Save and check")
    page.click("[data-opens=remove]")
    page.click("dialog[open] [data-do=remove]")
    page.wait_for_selector("text=was removed")
    page.wait_for_selector("select[name=like]")
    assert "telecom-b" not in page.inner_text("select[name=file]"), (
        "it never ran, so there is nothing to have back"
    )


def test_every_page_is_walked_by_tab_and_every_stop_is_seen(opened: Opened) -> None:
    page = opened("users")
    places = (
        "users",
        "users?new=1",
        "users/sue",
        "account",
        "config",
        "config?file=queues.yaml",
        "audit?doing=sessions",
    )
    assert [fault for to in places for fault in walked(page, to)] == []


@pytest.mark.parametrize("to", PAGES)
def test_everybody_can_read_it(opened: Opened, to: str) -> None:
    page = opened(to, color_scheme="dark", bypass_csp=True)
    page.wait_for_selector("main .card")
    page.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true; }")
    assert unreadable(page) == []
