"""Why a call was bad, asked of a real node by its API while other makers' phones plant the faults."""

from __future__ import annotations

import io
import socket
import struct
import time
import urllib.request
from collections.abc import Callable
from random import Random
from typing import Any

import dpkt
import pytest

from tests.interop import talkers as talkers_module
from tests.interop.node import FAR, LINE, STRANGER, TOKEN, FarEnd, Node
from tests.interop.sipp import Sipp
from tests.interop.talkers import Talker, Talkers

Caller = Callable[..., Sipp]
Far = Callable[..., tuple[Sipp, FarEnd]]


def diagnosis(node: Node, number: str) -> dict[str, Any]:
    return dict(node.get(f"/v1/calls/{node.record(number)['call']}/diagnosis"))


def fault(node: Node, number: str) -> str:
    told = diagnosis(node, number)
    assert not told["fine"] and told["findings"][0]["evidence"]
    return str(told["findings"][0]["fault"])


def test_a_call_that_went_well_has_its_ladder_capture_and_timeline(
    node: Node, caller: Caller, far_end: Far
) -> None:
    callee, end = far_end("callee")
    with callee, caller("caller", end.number):
        pass
    call = node.record(end.number)["call"]
    ladder = node.get(f"/v1/calls/{call}/sip")["messages"]
    for side, host in (("customer", LINE), ("agent", FAR)):
        said = [each["first"].split(" ")[0] for each in ladder if each["side"] == side]
        assert {"INVITE", "ACK", "BYE"} <= set(said)
        assert {each["remote"].split(":")[0] for each in ladder if each["side"] == side} == {host}
    request = urllib.request.Request(f"{node.api}/v1/calls/{call}/sip.pcap", headers=TOKEN)
    with urllib.request.urlopen(request, timeout=5) as answer:
        packets = [dpkt.ethernet.Ethernet(data) for _, data in dpkt.pcap.Reader(io.BytesIO(answer.read()))]
    sent = {(socket.inet_ntoa(each.data.src), each.data.data.sport) for each in packets}
    assert (node.host, node.sip["udp"]) in sent and (FAR, end.port) in sent
    assert len(packets) == len([each for each in ladder if not each["fault"]])
    moments = node.get(f"/v1/calls/{call}/timeline")["items"]
    kinds = [each["kind"] for each in moments]
    assert kinds.index("call.arrived") < kinds.index("call.connected") < kinds.index("call.ended")
    told = node.get(f"/v1/calls/{call}/diagnosis")
    assert told["fine"] and told["findings"] == []


def test_faults_of_far_ends_are_named(node: Node, caller: Caller, far_end: Far) -> None:
    callee, end = far_end("callee_refuses", status="486 Busy Here")
    with callee, caller("caller_refused", end.number, status="486"):
        pass
    told = diagnosis(node, end.number)
    assert told["findings"][0]["fault"] == "carrier_cause" and "busy" in told["sentence"]
    odd = node.far_end()
    with caller("caller_with_strange_codec", odd.number):
        pass
    assert fault(node, odd.number) == "no_common_codec"
    closed = node.far_end()
    with caller("caller_refused", closed.number, status="503"):
        pass
    assert fault(node, closed.number) == "unreachable"


def test_an_answer_that_is_never_acknowledged_is_told_while_the_call_goes_on(node: Node) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((LINE, 0))
        phone.settimeout(10.0)
        port, own = node.sip["udp"], phone.getsockname()[1]
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {LINE}\r\ns=-\r\nc=IN IP4 {LINE}\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n"
        ).encode()
        head = (
            f"INVITE sip:desk@{node.host}:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {LINE}:{own};branch=z9hG4bKx1\r\n"
            f"From: <sip:+441632960009@{LINE}>;tag=x1\r\nTo: <sip:desk@{node.host}>\r\n"
            f"Call-ID: never-acknowledged@{LINE}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:x@{LINE}:{own}>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        phone.sendto(head + body, (node.host, port))
        answers = 0
        while answers < 3:
            answers += phone.recv(4096).startswith(b"SIP/2.0 200")
    (call,) = [each["id"] for each in node.get("/v1/calls")["items"] if each["number"] == "desk"]
    told = node.get(f"/v1/calls/{call}/diagnosis")
    assert told["live"] and told["findings"][0]["fault"] == "no_ack"
    repeated = [each["repeated"] for each in node.get(f"/v1/calls/{call}/sip")["messages"]]
    assert repeated[-2:] == [True, True]
    node.ask("DELETE", f"/v1/calls/{call}")


class Misnamed(Talker):
    """A phone that names an address behind its NAT; nothing of its sound gets out."""

    @property
    def sdp(self) -> bytes:
        return super().sdp.replace(self.wire.getsockname()[0].encode(), b"192.168.7.7")

    def speak(self) -> None:
        """Its packets are lost in the NAT."""


class Deaf(Talker):
    """A phone of whose sound a firewall lets nothing out."""

    def speak(self) -> None:
        """The firewall is silent."""


class Odd(Talker):
    """A gateway that sends a payload type of its own."""

    def speak(self) -> None:
        if self.remote is not None and not self.over:
            self._sent += 1
            head = struct.pack("!BBHII", 0x80, 97, self._sent & 0xFFFF, self._sent * 160, 7000 + self.says)
            self.wire.sendto(head + bytes(160), self.remote)


class Lossy(Talker):
    """A phone on bad Wi-Fi, by a seeded dice."""

    rng = Random(9)

    def speak(self) -> None:
        if self.rng.random() < 0.12:
            self._sent += 1
        else:
            super().speak()


SOUNDS = {"nat": Misnamed, "one_way_audio": Deaf, "codec_changed": Odd, "packet_loss": Lossy, "": Talker}


def test_faults_of_sound_are_named_in_calls_that_go_on(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real packets: one call with each fault and one without, all at once, waiting in a queue with music."""
    talkers, numbers = Talkers(LINE, node.address(), 60), {}
    try:
        for at, (name, kind) in enumerate(SOUNDS.items()):
            monkeypatch.setattr(talkers_module, "Talker", kind)
            numbers[name] = f"+44163296{at:04}"
            talkers.call("desk", caller=numbers[name])
        node.until("calls", lambda: len(calls_of(node, numbers)) == len(SOUNDS), 10.0)
        calls = calls_of(node, numbers)
        for name in filter(None, SOUNDS):
            call = calls[numbers[name]]
            node.until(f"{name} named", lambda: named(node, call) == name, 30.0)  # noqa: B023 - asked at once
        # A machine that is busy sends its packets late indeed; nothing else is wrong with this one.
        assert named(node, calls[numbers[""]]) in ("", "late_packets")
        samples = node.get(f"/v1/calls/{calls[numbers['packet_loss']]}/quality")["legs"][0]["samples"]
        assert any(each["loss"] and 0.05 < each["loss"] < 0.25 for each in samples)
    finally:
        for call in calls_of(node, numbers).values():
            node.ask("DELETE", f"/v1/calls/{call}")
        node.idle("desk")
        talkers.close()


def calls_of(node: Node, numbers: dict[str, str]) -> dict[str, str]:
    """Calls by their callers' numbers."""
    return {
        each["customer"]: each["id"]
        for each in node.get("/v1/calls")["items"]
        if each["customer"] in numbers.values()
    }


def named(node: Node, call: str) -> str:
    """The first fault of a call, "" for none."""
    told = node.get(f"/v1/calls/{call}/diagnosis")
    return str(told["findings"][0]["fault"]) if told["findings"] else ""


def test_strangers_who_were_asked_who_they_are_are_found_by_source(node: Node, caller: Caller) -> None:
    end, since = node.far_end(), time.time()
    with caller("caller_refused", end.number, status="401", address=STRANGER):
        pass
    found = node.get(f"/v1/sip/refused?challenges=true&source={STRANGER}&limit=1")["items"][0]
    assert (found["status"], found["method"], found["call"]) == (401, "INVITE", "")
    assert found["messages"][0]["at"] >= time.strftime("%Y-%m-%dT%H:%M", time.gmtime(since - 60))
