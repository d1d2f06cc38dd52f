"""Lines that register: when they begin to, and what a change of the configuration makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.carrier import CredentialSettings, RegisterSettings
from config.mobile import ImsSettings
from config.secret import Secret
from engine.line_events import LineChanged
from sip.events import Rejected
from sip.hop import Hop
from sip.uri import Uri
from tests.sim.gateway import Gateway, Lines
from tests.sim.stage import Stage

FIRST, SECOND = "10.3.0.1", "10.3.0.2"
CREDENTIALS = CredentialSettings(user="us", password=Secret("test", "hush"))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    return Lines(stage)


def registering(lines: Lines, **settings: Any) -> Gateway:
    """The gateway of a line that registers with it; another line, that need not, comes after it."""
    carrier = Gateway(lines.stage, FIRST)
    carrier.challenges("us", "hush", registers=True)
    lines.gateways[FIRST] = carrier
    lines.add("two", SECOND, priority=20)
    lines.add("one", FIRST, there=True, credentials=CREDENTIALS, register=RegisterSettings(), **settings)
    return carrier


def fit(lines: Lines, name: str = "one") -> bool:
    """Whether calls go out over it now."""
    board = lines.stage.house.switch.trunks.exchange.board
    at = board.index[name]
    return bool(board.share[at] > 0 and not board.unregistered[at])


def change(lines: Lines, **settings: Any) -> None:
    """The line is configured otherwise."""
    switch = lines.stage.house.switch
    line = replace(switch.config.lines["one"], **settings)
    switch.config = replace(
        switch.config,
        lines={**switch.config.lines, "one": line},
        specs={**switch.config.specs, "one": line.spec()},
    )
    switch.trunks.reconfigured(lines.stage.world.now)
    lines.stage.house.host.pump()


def test_a_line_is_called_as_soon_as_its_registrar_was_found(lines: Lines, stage: Stage) -> None:
    carrier = registering(lines)
    stage.run(0.5)
    assert fit(lines)
    lines.dial()
    stage.run(1.0)
    assert carrier.numbers == ["+34910601234"]


def test_a_registrar_that_was_not_found_is_looked_up_again(
    lines: Lines, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Sequence[Hop]] = {"registrar.example": ()}
    resolve = stage.house.resolve

    def slowly(uri: Uri, now: float, found: Callable[[Sequence[Hop]], None]) -> None:
        found(names[uri.host]) if uri.host in names else resolve(uri, now, found)

    monkeypatch.setattr(stage.house, "resolve", slowly)
    registering(lines)
    change(lines, register=RegisterSettings(registrar="registrar.example"))
    stage.run(30.0)
    assert not fit(lines)
    names["registrar.example"] = (Hop("udp", FIRST, 5060),)
    stage.run(40.0)
    assert fit(lines)


def test_a_line_that_need_not_register_any_more_is_called_all_the_same(lines: Lines, stage: Stage) -> None:
    registering(lines)
    stage.run(0.5)
    change(lines, register=None)
    stage.run(5.0)
    assert fit(lines)


def test_a_line_that_registers_otherwise_is_called_while_the_old_one_is_taken_away(
    lines: Lines, stage: Stage
) -> None:
    carrier = registering(lines)
    stage.run(0.5)
    change(lines, register=RegisterSettings(expires_s=300))
    stage.run(5.0)
    lines.dial()
    stage.run(1.0)
    assert fit(lines) and carrier.called


def test_a_line_over_which_calls_only_come_registers_as_well(lines: Lines, stage: Stage) -> None:
    registering(lines)
    change(lines, addresses=(), sources=(f"{FIRST}/32",), register=RegisterSettings(registrar=FIRST))
    stage.run(1.0)
    assert stage.house.switch.trunks.enrolment.registered("one")


def test_a_node_that_stops_is_waited_for_until_its_carriers_know(lines: Lines, stage: Stage) -> None:
    carrier = registering(lines)
    stage.run(0.5)
    trunks = stage.house.switch.trunks
    trunks.stop(stage.world.now)
    stage.house.host.pump()
    assert trunks.enrolment.leaving == {"one"}
    stage.run(0.5)
    assert not trunks.enrolment.leaving
    stage.run(3600.0)
    assert not carrier.agent.counts()["timers"], "it knows of nobody, and nobody comes back"


# --- mobile networks --------------------------------------------------------------------------------


@pytest.fixture
def proxies(lines: Lines, stage: Stage) -> dict[str, Gateway]:
    """Two P-CSCFs of a mobile network, each of which knows whoever has registered through it."""
    for address in (FIRST, SECOND):
        lines.gateways[address] = Gateway(stage, address)
        lines.gateways[address].challenges("us", "hush", registers=True)
    lines.add(
        "one",
        FIRST,
        SECOND,
        there=True,
        kind="ims",
        ims=ImsSettings(
            domain="ims.example",
            public_identity="sip:us@ims.example",
            access_network="3GPP-E-UTRAN-FDD",
            preconditions=False,
        ),
        codecs=("PCMA",),
        register=RegisterSettings(),
        credentials=CREDENTIALS,
    )
    stage.run(1.0)
    return lines.gateways


def knowing(lines: Lines) -> str:
    """The P-CSCF that knows us."""
    through = lines.stage.house.switch.trunks.enrolment.through("one")
    assert through is not None
    return through.host


def test_calls_go_by_the_proxy_that_knows_us_and_no_other(
    lines: Lines, stage: Stage, proxies: dict[str, Gateway]
) -> None:
    for _ in range(4):
        lines.dial()
        stage.run(0.2)
    known = knowing(lines)
    assert {address: len(each.called) for address, each in proxies.items()} == {
        known: 4,
        (FIRST if known == SECOND else SECOND): 0,
    }
    (contact,) = proxies[known].called[0].contacts
    assert (contact.uri.user, contact.uri.host) == ("us", stage.house.address)


def test_a_proxy_that_dies_is_left_for_another_as_soon_as_it_is_missed(
    lines: Lines, stage: Stage, proxies: dict[str, Gateway]
) -> None:
    stage.run(130.0)  # and its names were looked up again meanwhile
    known = knowing(lines)
    other = FIRST if known == SECOND else SECOND
    proxies[known].host.up = False
    lines.dial()
    stage.run(3.0)
    assert knowing(lines) == other and fit(lines)
    session = lines.dial()
    stage.run(2.0)
    assert session.state == "connected" and len(proxies[other].called) == 1


def test_a_proxy_that_is_no_longer_in_the_dns_is_left_for_one_that_is(
    lines: Lines, stage: Stage, proxies: dict[str, Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = knowing(lines)
    other = FIRST if known == SECOND else SECOND
    resolve = stage.house.resolve

    def moved(uri: Uri, now: float, found: Callable[[Sequence[Hop]], None]) -> None:
        resolve(Uri.sip("", other, 5060) if uri.host == known else uri, now, found)

    monkeypatch.setattr(stage.house, "resolve", moved)
    stage.run(70.0)
    assert knowing(lines) == other and fit(lines)


def test_a_network_that_has_forgotten_us_is_registered_with_anew_and_once(
    lines: Lines, stage: Stage, proxies: dict[str, Gateway]
) -> None:
    switch, told = stage.house.switch, []
    stage.run(60.0)
    switch.observers.append(lambda event: told.append(event.fit) if isinstance(event, LineChanged) else None)
    for number in ("+34910601234", "+34910601235"):
        lines.dial(number)
    stage.run(0.1)
    for leg in [leg for leg in switch.legs.values() if leg.line]:
        refused = Rejected(leg.attempt._session, 504, "Server Time-out", restores=True)
        switch.sip(refused, stage.world.now)
    stage.house.host.pump()
    stage.run(1.0)
    assert told == [False, True] and fit(lines)
