"""Two pages of two languages: an interpreter that is chosen, one that fails, and a mood that turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.browser.pages import ANGRY, AgentPage, CallerPage, Tabs
from tests.interop.booth import speech as spoken
from tests.interop.node import Node
from tests.media.stage import write_wav


@pytest.fixture(scope="module")
def angry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Said again and again, with a pause."""
    path = tmp_path_factory.mktemp("angry") / "angry.wav"
    write_wav(path, spoken(". ".join(ANGRY), "es", after_s=1.5))
    return path


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quiet") / "quiet.wav"
    write_wav(path, np.zeros(8000, np.int16))
    return path


def talk(node: Node, tab: Tabs, customer: CallerPage, language: str, quiet: Path) -> AgentPage:
    """The caller is connected to an agent who speaks English."""
    wish = {"destination": "kiosk", "language": language}
    customer.call("kiosk", token=node.post("/v1/callers/tokens", wish)["token"])
    fay = AgentPage(tab, node, "fay", quiet)
    fay.start()
    fay.answer()
    customer.is_told("talking")
    return fay


def test_an_agent_reads_what_an_angry_caller_says_is_warned_and_chooses_how_both_hear(
    node: Node, tab: Tabs, quiet: Path, angry: Path
) -> None:
    customer = CallerPage(tab, node, angry)
    fay = talk(node, tab, customer, "es", quiet)
    agent, caller = fay.page, customer.page
    caller.wait_for_selector("#live-more:has-text('You hear an interpreter over the original voice')")
    agent.wait_for_selector(".caption[data-side=customer] .mark:has-text('low accuracy')")
    agent.wait_for_selector(".caption[data-side=customer] .mark:has-text('gist')")
    agent.wait_for_selector("#mood[data-level=upset]:has-text('The customer is upset')")
    assert "vergüenza" in agent.inner_text("#mood-why")
    agent.wait_for_selector("#urgent:has-text('abogado')")
    agent.wait_for_selector("#aloud :text('Urgent')")

    assert agent.input_value("#hear-mine") == agent.input_value("#hear-theirs") == "over"
    agent.focus("#hear-theirs")
    agent.keyboard.press("ArrowDown")  # the keyboard alone will do
    caller.wait_for_selector("#live-more:has-text('instead of the original')")
    agent.select_option("#hear-theirs", "off")
    caller.wait_for_selector("#live-more:has-text('do not hear an interpreter any more')")
    agent.select_option("#hear-mine", "instead")
    (call,) = node.get("/v1/calls")["items"]
    node.ask("PUT", f"/v1/calls/{call['id']}/interpreter", {"side": "agent", "voice": "off"})
    agent.wait_for_function("() => document.querySelector('#hear-mine').value === 'off'")
    agent.click("#hangup")


def test_who_waits_for_an_interpreter_that_cannot_be_is_told_why_and_whom_she_hears(
    node: Node, tab: Tabs, quiet: Path, angry: Path
) -> None:
    customer = CallerPage(tab, node, angry)
    agent = talk(node, tab, customer, "ar", quiet).page
    said = "What is said cannot be recognised. You hear the customer herself again."
    agent.wait_for_selector(f"#interpreter-fault:has-text('{said}')")
    assert "nobody" in agent.inner_text("#cannot li")
    agent.wait_for_selector("#aloud :text('cannot be recognised')")
    agent.select_option("#hear-mine", "off")
    agent.wait_for_selector("#interpreter-fault", state="hidden")
    agent.click("#hangup")
