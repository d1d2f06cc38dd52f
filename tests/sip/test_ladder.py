"""Messages are filed under their calls, within bounds, and who is refused is remembered."""

from __future__ import annotations

from sip.hop import Hop
from sip.ladder import Bounds, Ladders

FAR, OTHER = Hop("udp", "203.0.113.9", 5060), Hop("udp", "203.0.113.10", 5060)


def sip(call_id: str, first: str = "INVITE sip:a@b SIP/2.0", method: str = "INVITE", more: str = "") -> bytes:
    return f"{first}\r\nVia: x\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n{more}\r\n".encode()


def texts(ladders: Ladders, call_id: str) -> list[bytes]:
    dialog = ladders.find(call_id)
    return [] if dialog is None else [rung.data.partition(b" ")[0] for rung in dialog.rungs()]


def test_a_call_has_what_was_said_before_it_was_one() -> None:
    ladders = Ladders()
    ladders.received(sip("a"), FAR, 1.0)
    ladders.sent(sip("a", "SIP/2.0 401 Unauthorized"), FAR, 1.1)
    dialog = ladders.bind("a")
    ladders.received(sip("a", "ACK sip:a@b SIP/2.0", "ACK"), FAR, 1.2)
    assert texts(ladders, "a") == [b"INVITE", b"SIP/2.0", b"ACK"]
    assert [(rung.at, rung.inward) for rung in dialog.rungs()] == [(1.0, True), (1.1, False), (1.2, True)]
    assert ladders.size == dialog.size == sum(len(rung.data) for rung in dialog.rungs())
    ladders.release(dialog)
    assert (len(ladders), ladders.size) == (0, 0)


def test_a_call_id_is_found_in_any_form_and_only_in_the_head() -> None:
    ladders = Ladders()
    for text in ("\r\ni: x\r\n", "\r\nCALL-ID \t: x \r\n", "\ncall-id:x\n"):
        ladders.received(f"INVITE sip:a@b SIP/2.0{text}CSeq: 1 INVITE\r\n\r\n".encode(), FAR, 0.0)
    assert len(texts(ladders, "x")) == 3
    ladders.received(b"rubbish", FAR, 0.0)


def test_a_dialog_of_two_calls_stays_until_both_are_over() -> None:
    ladders = Ladders()
    first, second = ladders.bind("a"), ladders.bind("a")
    assert first is second
    ladders.release(first)
    assert len(ladders) == 1
    ladders.release(second)
    assert len(ladders) == 0


def test_strangers_make_way_and_calls_do_not() -> None:
    ladders = Ladders(Bounds(strangers=10, theirs=1 << 20))
    ladders.bind("call")
    ladders.received(sip("call"), FAR, 0.0)
    for number in range(1000):
        ladders.received(sip(f"s{number}"), FAR, float(number))
    assert texts(ladders, "call") and texts(ladders, "s999") and not texts(ladders, "s0")
    assert sum(bool(texts(ladders, f"s{number}")) for number in range(1000)) == 10


def test_the_bytes_of_strangers_are_bounded() -> None:
    ladders = Ladders(Bounds(theirs=10_000))
    for number in range(500):
        ladders.received(sip(f"s{number}", more="X: " + "y" * 900 + "\r\n"), FAR, 0.0)
    kept = [ladders.find(f"s{number}") for number in range(500)]
    assert sum(each.size for each in kept if each is not None) <= 11_000


def test_of_a_flood_the_first_and_the_last_are_kept() -> None:
    ladders = Ladders(Bounds(first=3, last=2))
    dialog = ladders.bind("a")
    for number in range(20):
        ladders.received(sip("a", f"INFO{number} sip:a@b SIP/2.0"), FAR, float(number))
    assert [rung.at for rung in dialog.rungs()] == [0.0, 1.0, 2.0, 18.0, 19.0]
    assert dialog.omitted == 15
    assert dialog.size == sum(len(rung.data) for rung in dialog.rungs()) == ladders.size


def test_bytes_of_one_message_one_dialog_and_of_all_are_bounded() -> None:
    ladders = Ladders(Bounds(message=200, dialog=1000, total=1500))
    for name in ("a", "b", "c"):
        ladders.bind(name)
        for _ in range(50):
            ladders.received(sip(name, more="X: " + "y" * 5000 + "\r\n"), FAR, 0.0)
    assert all(len(rung.data) <= 200 for name in "abc" for rung in ladders.find(name).rungs())  # type: ignore[union-attr]
    assert ladders.size <= 1700
    assert ladders.find("a").omitted > 0  # type: ignore[union-attr]


def test_who_is_refused_is_remembered_with_what_he_asked() -> None:
    ladders = Ladders()
    ladders.received(sip("a"), FAR, 1.0)
    ladders.sent(sip("a", "SIP/2.0 403 Forbidden"), FAR, 1.1)
    ladders.received(sip("b"), OTHER, 2.0)
    ladders.sent(sip("b", "SIP/2.0 401 Unauthorized"), OTHER, 2.1)
    for status in ("180 Ringing", "200 OK", "487 Request Terminated"):
        ladders.received(sip("c"), FAR, 3.0)
        ladders.sent(sip("c", f"SIP/2.0 {status}"), FAR, 3.0)
    (refusal,) = ladders.refusals()
    assert (refusal.status, refusal.call_id, refusal.response.hop) == (403, b"a", FAR)
    assert refusal.request is not None and refusal.request.data.startswith(b"INVITE")
    (challenge,) = ladders.refusals(challenges=True)
    assert challenge.status == 401


def test_refusals_are_bounded_by_number_and_bytes() -> None:
    ladders = Ladders(Bounds(refusals=50, refused=20_000))
    for number in range(500):
        ladders.received(sip(f"s{number}", more="X: " + "y" * 900 + "\r\n"), FAR, 0.0)
        ladders.sent(sip(f"s{number}", "SIP/2.0 404 Not Found"), FAR, 0.0)
    kept = ladders.refusals()
    assert 5 < len(kept) <= 50 and sum(each.size for each in kept) <= 20_000
    assert kept[0].call_id == b"s499"


def test_what_did_not_go_is_told_and_so_is_a_way_that_leads_nowhere() -> None:
    ladders = Ladders()
    dialog = ladders.bind("a")
    ladders.undelivered(sip("a"), FAR, "certificate: self-signed", 1.0)
    ladders.sent(sip("a"), FAR, 2.0)
    ladders.unreachable(OTHER, "ICMP unreachable", 2.1)
    ladders.unreachable(FAR, "ICMP unreachable", 2.2)
    assert [rung.fault for rung in dialog.rungs()] == ["certificate: self-signed", "", "ICMP unreachable"]
