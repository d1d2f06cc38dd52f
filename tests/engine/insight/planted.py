"""Calls in the simulation with one thing wrong each: phones, networks, carriers that misbehave as real ones.

Every function plants a fault, lives through the call and returns it watched. What is real: SIP stacks at both
ends, the switch, media workers with every packet; what is not: sockets and the clock.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from config.carrier import CredentialSettings
from config.secret import Secret
from routing.agent import AgentEvent
from sip import events
from sip.uri import Uri
from tests.engine.insight.watched import Watched
from tests.sim.gateway import Gateway, Lines
from tests.sim.phones import sdp
from tests.sim.stage import RTP_PORT, Stage, Voice

LINE = "10.3.0.1"
LOUD = bytes(Random(7).choices((0x15, 0x95, 0x1A, 0x9A), k=160))  # PCMA, about -14 dB of full scale
QUIET = bytes([0xD5]) * 160  # PCMA of perfect silence
CLIPPED = (bytes([0x2A]) * 40 + bytes([0xAA]) * 40) * 2  # PCMA at full scale, a square
KEY = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"


def stage(folder: Path, **settings: Any) -> tuple[Stage, Watched]:
    made = Stage(folder, **settings)
    return made, Watched(made)


def talk(folder: Path, **settings: Any) -> tuple[Stage, Watched, Voice]:
    """A customer and an agent who send a packet every 20 ms; not through yet."""
    made, watched = stage(folder, **settings)
    customer = made.customer()
    for phone in (customer, made.agent):
        phone.pace_s, phone.sound = 0.02, LOUD
    return made, watched, customer


def end(made: Stage, phone: Voice) -> None:
    """Hang up, and let the last messages come in."""
    if phone.session is not None and phone.session.id in phone.live:
        phone.hang_up(phone.session)
        phone.host.pump()
    made.run(8.0)


def filtered(phone: Voice, change: Callable[[bytes], bytes | None]) -> None:
    """Have what the phone sends changed on its way, or kept from going."""
    sent = phone.agent.outgoing
    phone.agent.outgoing = lambda: [  # type: ignore[method-assign]
        (changed, hop) for data, hop in sent() if (changed := change(data)) is not None
    ]


def rendered(made: Stage) -> None:
    """Legs are decoded and mixed, as those that are recorded or repaired are."""
    switch = made.house.switch
    network = replace(switch.config.media.network, repair="on")
    switch.config = replace(switch.config, media=replace(switch.config.media, network=network))


# --- sound --------------------------------------------------------------------------------------------


def one_way_audio(folder: Path) -> Watched:
    """A firewall lets nothing of the customer's sound out."""
    made, watched, customer = talk(folder)
    customer.speaks = False
    made.run(20.0)
    end(made, customer)
    return watched


def nat(folder: Path) -> Watched:
    """The customer's phone names its address behind the NAT, and its sound does not get through."""
    made, watched = stage(folder)
    customer = Voice(made, "10.1.0.9")
    customer.speaks = False
    customer.sdp = lambda direction="sendrecv": sdp("192.168.1.77", RTP_PORT, direction)  # type: ignore[method-assign]
    customer.call("+4930100", "+491701234")
    made.run(15.0)
    end(made, customer)
    return watched


def silence(folder: Path) -> Watched:
    """The customer's microphone is muted in the hardware."""
    made, watched, customer = talk(folder)
    rendered(made)
    customer.sound = QUIET
    made.run(15.0)
    end(made, customer)
    return watched


def clipping(folder: Path) -> Watched:
    """The customer's gateway amplifies far too much."""
    made, watched, customer = talk(folder)
    rendered(made)
    customer.sound = CLIPPED
    made.run(12.0)
    end(made, customer)
    return watched


def clock_drift(folder: Path) -> Watched:
    """The customer's sound card runs 900 ppm slow."""
    made, watched, customer = talk(folder)
    customer.pace_s = 0.020018
    made.run(50.0)
    end(made, customer)
    return watched


def packet_loss(folder: Path) -> Watched:
    """The customer's Wi-Fi loses every fourteenth packet, by a seeded dice."""
    made, watched, customer = talk(folder)
    lose(customer, Random(5), 0.07)
    made.run(16.0)
    end(made, customer)
    return watched


def bursts(folder: Path) -> Watched:
    """The same network loses a third of a second now and then."""
    made, watched, customer = talk(folder)
    say, rng = customer.say, Random(6)
    away = [0]

    def burst(span: int, sound: bytes = QUIET) -> None:
        away[0] = away[0] - 1 if away[0] else (15 if rng.random() < 0.008 else 0)
        _said(customer, span) if away[0] else say(span, sound)

    customer.say = burst  # type: ignore[method-assign]
    made.run(20.0)
    end(made, customer)
    return watched


def lose(phone: Voice, rng: Random, share: float) -> None:
    say = phone.say

    def lossy(span: int, sound: bytes = QUIET) -> None:
        _said(phone, span) if rng.random() < share else say(span, sound)

    phone.say = lossy  # type: ignore[method-assign]


def _said(phone: Voice, span: int) -> None:
    """A packet that the network swallows."""
    phone._sent += 1
    phone._stamp += span


def late_packets(folder: Path) -> Watched:
    """A full uplink holds the customer's packets up, each as long as it likes."""
    made, watched, customer = talk(folder)
    rendered(made)
    say, rng = customer.say, Random(8)

    def late(span: int, sound: bytes = QUIET) -> None:
        customer._sent += 1
        customer._stamp += span
        sent, stamp = customer._sent - 1, customer._stamp - span

        def arrive() -> None:
            now = customer._sent, customer._stamp
            customer._sent, customer._stamp = sent, stamp
            say(span, sound)
            customer._sent, customer._stamp = now

        made.world.after(rng.choice((0.0, 0.01, 0.05, 0.12, 0.25)), arrive)

    customer.say = late  # type: ignore[method-assign]
    made.run(14.0)
    end(made, customer)
    return watched


def codec_changed(folder: Path) -> Watched:
    """A gateway goes over to a payload type that nobody agreed on."""
    made, watched, customer = talk(folder)
    made.run(6.0)

    def other(span: int, sound: bytes = QUIET) -> None:
        customer._sent += 1
        customer._stamp += span
        head = struct.pack("!BBHII", 0x80, 97, customer._sent, customer._stamp, id(customer) & 0xFFFF)
        made.house.hear(head + sound, (customer.address, RTP_PORT), customer._port)

    customer.say = other  # type: ignore[method-assign]
    made.run(8.0)
    end(made, customer)
    return watched


def srtp_mismatch(folder: Path) -> Watched:
    """The phone agrees on SRTP and sends plain RTP."""
    return _sealed(folder, "preferred")


def srtp_refused(folder: Path) -> Watched:
    """The phone wants SRTP, which its line has not."""
    return _sealed(folder, "off")


def _sealed(folder: Path, srtp: str) -> Watched:
    made, watched = stage(folder)
    switch = made.house.switch
    line = replace(switch.config.lines["carrier"], srtp=srtp)
    switch.config = replace(switch.config, lines={"carrier": line})
    customer = Voice(made, "10.1.0.9")
    customer.pace_s, customer.sound = 0.02, LOUD
    plain = customer.sdp

    def sealed(direction: str = "sendrecv") -> bytes:
        text = plain(direction).replace(b"RTP/AVP", b"RTP/SAVP")
        return text + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n".encode()

    customer.sdp = sealed  # type: ignore[method-assign]
    customer.call("+4930100", "+491701234")
    made.run(12.0)
    end(made, customer)
    return watched


# --- signalling ---------------------------------------------------------------------------------------


def no_common_codec(folder: Path) -> Watched:
    """The phone has nothing but GSM."""
    made, watched = stage(folder)
    customer = Voice(made, "10.1.0.9")
    plain = customer.sdp
    customer.sdp = lambda direction="sendrecv": plain(direction).replace(b"AVP 8 0 101", b"AVP 3")  # type: ignore[method-assign]
    customer.call("+4930100", "+491701234")
    made.run(8.0)
    return watched


def no_ack(folder: Path) -> Watched:
    """The phone's ACK never gets here."""
    made, watched, customer = talk(folder)
    filtered(customer, lambda data: None if data.startswith(b"ACK") else data)
    made.run(45.0)
    return watched


def session_timer(folder: Path) -> Watched:
    """The customer's phone talks on, and never refreshes the session."""
    made, watched, customer = talk(folder, ticks_in_one=25)
    made.agent.pace_s = customer.pace_s = 0.5
    settings = made.house.agent.settings
    settings.session_expires = settings.min_se = 90
    customer.agent.settings.session_expires = 90
    made.run(5.0)
    filtered(customer, lambda data: None if data.startswith((b"INVITE", b"UPDATE")) else data)
    made.run(120.0)
    return watched


def far_end_vanished(folder: Path) -> Watched:
    """The battery of the customer's phone is empty."""
    made, watched, customer = talk(folder, rtp_timeout_s=10.0)
    made.run(8.0)
    customer.vanish()
    made.run(60.0)
    return watched


def dtmf_mismatch(folder: Path) -> Watched:
    """Telephone events were agreed on, and the phone tells its keys by INFO, which are not taken here."""
    made, watched, customer = talk(folder)
    switch = made.house.switch
    media = switch.config.media
    switch.config = replace(switch.config, media=replace(media, dtmf=replace(media.dtmf, info=False)))
    made.run(5.0)
    customer.press("5")
    made.run(2.0)
    end(made, customer)
    return watched


def sip_alg(folder: Path) -> Watched:
    """A router rewrites Contact and c= of a phone at 192.168.1.5, nothing else; the sound is lost in it."""
    made, watched = stage(folder)
    customer = Voice(made, "10.1.0.9")
    customer.speaks = False
    inner = b"192.168.1.5"
    customer.agent.settings.addresses = {"udp": (inner.decode(), 5060)}
    customer.sdp = lambda direction="sendrecv": sdp(inner.decode(), RTP_PORT, direction)  # type: ignore[method-assign]

    def rewrite(data: bytes) -> bytes:
        for what in (b"c=IN IP4 ", b"Contact: <sip:+491701234@", b"Contact: <sip:"):
            data = data.replace(what + inner, what + customer.address.encode())
        head, gap, body = data.partition(b"\r\n\r\n")
        old = head.rpartition(b"Content-Length: ")[2].split(b"\r\n")[0]
        return head.replace(b"Content-Length: " + old, b"Content-Length: %d" % len(body)) + gap + body

    filtered(customer, rewrite)
    customer.call("+4930100", "+491701234")
    made.run(15.0)
    end(made, customer)
    return watched


# --- lines --------------------------------------------------------------------------------------------


def over_line(folder: Path, gateway: Callable[[Gateway], None], **settings: Any) -> Watched:
    """An agent's call that goes out over the only line."""
    made, watched = stage(folder)
    lines = Lines(made)
    gateway(lines.add("one", LINE, **settings))
    lines.dial()
    made.run(45.0)
    return watched


def wrong_credentials(folder: Path) -> Watched:
    """The line's password here is not the carrier's."""
    credentials = CredentialSettings(user="us", password=Secret("test", "not the password"))

    def challenges(gateway: Gateway) -> None:
        gateway.challenges("us", "the password")

    return over_line(folder, challenges, credentials=credentials)


def carrier_cause(folder: Path) -> Watched:
    """The carrier has no channel left, and says so as gateways do."""

    def refuses(gateway: Gateway) -> None:
        def rung(event: events.IncomingCall) -> None:
            why = [("Reason", 'Q.850;cause=34;text="No circuit available"')]
            event.session.reject(503, headers=why, now=gateway.world.now)

        gateway.rung = rung  # type: ignore[method-assign]

    return over_line(folder, refuses)


def no_reply(folder: Path) -> Watched:
    """Nothing that is sent to the carrier is answered."""

    def gone(gateway: Gateway) -> None:
        gateway.host.up = False

    return over_line(folder, gone)


def line_dns(folder: Path) -> Watched:
    """The carrier's name is spelt wrongly."""
    made, watched = stage(folder)
    lines = Lines(made)
    resolve = made.house.resolve

    def unknown(uri: Uri, now: float, found: Any) -> None:
        found([]) if uri.host == "carier.example" else resolve(uri, now, found)

    made.house.resolve = unknown  # type: ignore[method-assign]
    lines.gateways["carier.example"] = Gateway(made, LINE)
    lines.add("one", "carier.example", there=True)
    lines.dial()
    made.run(20.0)
    return watched


# --- queues and the node ------------------------------------------------------------------------------


def no_agent_answered(folder: Path) -> Watched:
    """The agent has left her desk, and her phone rings."""
    made, watched = stage(folder)
    made.agent.answers = False
    customer = made.customer()
    made.run(40.0)
    end(made, customer)
    return watched


def queue_overflow(folder: Path) -> Watched:
    """Everybody is at lunch."""
    made, watched = stage(folder, ticks_in_one=25)
    made.house.switch.set_agent("agent0", AgentEvent.PAUSE, made.world.now)
    made.customer()
    made.run(260.0)
    return watched


def waited_too_long(folder: Path) -> Watched:
    """The same, and the caller has no patience."""
    made, watched = stage(folder, ticks_in_one=25)
    made.house.switch.set_agent("agent0", AgentEvent.PAUSE, made.world.now)
    customer = made.customer()
    made.run(75.0)
    end(made, customer)
    return watched


def unknown_number(folder: Path) -> Watched:
    """The carrier sends a number that is none of ours."""
    made, watched = stage(folder)
    made.customer("+4930999")
    made.run(8.0)
    return watched


def overload(folder: Path) -> Watched:
    """The node has all the calls it may have."""
    made, watched = stage(folder)
    switch = made.house.switch
    limits = replace(switch.config.node.limits, max_calls=0)
    switch.config = replace(switch.config, node=replace(switch.config.node, limits=limits))
    made.customer()
    made.run(8.0)
    return watched


def node_fault(folder: Path) -> Watched:
    """The process that carries the sound is killed."""
    made, watched, _customer = talk(folder)
    made.run(6.0)
    made.house.kill_worker()
    made.run(8.0)
    return watched


PLANTED: dict[str, Callable[[Path], Watched]] = {
    each.__name__: each
    for each in (
        one_way_audio, nat, silence, clipping, clock_drift, packet_loss, late_packets, codec_changed,
        srtp_mismatch, no_common_codec, no_ack, session_timer, far_end_vanished, dtmf_mismatch, sip_alg,
        wrong_credentials, carrier_cause, no_reply, line_dns, no_agent_answered, queue_overflow,
        waited_too_long, unknown_number, overload, node_fault,
    )
}  # fmt: skip
