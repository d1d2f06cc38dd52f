"""What the shipped Kamailio does with each message, seen by stand-ins of nodes and of callers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from engine.cluster.redirect import SENT_ON
from sip.message import Request, Response
from tests.interop.authority import Authority
from tests.interop.front import Front
from tests.interop.node import DOMAIN
from tests.interop.standin import UNTIL_TOLD, Caller, Crew

NEAR, OTHER, AWAY = "127.0.4.1", "127.0.4.2", "127.0.4.3"
CARRIER = "127.0.6.1"
SUPPORT = f"sip:support@{DOMAIN}"
SILENT, FULL, BUSY, TAKEN = (), (503,), (486,), (100, 180, 200)
_strangers = count(1)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    made = Crew(NEAR, OTHER, AWAY)
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    near, other, away = crew.nodes
    defines = {"FIRST_WORD_MS": "400", "OTHERS_MS": "500", "SOURCE_INVITES": "5", "SOURCE_DENSITY": "40"}
    folder = tmp_path_factory.mktemp("rules") / "front"
    with Front(folder, [near, other], away=[away], lines=[CARRIER], defines=defines) as front:
        yield front


@pytest.fixture
def front(running: Front, crew: Crew) -> Front:
    """All nodes well, nothing left of those before."""
    for each in crew.nodes:
        each.health = 200
    running.until_active(*crew.nodes)
    crew.play()
    return running


@pytest.fixture
def stranger() -> Iterator[Caller]:
    """From an address that nobody came from before, so that nothing is counted against it."""
    with Caller(f"127.0.5.{next(_strangers)}") as caller:
        yield caller


@pytest.fixture
def carrier() -> Iterator[Caller]:
    with Caller(CARRIER) as caller:
        yield caller


def hosts(crew: Crew, method: str = "INVITE") -> list[str]:
    return [host for host, name in crew.way() if name == method]


# --- which node ---------------------------------------------------------------------------------------


def test_it_starts_with_the_shipped_configuration(front: Front) -> None:
    assert front.check() == ""
    assert "ERROR" not in front.said(1_000_000)


def test_new_calls_are_spread_and_an_account_has_its_node(front: Front, crew: Crew, stranger: Caller) -> None:
    for _ in range(4):
        assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
    crew.play()
    own = {"from_": f"sip:anna@{DOMAIN}"}
    stranger.ask(
        stranger.request("REGISTER", f"sip:{DOMAIN}", to=f"<sip:anna@{DOMAIN}>", **own), front.address()
    )
    stranger.ask(stranger.request("INVITE", SUPPORT, **own), front.address())
    stranger.ask(stranger.request("SUBSCRIBE", SUPPORT, "Event: dialog", **own), front.address())
    assert len({host for host, _ in crew.way()}) == 1


@pytest.mark.parametrize("first", [SILENT, FULL], ids=["silent", "draining"])
def test_a_call_goes_on_to_the_next_node(
    front: Front, crew: Crew, stranger: Caller, first: tuple[int, ...]
) -> None:
    crew.play(first, TAKEN)
    assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
    assert sorted(hosts(crew)) == [NEAR, OTHER]


def test_nodes_of_other_regions_come_last(front: Front, crew: Crew, stranger: Caller) -> None:
    crew.play(FULL, FULL, TAKEN)
    assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
    assert (sorted(hosts(crew)[:2]), hosts(crew)[2:]) == ([NEAR, OTHER], [AWAY])


def test_where_no_node_takes_it_the_caller_is_told_when_to_come_back(
    front: Front, crew: Crew, stranger: Caller
) -> None:
    crew.play(FULL, FULL, FULL)
    answer = stranger.ask(stranger.request("INVITE", SUPPORT), front.address())
    assert (answer.status, answer.headers.get("Retry-After")) == (503, "5")
    assert len(hosts(crew)) == 3


@pytest.mark.parametrize("status", [404, 408, 486, 500, 503, 600, 603])
def test_what_a_node_decides_is_final(front: Front, crew: Crew, stranger: Caller, status: int) -> None:
    crew.play((100, status), TAKEN, busy=False)
    given = stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status
    assert given == (500 if status == 503 else status)
    assert len(hosts(crew)) == 1


def test_a_node_sends_a_call_on_to_one_that_is_nearer(front: Front, crew: Crew, stranger: Caller) -> None:
    crew.play((302,), TAKEN)
    crew.nearer = crew.nodes[2].address()
    assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
    assert hosts(crew)[1:] == [AWAY]


def test_whoever_gets_a_call_that_was_sent_on_can_tell(front: Front, crew: Crew, stranger: Caller) -> None:
    """Or it would be sent on once more, and the caller told."""
    crew.play((302,), FULL, TAKEN)
    crew.nearer = crew.nodes[2].address()
    assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
    asked = [request for _, request in crew.seen if request.method == "INVITE"]
    assert [each.uri.param(SENT_ON) for each in asked] == [None, "front", "front"]
    assert {each.uri.user for each in asked} == {"support"}


def test_a_call_is_sent_on_to_nodes_alone(front: Front, crew: Crew, stranger: Caller) -> None:
    with Caller("127.0.9.9") as elsewhere:
        crew.play((302,), TAKEN)
        crew.nearer = f"127.0.9.9:{elsewhere.port}"
        assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 302
        assert not elsewhere.hears_within(0.2)


def test_after_ringing_no_other_node_rings(front: Front, crew: Crew, stranger: Caller) -> None:
    crew.play((100, 180, UNTIL_TOLD, 503), TAKEN)
    call = stranger.request("INVITE", SUPPORT)
    stranger.send(call, front.address())
    stranger.until(lambda answer: answer.status == 180)  # Kamailio's processes may overtake each other
    crew.go_on()
    assert stranger.conclude(call, front.address()).status == 500
    assert len(hosts(crew)) == 1


def test_a_node_that_answers_503_to_options_gets_no_calls(front: Front, crew: Crew, stranger: Caller) -> None:
    near, other, away = crew.nodes
    near.health = 503
    front.until_active(other, away)
    crew.play()
    for _ in range(4):
        stranger.ask(stranger.request("INVITE", SUPPORT), front.address())
    assert set(hosts(crew)) == {OTHER}


def test_a_call_that_is_cancelled_rings_nobody_else(front: Front, crew: Crew, stranger: Caller) -> None:
    crew.play((100, 180), TAKEN)
    invite = stranger.request("INVITE", SUPPORT)
    stranger.send(invite, front.address())
    stranger.until(lambda each: each.status == 180)
    cancel = invite.replace("INVITE", "CANCEL")
    stranger.send(cancel, front.address())
    crew.until("CANCEL")
    assert len(hosts(crew)) == 1


def test_over_tls_a_node_is_known_by_who_signed_its_certificate(crew: Crew, tmp_path: Path) -> None:
    """Another front does for a node: it answers OPTIONS."""
    own, other = Authority("nodes"), Authority("others")
    with ExitStack() as held:
        run = lambda name, *nodes, **settings: held.enter_context(Front(tmp_path / name, nodes, **settings))  # noqa: E731
        node = run("node", *crew.nodes, host="127.0.2.3", certificate=own.issue("node"))
        trusting = run("trusting", node, host="127.0.2.4", transport="tls", authority=own.pem)
        doubting = run("doubting", node, host="127.0.2.5", transport="tls", authority=other.pem)
        doubting.until_active()
        assert "certificate verify failed" in doubting.said(100_000)
        trusting.until_active(node)
        assert [each["state"] for each in trusting.ask("tls.list")] == ["established"]


# --- inside a dialog ----------------------------------------------------------------------------------


def begun(front: Front, caller: Caller) -> tuple[str, str, str, list[str]]:
    """A call that a node answered: its Call-ID, the To with tag, the node's address, the route."""
    invite = caller.request("INVITE", SUPPORT)
    answer = caller.ask(invite, front.address())
    routes = [f"Route: {each}" for each in reversed(answer.headers.values("Record-Route"))]
    return answer.call_id, str(answer.to), str(answer.contacts[0].uri), routes


def bye(caller: Caller, front: Front, call: tuple[str, str, str, list[str]]) -> Response:
    call_id, to, target, routes = call
    return caller.ask(caller.request("BYE", target, *routes, to=to, call_id=call_id), front.address())


def test_what_belongs_to_a_call_goes_to_its_node(front: Front, crew: Crew, stranger: Caller) -> None:
    call = begun(front, stranger)
    assert bye(stranger, front, call).status == 200
    (first, _), (last, method) = crew.way(call[0])
    assert (first, method) == (last, "BYE")


def test_a_node_that_drains_keeps_its_calls(front: Front, crew: Crew, stranger: Caller) -> None:
    call = begun(front, stranger)
    (own,) = {host for host, _ in crew.way(call[0])}
    drained = next(each for each in crew.nodes if each.host == own)
    drained.health = 503
    front.until_active(*(each for each in crew.nodes if each is not drained))
    assert bye(stranger, front, call).status == 200
    assert crew.way(call[0])[-1] == (own, "BYE")


def test_a_silent_node_is_out_and_its_calls_are_looked_for_at_the_others(
    front: Front, crew: Crew, stranger: Caller
) -> None:
    call = begun(front, stranger)
    (own,) = {host for host, _ in crew.way(call[0])}
    dead = next(each for each in crew.nodes if each.host == own)
    dead.health = 0
    front.until_active(*(each for each in crew.nodes if each is not dead))
    crew.play()
    assert bye(stranger, front, call).status == 200
    ((taker, method),) = crew.way(call[0])
    assert (taker != own, method) == (True, "BYE")
    dead.health = 200
    front.until_active(*crew.nodes)


# --- what strangers may not ---------------------------------------------------------------------------

FORGED = (
    "P-Asserted-Identity: <sip:+442071838750@carrier.example>",
    "Remote-Party-ID: <sip:+442071838750@carrier.example>",
    "Diversion: <sip:+442071838750@carrier.example>",
    "X-Isogloss-Source: udp:127.0.6.1:5060",
    "X-Isogloss-Node: node-1",
)


def names(request: Request) -> set[str]:
    return {each.partition(":")[0] for each in FORGED if request.headers.get(each.partition(":")[0])}


def test_headers_that_speak_for_the_network_are_taken_from_strangers(
    front: Front, crew: Crew, stranger: Caller
) -> None:
    stranger.ask(stranger.request("INVITE", SUPPORT, *FORGED), front.address())
    invite = crew.until("INVITE")
    assert names(invite) == {"X-Isogloss-Source"}
    assert invite.headers.all("X-Isogloss-Source") == [f"udp:{stranger.host}:{stranger.port}"]


def test_a_line_asserts_callers_and_nothing_of_ours(front: Front, crew: Crew, carrier: Caller) -> None:
    carrier.ask(carrier.request("INVITE", SUPPORT, *FORGED), front.address())
    invite = crew.until("INVITE")
    assert names(invite) == {"P-Asserted-Identity", "Remote-Party-ID", "Diversion", "X-Isogloss-Source"}
    assert invite.headers.all("X-Isogloss-Source") == [f"udp:{CARRIER}:{carrier.port}"]


def test_what_lies_in_the_message_is_not_touched(front: Front, crew: Crew, stranger: Caller) -> None:
    body = "v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\ns=-\r\nc=IN IP4 10.1.2.3\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
    text = stranger.request("INVITE", SUPPORT, "Content-Type: application/sdp", body=body)
    stranger.ask(text, front.address())
    invite = crew.until("INVITE")
    assert invite.body == body.encode()
    assert (invite.contacts[0].uri.host, invite.contacts[0].uri.port) == (stranger.host, stranger.port)
    assert len(invite.vias) == 2


@pytest.mark.parametrize(
    "routes",
    [
        ["Route: <sip:{front};lr>", "Route: <sip:127.0.9.9:5060;lr>"],
        ["Route: <sip:127.0.9.9:5060;lr>"],
        ["Route: <sip:{front};lr;received=sip:127.0.9.9:5060>"],
    ],
)
def test_nobody_is_reached_through_it(front: Front, crew: Crew, stranger: Caller, routes: list[str]) -> None:
    with Caller("127.0.9.9") as victim:
        at = f"127.0.9.9:{victim.port}"
        lines = [each.format(front=front.address()).replace("127.0.9.9:5060", at) for each in routes]
        to = f"<{SUPPORT}>;tag=made-up"
        inside = stranger.request("BYE", f"sip:someone@{at}", *lines, to=to)
        assert stranger.ask(inside, front.address()).status in (403, 404)
        new = stranger.request("INVITE", f"sip:someone@{at}", *lines)
        stranger.ask(new, front.address())
        assert not victim.hears_within(0.3)


def test_a_flood_from_one_address_does_not_keep_others_out(
    front: Front, crew: Crew, stranger: Caller
) -> None:
    with Caller("127.0.7.1") as flooder:
        for _ in range(120):
            flooder.send(flooder.request("INVITE", SUPPORT), front.address())
        assert stranger.ask(stranger.request("INVITE", SUPPORT), front.address()).status == 200
        flooding = [each for _, each in crew.seen if each.top_via and "127.0.7.1" in str(each.vias[-1])]
        assert len({each.call_id for each in flooding}) <= 10
        while flooder.hears_within(0.3):
            pass
        flooder.send(flooder.request("INVITE", SUPPORT), front.address())
        assert not flooder.hears_within(0.3)


def test_a_line_is_not_taken_for_a_flood(front: Front, crew: Crew, carrier: Caller) -> None:
    for _ in range(60):
        carrier.send(carrier.request("INVITE", SUPPORT), front.address())
    seen: set[str] = set()
    while len(seen) < 60:
        seen.add(carrier.until(lambda each: each.status == 200).call_id)


@pytest.mark.parametrize("agent", ["friendly-scanner", "SIPVicious 0.3", "sipcli/v1.8"])
def test_scanners_hear_nothing(front: Front, crew: Crew, stranger: Caller, agent: str) -> None:
    stranger.send(stranger.request("OPTIONS", SUPPORT, f"User-Agent: {agent}"), front.address())
    assert not stranger.hears_within(0.3)


def test_what_is_too_large_broken_or_has_gone_in_circles_is_refused(
    front: Front, crew: Crew, stranger: Caller
) -> None:
    large = stranger.request("INVITE", SUPPORT, body="x" * 40_000)
    assert stranger.ask(large, front.address()).status == 513
    spent = stranger.request("INVITE", SUPPORT).replace("Max-Forwards: 70", "Max-Forwards: 0")
    assert stranger.ask(spent, front.address()).status == 483
    broken = stranger.request("INVITE", SUPPORT).replace("INVITE\r\nContact", "BYE\r\nContact")
    assert stranger.ask(broken, front.address()).status == 400
    assert crew.way() == []
