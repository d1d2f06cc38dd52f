"""Browsers' legs in the switch: what is offered and answered, what worker and gate are told, and when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from config.media import MediaSettings
from engine import attempt
from engine.browser import BrowserDescription, is_browsers
from engine.build import capabilities_of
from engine.description import PhoneDescription
from engine.door import Door
from engine.events import EndReason, Side
from engine.leg import Leg
from engine.states import WAITING, State
from media import jsep
from media.gate import (
    Candidate,
    CloseDoor,
    DoorLost,
    DoorMoved,
    DoorOpened,
    DoorSecured,
    Fingerprint,
    GateCommand,
    OpenDoor,
    RestartDoor,
    SetPeer,
)
from media.messages import AnyCommand, AnyEvent, CloseLeg, OpenLeg, Play, SetRemote, Wish
from sip import events
from sip.errors import MalformedSdp, NothingInCommon
from tests.mutilation import mutilated
from tests.sim.house import ADDRESS, SELDOM
from tests.sim.stage import Stage, Voice

FAR = ("192.0.2.7", 50_000)
DIGEST = ":".join(["AB"] * 32)
OURS = Fingerprint("sha-256", ":".join(["CD"] * 32))
SEND, RECEIVE = bytes(28), bytes(range(28))
OFFER = f"""v=0
o=- 4611 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:aaaa
a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa
a=fingerprint:sha-256 {DIGEST}
a=setup:actpass
a=sendrecv
a=rtcp-mux
a=extmap:3 {jsep.TRANSPORT_CC}
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:1
a=rtpmap:96 VP8/90000
""".replace("\n", "\r\n")
ANSWER = OFFER[: OFFER.index("m=video")].replace("actpass", "active")


class Gate:
    """Keeps what it is asked."""

    doors = "/run/doors"
    address = ADDRESS
    relayed = False

    def __init__(self) -> None:
        self.up = True
        self.asked: list[GateCommand] = []

    def send(self, command: GateCommand) -> None:
        self.asked.append(command)

    def of(self, kind: type) -> list[GateCommand]:
        return [each for each in self.asked if isinstance(each, kind)]


class BrowserVoice(Voice):
    """A phone that offers and answers as browsers do."""

    def __init__(self, stage: Stage, address: str) -> None:
        super().__init__(stage, address)
        self.said = OFFER
        self.told: list[bytes] = []  # descriptions
        self.refusals: list[int] = []
        self.heard: list[str] = []  # user name fragments of what it was offered

    def happened(self, event: object) -> None:
        super().happened(event)
        if isinstance(event, events.Reoffered) and event.sdp:
            self.heard.append(jsep.read(event.sdp.decode()).peer.ufrag)
        elif isinstance(event, events.Rejected):
            self.refusals.append(event.status)
        elif isinstance(event, events.Answered | events.Reanswered) and event.sdp:
            self.told.append(event.sdp)

    def sdp(self, direction: str = "sendrecv") -> bytes:
        return self.said.replace("a=sendrecv", f"a={direction}").encode()


def opened(leg: int, ufrag: str = "ours") -> DoorOpened:
    candidates = [Candidate("f", 1, ADDRESS, 20_000)]
    return DoorOpened(leg, ufrag, "p" * 24, candidates, OURS)


def secured(leg: int) -> DoorSecured:
    return DoorSecured(leg, FAR, "AEAD_AES_128_GCM", SEND, RECEIVE)


class House:
    """A stage with a gate."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder, ticks_in_one=SELDOM)
        self.switch = self.stage.house.switch
        self.gate = self.switch.gate = Gate()
        self.told: list[AnyCommand] = []
        send = self.switch.media.send

        def keep(worker: int, command: AnyCommand) -> None:
            self.told.append(command)
            send(worker, command)

        self.switch.media.send = keep  # type: ignore[method-assign]

    def calls(self, offer: str = OFFER, number: str = "+4930100") -> BrowserVoice:
        """A browser calls the queue, over a line that lets browsers through."""
        phone = BrowserVoice(self.stage, f"10.1.0.{1 + len(self.stage.world.hosts)}")
        phone.said = offer
        phone.call(number, "+491701234")
        self.stage.run(0.5)
        return phone

    def tells(self, event: AnyEvent) -> None:
        self.switch.heard(event, self.stage.world.now)
        self.stage.house.host.pump()
        self.stage.run(0.5)

    def of(self, kind: type) -> list[AnyCommand]:
        return [each for each in self.told if isinstance(each, kind)]

    @property
    def customer(self) -> Leg:
        assert self.stage.call.customer is not None
        return self.stage.call.customer

    def until(self, true: Callable[[], Any]) -> None:
        deadline = self.stage.world.now + 120.0
        while not true():
            assert self.stage.world.now < deadline
            self.stage.run(1.0)

    def talking(self) -> BrowserVoice:
        """A browser that talks to an agent."""
        phone = self.calls()
        self.tells(opened(self.customer.number))
        self.tells(secured(self.customer.number))
        self.until(lambda: self.stage.call.state is State.TALKING)
        return phone


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def at_a_door() -> tuple[BrowserDescription, Door, Gate]:
    """A description, and what it is made of."""
    gate = Gate()
    door = Door(1, gate)
    return BrowserDescription(door, capabilities_of(MediaSettings())), door, gate


# --- a browser calls ------------------------------------------------------------------------------------


def test_a_browser_is_answered_once_the_gate_has_a_door_for_it(house: House):
    phone = house.calls()
    leg = house.customer.number
    (opening,) = house.of(OpenLeg)
    assert isinstance(opening, OpenLeg) and (opening.gate, opening.rtcp_mux) == (house.gate.doors, True)
    (asked,) = house.gate.asked
    assert isinstance(asked, OpenDoor) and asked.peer is not None
    assert (asked.at, asked.peer.ufrag, asked.client) == ((ADDRESS, house.customer.port), "aaaa", True)
    assert not house.customer.connected
    house.tells(opened(leg))
    assert house.customer.connected
    said = jsep.read(phone.told[-1].decode())
    assert (said.peer.ufrag, said.setup, said.mid) == ("ours", "active", "0")
    assert [codec.name for codec in said.codecs] == ["opus", "G722", "PCMA", "PCMU", "red"]
    assert [line[0] for line in said.lines] == ["audio", "video"]


def test_sound_is_let_through_under_the_keys_that_the_gate_tells(house: House):
    house.calls()
    leg = house.customer.number
    house.tells(opened(leg))
    assert not house.of(SetRemote) and not house.of(Play), "the welcome waits until it can be heard"
    house.tells(secured(leg))
    (remote,) = house.of(SetRemote)
    assert isinstance(remote, SetRemote) and remote.keys is not None
    assert (remote.remote, remote.rtcp_mux, remote.transport_cc) == (FAR, True, 3)
    assert (remote.keys.send, remote.keys.receive) == (SEND, RECEIVE)
    assert (remote.codecs[0].name, remote.dtmf_pt, remote.dtmf_clock) == ("opus", 110, 48000)
    assert house.of(Play)


def test_a_browser_that_is_found_elsewhere_is_followed_under_the_same_keys(house: House):
    house.talking()
    house.tells(DoorMoved(house.customer.number, ("192.0.2.8", 40_000)))
    moved = house.of(SetRemote)[-1]
    assert isinstance(moved, SetRemote) and moved.remote == ("192.0.2.8", 40_000)
    assert moved.keys is not None and moved.keys.receive == RECEIVE


def test_its_call_is_told_of_with_codec_and_encryption(house: House):
    phone = house.talking()
    leg = house.customer.number
    assert phone.session is not None
    phone.session.hangup(None, now=house.stage.world.now)
    phone.host.pump()
    house.stage.run(5.0)
    (record,) = house.stage.records
    assert (record.reason, record.customer_codec) == (EndReason.COMPLETED, "opus")
    assert record.customer_encryption == "AEAD_AES_128_GCM"
    assert house.gate.asked[-1] == CloseDoor(leg)


def test_hold_is_answered_at_the_same_door_and_by_the_same_side_of_the_handshake(house: House):
    phone = house.talking()
    phone.hold()
    house.stage.run(1.0)
    assert house.stage.call.state is State.HELD
    held = house.of(SetRemote)[-1]
    assert isinstance(held, SetRemote) and held.direction == "recvonly" and held.keys is not None
    phone.take_back()
    house.stage.run(1.0)
    assert house.stage.call.state is State.TALKING
    assert len(house.gate.of(OpenDoor)) == 1 and not house.gate.of(RestartDoor)


def test_a_browser_whose_network_changed_is_answered_once_it_is_sought_anew(house: House):
    phone = house.talking()
    leg, asked = house.customer.number, phone.asked
    phone.said = OFFER.replace("a=ice-ufrag:aaaa", "a=ice-ufrag:bbbb")
    phone.take_back()
    house.stage.run(0.5)
    (restart,) = house.gate.of(RestartDoor)
    assert isinstance(restart, RestartDoor) and restart.peer is not None and restart.peer.ufrag == "bbbb"
    house.tells(Wish(leg, "PCMU", "its network"))  # what is asked for meanwhile waits its turn
    house.tells(opened(leg, "anew"))
    assert b"a=ice-ufrag:anew" in phone.told[-1] and phone.heard[-1] == "anew"
    assert house.stage.call.state is State.TALKING and phone.asked == asked + 1


# --- what goes wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer", "refused"),
    [
        (OFFER.replace("a=ice-pwd", "a=ice-nothing"), 400),
        (OFFER.replace("a=rtcp-mux\r\n", ""), 488),
        (OFFER.replace("111 63 9 0 8 13 110 126", "96"), 488),
    ],
)
def test_an_offer_that_cannot_be_taken_leaves_no_leg_and_no_door(house: House, offer: str, refused: int):
    phone = house.calls(offer)
    house.stage.run(2.0)
    assert not house.told and not house.gate.asked and not house.switch.legs
    assert phone.refusals == [refused]
    assert house.stage.records[0].reason is EndReason.NOT_ACCEPTABLE


def test_while_the_gate_restarts_browsers_are_asked_to_come_back(house: House):
    house.gate.up = False
    assert house.calls().refusals == [503]
    assert not house.told


def test_where_no_browser_is_let_in_its_offer_is_not_acceptable(house: House):
    house.switch.gate = None
    assert house.calls().refusals == [488]


@pytest.mark.parametrize("reason", ["ice", "dtls"])
def test_a_browser_that_is_not_reached_loses_its_call(house: House, reason: str):
    house.talking()
    leg = house.customer.number
    house.tells(DoorLost(leg, reason))
    house.stage.run(2.0)
    (record,) = house.stage.records
    assert (record.reason, record.ended_by) == (EndReason.MEDIA_LOST, Side.ENGINE)
    assert house.gate.asked[-1] == CloseDoor(leg)
    assert not house.switch.legs


def test_a_browser_that_says_good_bye_by_dtls_alone_has_hung_up(house: House):
    house.talking()
    house.tells(DoorLost(house.customer.number, "closed"))
    assert house.stage.call.state is State.TALKING, "its BYE may come yet"
    house.stage.run(4.0)
    (record,) = house.stage.records
    assert (record.reason, record.ended_by) == (EndReason.COMPLETED, Side.CUSTOMER)


def test_with_its_gate_a_call_that_is_still_coming_in_ends_and_others_go_on(house: House):
    house.talking()
    house.calls()
    assert len(house.stage.calls) == 2
    house.switch.gate_lost(house.stage.world.now)
    house.stage.run(2.0)
    (record,) = house.stage.records
    assert record.reason is EndReason.MEDIA_LOST
    assert house.stage.call.state is State.TALKING


def test_a_door_is_closed_where_its_worker_died(house: House):
    house.talking()
    leg = house.customer
    house.switch.worker_lost(leg.worker, house.stage.world.now)
    assert house.gate.asked[-1] == CloseDoor(leg.number)


def test_a_caller_who_gives_up_before_there_is_a_door_leaves_none(house: House):
    phone = house.calls()
    leg = house.customer.number
    assert phone.session is None
    next(iter(phone.live.values())).hangup(None, now=house.stage.world.now)
    phone.host.pump()
    house.stage.run(2.0)
    assert house.gate.asked[-1] == CloseDoor(leg) and house.of(CloseLeg)
    house.tells(opened(leg))
    assert house.stage.records[0].reason is EndReason.ABANDONED


# --- descriptions ---------------------------------------------------------------------------------------


def test_a_browser_is_told_by_its_profile_or_by_what_it_brings():
    assert is_browsers(OFFER.encode())
    assert is_browsers(OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF").encode())
    keyed = OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVP").replace("a=mid:0", "a=crypto:1 X inline:Y")
    assert not is_browsers(keyed.encode())
    assert not is_browsers(b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n")


def test_an_offer_of_ours_leaves_the_handshake_open_and_its_answer_decides():
    description, door, gate = at_a_door()
    door.open((ADDRESS, 20_000))
    door.was_opened(opened(1), 0.0)
    offer = jsep.read(description.offer((ADDRESS, 20_000), "PCMA", False).decode())
    assert (offer.codecs[0].name, offer.setup, offer.transport_cc) == ("PCMA", "actpass", 3)
    description.take_answer(ANSWER.encode())
    (peer,) = gate.of(SetPeer)
    assert isinstance(peer, SetPeer) and not peer.client, "it begins the handshake"
    assert description.codec == "PCMA" and not description.agreed
    description.take_offer(OFFER.encode())
    assert "a=setup:passive" in description.answer((ADDRESS, 20_000)).decode()


def test_what_is_said_again_is_of_the_same_version_and_what_is_new_of_the_next():
    description, door, _ = at_a_door()
    door.was_opened(opened(1), 0.0)
    description.take_offer(OFFER.encode())
    first = description.answer((ADDRESS, 20_000))
    assert description.answer((ADDRESS, 20_000)) == first
    assert b"o=- 1 1 " in first and b"a=setup:actpass" in description.standing()
    again = description.offer((ADDRESS, 20_000), "PCMU", False)
    assert b"o=- 1 2 " in again and b"m=video 0 " in again
    assert jsep.read(again.decode()).codecs[0].name == "PCMU"


def test_another_certificate_within_a_call_is_refused():
    description, door, _ = at_a_door()
    door.was_opened(opened(1), 0.0)
    description.take_offer(OFFER.encode())
    with pytest.raises(NothingInCommon):
        description.take_offer(OFFER.replace("AB:AB", "EF:AB").encode())
    assert b"a=ice-ufrag:ours" in description.answer((ADDRESS, 20_000))


def test_noise_of_pauses_is_described_to_telephones_codecs_alone():
    description, _, _ = at_a_door()
    description.take_offer(OFFER.encode())
    assert not description.pauses
    description.take_offer(OFFER.replace("111 63 9", "8").encode())
    assert description.pauses


def test_a_thousand_mutilated_offers_are_taken_or_refused_in_order():
    rng = Random(9725)
    outcomes = set()
    for _ in range(1000):
        text = mutilated(OFFER.encode(), rng)
        description, door, _ = at_a_door()
        door.was_opened(opened(1), 0.0)
        try:
            description.take_offer(text)
            description.answer((ADDRESS, 20_000))
            outcomes.add(200)
        except (MalformedSdp, NothingInCommon) as error:
            outcomes.add(error.sip_status)
    assert outcomes == {200, 400, 488}


# --- a browser is called --------------------------------------------------------------------------------


@pytest.fixture
def ringing(house: House, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """An agent's phone rings that is taken for one behind a WebSocket: the simulation has UDP alone. What it
    was offered so far.
    """
    monkeypatch.setattr(attempt, "WEBSOCKETS", frozenset({"udp"}))
    offers: list[bytes] = []
    agent = house.stage.agent
    rung = agent.rung

    def keep(event: events.IncomingCall) -> None:
        offers.append(event.offer or b"")
        rung(event)

    agent.rung = keep  # type: ignore[method-assign]
    agent.answers = False
    house.stage.customer()
    house.until(lambda: house.gate.asked)
    (asked,) = house.gate.asked
    assert isinstance(asked, OpenDoor) and asked.peer is None and not offers
    house.tells(opened(asked.leg))
    return offers


def test_a_browser_is_offered_its_own_form_in_one_invite(house: House, ringing: list[bytes]):
    agent = house.stage.agent
    (offer,) = ringing
    assert jsep.read(offer.decode()).codecs[0].name == "PCMA", "the customer's codec can be relayed"
    agent.sdp = lambda direction="sendrecv": ANSWER.encode()  # type: ignore[method-assign]
    assert agent.session is not None
    agent.pick_up(agent.session)
    agent.host.pump()
    house.stage.run(1.0)
    party = house.stage.call.party
    assert party is not None and house.stage.call.state is State.TALKING
    assert [type(each) for each in house.gate.asked] == [OpenDoor, SetPeer]
    house.tells(secured(party.number))
    assert (party.codec, party.suite) == ("PCMA", "AEAD_AES_128_GCM")


def test_a_phone_behind_a_websocket_that_is_no_browser_is_offered_what_phones_are(
    house: House, ringing: list[bytes]
):
    agent = house.stage.agent
    assert agent.session is not None
    agent.session.reject(488, now=house.stage.world.now)
    agent.host.pump()
    house.stage.run(1.0)
    assert [b"UDP/TLS/RTP/SAVPF" in offer for offer in ringing] == [True, False]
    agent.pick_up(agent.session)
    agent.host.pump()
    house.stage.run(1.0)
    party = house.stage.call.party
    assert party is not None and isinstance(party.description, PhoneDescription)
    assert house.gate.asked[-1] == CloseDoor(party.number)


def test_a_gate_that_dies_while_a_browser_rings_costs_the_customer_no_more_than_the_wait(
    house: House, ringing: list[bytes]
):
    house.switch.gate_lost(house.stage.world.now)
    house.stage.run(1.0)
    assert house.stage.call.state in WAITING and house.stage.call.customer is not None
