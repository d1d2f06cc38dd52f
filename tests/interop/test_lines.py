"""Calls that go out over lines, and come: a node with real gateways that fail, refuse, count and ask."""

from __future__ import annotations

import signal
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest

from tests.interop.conftest import prompts_of
from tests.interop.gateways import HOSTS, OTHERS, OWN, PASSWORD, RETRY_S, SECOND_HOST, Gateway, Lines
from tests.interop.node import DOMAIN, LINE, STRANGER, Node
from tests.interop.sipp import Sipp

Call = Callable[..., Sipp]


@pytest.fixture
def call(lines: Lines, tmp_path: Path) -> Call:
    """A caller who comes in over a line of ours and dials a number outside."""

    def run(number: str, scenario: str = "caller", **options: object) -> Sipp:
        given = {"remote": lines.node.address(), "address": LINE, "caller": "+441632960001", **options}
        return Sipp(scenario, tmp_path, number=number, **given)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def obeys(lines: Lines) -> Gateway:
    """Does as the number says that is called."""
    return lines.gateway("obeys")


@pytest.fixture(scope="module")
def following(lines: Lines) -> Gateway:
    """Of the line to which calls go that others do not take."""
    return lines.gateway("next", deaf="x")


@pytest.fixture(scope="module")
def german(lines: Lines) -> Gateway:
    """Of a line with a form of its own for numbers."""
    return lines.gateway("german")


@pytest.mark.parametrize("ending", ["503", "408", "500", "099"])
def test_a_line_that_refuses_or_says_nothing_loses_the_call_to_the_next(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number):
        pass
    assert (obeys.numbers.count(number), following.numbers.count(number)) == (1, 1)


@pytest.mark.parametrize("ending", ["404", "486", "603"])
def test_what_the_callee_says_is_passed_on_and_no_other_line_is_asked(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number, "caller_refused", status=ending):
        pass
    assert number in obeys.numbers and number not in following.numbers


@pytest.mark.parametrize("ending", ["180", "183"])
def test_a_line_that_rang_is_the_last_that_is_asked(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number, "caller_is_told_more", status="503"):
        pass
    assert number in obeys.numbers and number not in following.numbers


# --- gateways that are gone -------------------------------------------------------------------------


def test_a_gateway_whose_process_is_gone_loses_its_calls_and_has_them_again_when_it_is_back(
    lines: Lines, call: Call, following: Gateway
) -> None:
    lines.gateway("killed").kill()
    with call("+34910601001"):
        pass
    lines.fit("killed", False)
    again = lines.gateway("killed")
    with call("+34910601002"):
        pass
    assert (following.numbers.count("+34910601001"), again.numbers) == (1, ["+34910601002"])


def test_a_gateway_that_falls_silent_loses_the_call_and_rings_for_nobody_when_it_wakes(
    lines: Lines, call: Call, following: Gateway
) -> None:
    stopped = lines.gateway("stopped", tries="300")
    stopped.process.send_signal(signal.SIGSTOP)
    for number in ("+34910602001", "+34910602002"):
        with call(number):
            pass
    assert following.numbers[-2:] == ["+34910602001", "+34910602002"]
    lines.fit("stopped", False)
    stopped.process.send_signal(signal.SIGCONT)
    lines.fit("stopped")
    with call("+34910602003"):
        pass
    # the first call had reached it: as soon as it says so, it is told that nobody wants it any more
    assert stopped.numbers == ["+34910602001", "+34910602003"]
    assert [each.request.uri.user_text for each in stopped.received("CANCEL")] == ["+34910602001"]
    assert stopped.said(180) == 1


def test_addresses_of_a_name_are_called_in_their_order_as_long_as_they_are_there(
    lines: Lines, call: Call
) -> None:
    first = lines.gateway("named")
    second = lines.gateway("named", host=SECOND_HOST)
    lines.asked(second)
    with call("+34910603001"):
        pass
    first.kill()
    with call("+34910603002"):
        pass
    back = lines.gateway("named")
    lines.asked(back)
    with call("+34910603003"):
        pass
    assert (first.numbers, second.numbers, back.numbers) == (
        ["+34910603001"],
        ["+34910603002"],
        ["+34910603003"],
    )
    assert {str(each.request.uri.host) for each in first.received()} == {"carrier.test"}


# --- caps -------------------------------------------------------------------------------------------


def test_a_line_is_sent_no_more_calls_a_second_than_it_takes_and_the_next_has_the_others(
    lines: Lines, call: Call, following: Gateway
) -> None:
    slow = lines.gateway("slow")
    with call("+34910604001", calls=15, rate=10):
        pass
    at = [each.at for each in slow.received()]
    assert len(at) + following.numbers.count("+34910604001") == 15
    # by when they came, which differs a little from when they were sent
    assert len(at) > 3 and max(sum(begin <= each < begin + 0.9 for each in at) for begin in at) <= 3


def test_a_line_has_no_more_calls_at_once_than_it_has_channels(
    lines: Lines, call: Call, following: Gateway
) -> None:
    narrow = lines.gateway("narrow")
    with call("+34910605001", calls=12, rate=10):
        pass
    began, over = narrow.received(), narrow.received("BYE")
    changes = sorted([*((each.at, 1) for each in began), *((each.at, -1) for each in over)])
    assert 2 < len(began) < 12 and following.numbers.count("+34910605001") == 12 - len(began)
    assert max(accumulate(change for _, change in changes)) == 2


def test_who_finds_every_channel_taken_is_told_when_to_come_again(lines: Lines, call: Call) -> None:
    lines.fit("narrow")
    lines.idle("narrow")
    with call("+34910606001", "caller_stays", calls=2, rate=50, stays="450"):
        lines.busy("narrow", 2)
        with call("+34910606002", "caller_is_put_off", seconds=str(RETRY_S)):
            pass


# --- numbers and callers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "written"), [("+442071838799", "01033442071838799"), ("+4930100300", "030100300")]
)
def test_a_line_is_sent_numbers_and_callers_as_it_writes_them(
    lines: Lines, call: Call, german: Gateway, number: str, written: str
) -> None:
    with call(number):
        pass
    request = german.received()[-1].request
    assert (request.uri.user_text, request.from_.uri.user_text) == (written, "030100200")
    assert request.headers.get("P-Asserted-Identity") == f"<sip:030100200@{DOMAIN}>"
    assert request.headers.get("Diversion") is None, "a number that leads on diverts nothing"


def test_a_call_that_comes_is_read_as_the_line_writes_and_its_caller_as_the_carrier_asserts(
    lines: Lines, call: Call, following: Gateway
) -> None:
    asserted = "P-Asserted-Identity: <tel:+4915112345678>"
    with call("7200", address=HOSTS["german"], caller="01701234567", headers=asserted):
        pass
    request = following.received()[-1].request
    assert (request.uri.user_text, request.from_.uri.user_text) == ("+4930100200", "+4915112345678")


def test_what_a_line_asserts_that_is_not_to_assert_anything_is_not_believed(
    lines: Lines, call: Call, obeys: Gateway
) -> None:
    with call("+34910600001", headers="P-Asserted-Identity: <tel:+4930100200>"):
        pass
    assert obeys.received()[-1].request.from_.uri.user_text == "+441632960001"


@pytest.mark.parametrize("number", [OTHERS, "+34910600001", "anna"])
def test_a_line_that_is_for_its_own_numbers_alone_reaches_no_others(
    lines: Lines, call: Call, number: str
) -> None:
    with call(number, "caller_refused", address=HOSTS["german"], status="404"):
        pass


def test_a_stranger_who_says_what_a_carrier_says_is_believed_nothing(
    lines: Lines, call: Call, following: Gateway
) -> None:
    before = len(following.received())
    forged = f"P-Asserted-Identity: <tel:+4915112345678>|Via: SIP/2.0/UDP {HOSTS['german']};branch=z9hG4bK1"
    for number in ("7200", "+4930100200", "+34910600001"):
        with call(number, "caller_refused", address=STRANGER, status="401", headers=forged):
            pass
    assert len(following.received()) == before


# --- who we are -------------------------------------------------------------------------------------


def test_a_gateway_that_asks_for_a_password_is_given_the_lines(lines: Lines, call: Call) -> None:
    asks = lines.gateway("asks", "gateway_asks")
    with call("+34910607001"):
        pass
    first, second = (each.request for each in asks.received())
    assert (first.call_id, first.headers.get("Authorization")) == (second.call_id, None)
    assert 'username="us"' in (second.headers.get("Authorization") or "")


def test_a_line_that_registers_is_called_while_it_is_registered(
    lines: Lines, call: Call, following: Gateway
) -> None:
    joins = lines.gateway("joins")
    with call("+34910608001"):
        pass
    lines.registrar.kill()
    lines.fit("joins", False)
    with call("+34910608002"):
        pass
    assert (joins.numbers, following.numbers[-1]) == (["+34910608001"], "+34910608002")


def test_a_node_that_stops_is_gone_for_its_carriers(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    registrar = Gateway("registrar", tmp_path)
    line = {
        "country": "GB",
        "addresses": [{"host": registrar.address, "port": registrar.port}],
        "transport": "udp",
        "options_every_s": 0,
        "caller_id": {"number": OWN, "show": "own"},
        "credentials": {"user": "us", "password": {"file": str(tmp_path / "password")}},
        "register": {},
    }
    try:
        node = Node(tmp_path / "node", prompts_of(request.config.cache), lines={"joins": line})
        node.await_metric("isogloss_line_share_ratio", "joins", lambda share: share > 0)
        assert node.close() == 0
        assert [each.request.expires for each in registrar.received("REGISTER")][-1] == 0
        assert registrar.said(200) > 1
    finally:
        registrar.kill()
