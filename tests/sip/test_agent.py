"""The user agent as the network sees it: admission, limits, failover, questions, and rubbish."""

from __future__ import annotations

from ipaddress import ip_network
from random import Random

import pytest

from sip.admission import Challenged, Dropped, Refused, Verdict
from sip.agent import UserAgent
from sip.digest import Credentials, parse_digest
from sip.events import Answered, IncomingCall, OptionsAnswered, Reanswered, Rejected, Reoffered
from sip.hop import Hop
from sip.message import Headers, NameAddr, Request, Response, Uri, parse
from sip.settings import AgentSettings
from tests.sip.network import Network, Open, Seen, connect, drained, pair

HERE, THERE = Hop("udp", "10.0.0.2", 5060), Hop("udp", "10.0.0.1", 5070)


def make(method: str, **changes: str) -> Request:
    """A request outside of dialogs from THERE."""
    fields = {
        "Via": "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKtest",
        "Max-Forwards": "70",
        "From": "<sip:alice@10.0.0.1>;tag=a",
        "To": "<sip:bob@10.0.0.2>",
        "Call-ID": "1@10.0.0.1",
        "CSeq": f"1 {method}",
        "Contact": "<sip:alice@10.0.0.1:5070>",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return Request(method, Uri.sip("bob", "10.0.0.2"), Headers(fields.items()))


def agent(admission: object = None, **settings: object) -> UserAgent:
    gate = admission or Open()
    return UserAgent(AgentSettings({"udp": (HERE.host, 5060)}, **settings), rng=Random(1), admission=gate)  # type: ignore[arg-type]


def answers(agent: UserAgent, request: Request, now: float = 0.0, hop: Hop = THERE) -> list[Response]:
    agent.receive(request.encode(), hop, now)
    responses = [parse(data) for data, _ in agent.outgoing()]
    assert all(isinstance(response, Response) for response in responses)
    return responses  # type: ignore[return-value]


# ------------------------------------------------------------------------------------------------- admission


class Shut:
    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        return self.verdict


CHALLENGE = Challenged((("WWW-Authenticate", 'Digest realm="here", nonce="n1", qop="auth"'),))


def test_a_challenge_keeps_nothing():
    us = agent(Shut(CHALLENGE))
    (response,) = answers(us, make("INVITE"))
    assert response.status == 401
    assert response.headers.get("WWW-Authenticate") == CHALLENGE.headers[0][1]
    assert drained(us.counts())
    assert response.to.tag == answers(us, make("INVITE"))[0].to.tag


def test_a_slowed_source_waits_for_its_answer_and_its_repetitions_change_nothing():
    us = agent(Shut(Challenged(CHALLENGE.headers, 401, after=2.0)))
    assert answers(us, make("INVITE")) == []
    us.timeout(0.5)
    us.outgoing()
    us.timeout(2.0)
    (response,) = (parse(data) for data, _ in us.outgoing())
    assert isinstance(response, Response)
    assert response.status == 401
    for later in range(1, 200):
        us.timeout(2.0 + later)
    assert drained(us.counts())


def test_a_refused_source_is_told_so_and_a_dropped_one_nothing():
    assert [each.status for each in answers(agent(Shut(Refused(403))), make("INVITE"))] == [403]
    assert answers(agent(Shut(Dropped())), make("INVITE")) == []


class Digesting:
    """Asks everybody for a password once."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        value = request.headers.get("Authorization")
        if value is None:
            return CHALLENGE
        self.seen.append(parse_digest(value) or {})
        return Open().admit(request, hop, now)


def test_a_challenged_call_is_made_again_with_credentials():
    network = Network()
    caller = network.add("10.0.0.1")
    gate = Digesting()
    callee = network.add("10.0.0.2", admission=gate)
    ours, theirs = connect(network, caller, callee, credentials=Credentials("user1", "secret"))
    assert network.said()[:4] == ["INVITE", "401 INVITE", "ACK", "INVITE"]
    first, second = [seen.message for seen in network.trace if seen.what == "INVITE"]
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.call_id == first.call_id
    assert gate.seen[0]["username"] == "user1"
    ours.hangup(now=network.now)
    network.settle()
    assert theirs.state == "ended"
    assert drained(network.counts())


def test_without_credentials_a_challenge_is_a_rejection():
    network = Network()
    caller, callee = network.add("10.0.0.1"), network.add("10.0.0.2", admission=Digesting())
    ours = caller.call(callee)
    network.run(1)
    assert caller.last(Rejected, ours).status == 401


def test_a_wrong_password_is_not_tried_for_ever():
    network = Network()
    caller, callee = network.add("10.0.0.1"), network.add("10.0.0.2", admission=Shut(CHALLENGE))
    ours = caller.call(callee, credentials=Credentials("user1", "wrong"))
    network.run(1)
    assert caller.last(Rejected, ours).status == 401
    assert network.said().count("INVITE") == 2


def test_a_request_inside_a_call_is_made_again_when_a_proxy_asks_who_we_are():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee, credentials=Credentials("user1", "secret"))
    challenge = ("Proxy-Authenticate", 'Digest realm="proxy", nonce="n2", qop="auth"')

    def proxy(seen: Seen) -> bool:
        if not isinstance(seen.message, Request) or seen.what in ("ACK", "CANCEL"):
            return False
        if "Proxy-Authorization" in seen.message.headers:
            return False
        response = seen.message.respond(407, headers=[challenge])
        caller.agent.receive(response.encode(), HERE, network.now)
        return True

    network.drop = proxy
    ours.reoffer(b"v=0 hold", now=network.now)
    network.run(1)
    first, second = [seen.message for seen in network.trace if seen.what == "INVITE"][1:]
    assert second.cseq[0] == first.cseq[0] + 1
    callee.last(Reoffered).session.accept(b"v=0 held", now=network.now)
    network.run(1)
    assert caller.last(Reanswered, ours).sdp == b"v=0 held"
    ack = [seen.message for seen in network.trace if seen.what == "ACK"][-1]
    assert ack.cseq[0] == second.cseq[0]
    assert ack.headers.get("Proxy-Authorization") == second.headers.get("Proxy-Authorization")
    ours.hangup(now=network.now)
    network.settle()
    assert network.said()[-2:] == ["BYE", "200 BYE"], "the proxy is answered before it asks again"
    assert drained(network.counts())


# -------------------------------------------------------------------------------------------------- failover


def test_a_call_tries_the_next_hop_when_one_is_unreachable():
    network = Network()
    caller, down, up = (network.add(f"10.0.0.{number}") for number in (1, 2, 3))
    network.unreachable.add(down.host)
    caller.call(up, hops=(Hop("udp", down.host, 5060), Hop("udp", up.host, 5060)))
    network.run(0.1)
    assert up.told(IncomingCall)


def test_a_call_tries_the_next_hop_when_one_says_503_or_nothing():
    network = Network()
    caller, full, dead, up = (network.add(f"10.0.0.{number}") for number in (1, 2, 3, 4))
    full.agent.settings.draining = True
    network.drop = lambda seen: seen.target == dead.host
    caller.call(up, hops=tuple(Hop("udp", node.host, 5060) for node in (full, dead, up)))
    network.run(40)
    assert up.told(IncomingCall)
    assert network.said(full) == ["503 INVITE"]


def test_a_proxy_that_says_100_before_503_is_passed_over_too():
    network = Network()
    caller, proxy, up = (network.add(f"10.0.0.{number}") for number in (1, 2, 3))
    caller.call(up, hops=tuple(Hop("udp", node.host, 5060) for node in (proxy, up)))
    network.run(0.3)
    assert network.said(proxy) == ["100 INVITE"]
    proxy.last(IncomingCall).session.reject(503, now=network.now)
    network.run(0.1)
    assert up.told(IncomingCall)


def test_a_call_over_ipv6_names_our_address_of_that_family():
    us = UserAgent(
        AgentSettings({"udp": ("10.0.0.2", 5060), "udp6": ("2001:db8::2", 5060)}),
        rng=Random(1),
        admission=Open(),
    )
    address = NameAddr.parse("<sip:bob@example.com>")
    hops = (Hop("udp", "2001:db8::1", 5060),)
    us.invite(address.uri, hops, from_=address, to=address, offer=None, now=0.0)
    ((data, _),) = us.outgoing()
    invite = parse(data)
    assert (invite.top_via.host, invite.contacts[0].uri.host) == ("2001:db8::2", "2001:db8::2")


def test_a_call_that_rang_stays_where_it_rang():
    network = Network()
    caller, first, second = (network.add(f"10.0.0.{number}") for number in (1, 2, 3))
    ours = caller.call(first, hops=(Hop("udp", first.host, 5060), Hop("udp", second.host, 5060)))
    network.run(0.05)
    session = first.last(IncomingCall).session
    session.ring(now=network.now)
    network.run(0.05)
    session.reject(503, now=network.now)
    network.run(1)
    assert caller.last(Rejected, ours).status == 503
    assert not second.told(IncomingCall)


@pytest.mark.parametrize("hops", [(), (Hop("ws", "10.0.0.2", 80),)], ids=["none", "a transport we lack"])
def test_a_call_with_nowhere_to_go_fails_at_once(hops: tuple[Hop, ...]):
    network, caller, callee = pair()
    session = caller.agent.invite(
        Uri.sip("bob", "example.com"),
        hops,
        from_=caller.address,
        to=callee.address,
        offer=None,
        now=network.now,
    )
    network.flush(caller)
    rejected = caller.last(Rejected, session)
    assert (rejected.status, rejected.cause) == (503, "transport")
    assert drained(network.counts())


def test_a_numeric_target_needs_no_hops():
    network, caller, callee = pair()
    caller.call(callee, hops=())
    network.run(0.1)
    assert callee.told(IncomingCall)


def test_a_connection_that_breaks_fails_what_is_on_its_way_over_it():
    network, caller, callee = pair()
    network.drop = lambda seen: True
    ours = caller.call(callee, transport="tcp")
    caller.agent.transport_failed(Hop("tcp", callee.host, 5060), "reset", network.now)
    network.settle()
    assert caller.last(Rejected, ours).cause == "transport"
    assert drained(network.counts())


# -------------------------------------------------------------------------------------------------- questions


def test_options_tell_what_we_can_do():
    (response,) = answers(agent(), make("OPTIONS"))
    assert response.status == 200
    assert {"INVITE", "PRACK", "UPDATE", "REFER"} <= set(response.headers.values("Allow"))
    assert {"100rel", "timer", "replaces"} <= set(response.headers.values("Supported"))
    assert "application/sdp" in response.headers.values("Accept")


def test_a_draining_agent_turns_balancers_and_callers_away_but_keeps_its_calls():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    callee.agent.settings.draining = True
    number = caller.agent.options(callee.uri, (Hop("udp", callee.host, 5060),), network.now)
    new = caller.call(callee)
    network.run(1)
    assert caller.last(OptionsAnswered) == OptionsAnswered(number, 503, pytest.approx(0.02))
    assert caller.last(Rejected, new).retry_after == 5
    ours.reoffer(b"v=0 offer", now=network.now)
    network.run(1)
    assert ours.state == "connected"


def test_a_question_nobody_answers_is_told_as_no_answer():
    network, caller, callee = pair()
    network.drop = lambda seen: True
    number = caller.agent.options(callee.uri, (Hop("udp", callee.host, 5060),), network.now)
    network.run(40)
    assert caller.last(OptionsAnswered) == OptionsAnswered(number, None, pytest.approx(32), "timeout")


# ------------------------------------------------------------------------------------------------------ order


@pytest.mark.parametrize(
    "method", ["BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "INVITE", "SUBSCRIBE"]
)
def test_a_request_inside_a_dialog_we_do_not_know_is_answered_481(method: str):
    us = agent()
    request = make(method, To="<sip:bob@10.0.0.2>;tag=gone")
    assert [each.status for each in answers(us, request)] == [481]
    assert drained(us.counts())


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("BYE", 481),
        ("NOTIFY", 481),
        ("SUBSCRIBE", 489),
        ("REFER", 403),
        ("MESSAGE", 405),
        ("FROB", 501),
        ("REGISTER", 405),
    ],
)
def test_a_request_that_starts_nothing_we_do_is_refused(method: str, status: int):
    assert [each.status for each in answers(agent(), make(method))] == [status]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Require": "teleport"}, 420),
        ({"Content_Type": "text/html"}, 415),
        ({"Accept": "text/html"}, 406),
        ({"Session_Expires": "10", "Supported": "timer"}, 422),
    ],
)
def test_an_invite_we_cannot_serve_is_refused_before_anyone_is_asked(changes: dict[str, str], status: int):
    request = make("INVITE", **changes)
    request.body = b"<p>" if "Content_Type" in changes else b""
    us = agent()
    assert [each.status for each in answers(us, request)] == [status]
    assert not us.events()


def test_a_cancel_for_nothing_is_answered_481_and_an_ack_for_nothing_not_at_all():
    assert [each.status for each in answers(agent(), make("CANCEL"))] == [481]
    assert answers(agent(), make("ACK", To="<sip:bob@10.0.0.2>;tag=b")) == []


def test_a_request_that_came_by_two_ways_is_served_once():
    us = agent()
    answers(us, make("INVITE"))
    other_way = make("INVITE", Via="SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKother")
    assert [each.status for each in answers(us, other_way)] == [482]
    assert len(us.events()) == 1


def test_a_repeated_invite_is_one_call():
    us = agent()
    for now in (0.0, 0.5, 1.5):
        answers(us, make("INVITE"), now)
    assert [type(event) for event in us.events()] == [IncomingCall]


def test_old_peers_without_a_branch_cookie_are_matched_by_everything_else():
    us = agent()
    via = "SIP/2.0/UDP 10.0.0.1:5070"
    answers(us, make("INVITE", Via=via))
    answers(us, make("INVITE", Via=via), 0.5)
    (incoming,) = us.events()
    incoming.session.reject(486, now=1.0)
    (busy,) = (parse(data) for data, _ in us.outgoing())
    assert isinstance(busy, Response)
    answers(us, make("ACK", Via=via, To=str(busy.to), CSeq="1 ACK"), 1.1)
    us.timeout(1.7)
    assert us.outgoing() == []


# ------------------------------------------------------------------------------------------------ where to


@pytest.mark.parametrize(
    ("via", "reply"),
    [
        ("10.0.0.1:5070;branch=z9hG4bKx", ("10.0.0.1", 5070)),
        ("10.0.0.1;branch=z9hG4bKx", ("10.0.0.1", 5060)),
        ("phone.lan:4444;branch=z9hG4bKx", ("10.0.0.1", 4444)),
        ("192.168.0.7:5060;rport;branch=z9hG4bKx", ("10.0.0.1", 5070)),
        ("10.0.0.1:5070;maddr=10.9.9.9;branch=z9hG4bKx", ("10.0.0.1", 5070)),
        ("10.0.0.1:5070;received=10.9.9.9;branch=z9hG4bKx", ("10.0.0.1", 5070)),
    ],
)
def test_an_answer_goes_where_the_question_came_from_whatever_it_claims(via: str, reply: tuple[str, int]):
    us = agent()
    us.receive(make("OPTIONS", Via=f"SIP/2.0/UDP {via}").encode(), THERE, 0.0)
    ((_, hop),) = us.outgoing()
    assert (hop.host, hop.port) == reply


def test_an_answer_over_a_stream_goes_back_on_it():
    us = UserAgent(AgentSettings({"tcp": (HERE.host, 5060)}), rng=Random(1), admission=Open())
    request = make("OPTIONS", Via="SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKx")
    us.receive(request.encode(), Hop("tcp", "10.0.0.1", 40_123, 7), 0.0)
    ((_, hop),) = us.outgoing()
    assert hop == Hop("tcp", "10.0.0.1", 5060, 7)


# --------------------------------------------------------------------------------------------------- limits


def test_calls_over_the_limit_are_told_to_come_back():
    us = agent(max_sessions=2)
    statuses = [
        [each.status for each in answers(us, make("INVITE", Call_ID=f"{n}", Via=via(n)))] for n in range(3)
    ]
    assert statuses == [[], [], [503]]


def via(number: int) -> str:
    return f"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK{number}"


def test_one_source_cannot_take_all_the_places():
    us = agent(max_pending_per_source=1)
    assert answers(us, make("INVITE", Call_ID="1", Via=via(1))) == []
    (full,) = answers(us, make("INVITE", Call_ID="2", Via=via(2)))
    assert (full.status, full.headers.get("Retry-After")) == (503, "5")
    elsewhere = Hop("udp", "10.0.0.8", 5060)
    assert answers(us, make("INVITE", Call_ID="3", Via=via(3)), hop=elsewhere) == []
    us.events()[0].session.reject(486, now=0.0)
    us.outgoing()
    assert answers(us, make("INVITE", Call_ID="4", Via=via(4))) == []


def test_sources_behind_our_own_proxy_are_told_apart():
    us = agent(max_pending_per_source=1, trusted_proxies=(ip_network(f"{THERE.host}/32"),))
    for number, source in enumerate(("udp:192.0.2.1:5060", "wss:192.0.2.2:50112")):
        invite = make("INVITE", Call_ID=f"{number}", Via=via(number), X_Isogloss_Source=source)
        assert answers(us, invite) == []
    first, second = us.events()
    assert [each.source for each in (first, second)] == [
        Hop("udp", "192.0.2.1", 5060),
        Hop("wss", "192.0.2.2", 50_112),
    ]
    full = make("INVITE", Call_ID="3", Via=via(3), X_Isogloss_Source="tcp:192.0.2.1:5062")
    assert [each.status for each in answers(us, full)] == [503]
    second.session.reject(486, now=0.0)
    assert [hop for _, hop in us.outgoing()] == [THERE]  # answers take the way that requests took


def test_transactions_are_bounded_too():
    us = agent(max_transactions=10)
    for n in range(100):
        answers(us, make("SUBSCRIBE", Call_ID=f"{n}", Via=via(n)))
    assert us.counts()["transactions"] <= 10


# -------------------------------------------------------------------------------------------------- rubbish


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"hello",
        b"INVITE",
        b"\xff" * 2000,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_rubbish_is_dropped_without_a_word(data: bytes):
    us = agent()
    us.receive(data, THERE, 0.0)
    assert us.outgoing() == []
    assert drained(us.counts())


def test_a_malformed_request_that_can_be_answered_is_answered_400():
    us = agent()
    us.receive(make("INVITE").encode().replace(b"CSeq: 1 INVITE", b"CSeq: one INVITE"), THERE, 0.0)
    ((data, _),) = us.outgoing()
    assert data.startswith(b"SIP/2.0 400")


def test_an_answer_to_a_question_we_never_asked_is_dropped():
    us = agent()
    us.receive(make("INVITE").respond(200).encode(), THERE, 0.0)
    assert us.outgoing() == []
    assert us.dropped() == {"stray response": 1}


def test_an_answer_with_other_hops_than_ours_is_dropped():
    network, caller, callee = pair()
    caller.call(callee)
    network.run(0.05)
    response = callee.last(IncomingCall).request.respond(200)
    response.headers.add("Via", "SIP/2.0/UDP 10.0.0.77;branch=z9hG4bKx")
    caller.agent.receive(response.encode(), HERE, network.now)
    assert caller.agent.dropped() == {"response not for us": 1}
    network.flush(caller)
    assert not caller.told(Answered)


def test_nodes_of_one_seed_say_the_same_to_the_byte():
    def story(seed: int) -> list[bytes]:
        network, caller, callee = pair(seed)
        ours, _ = connect(network, caller, callee)
        ours.hangup(now=network.now)
        network.settle()
        return [seen.data for seen in network.trace]

    assert story(5) == story(5)
    assert story(5) != story(6)
