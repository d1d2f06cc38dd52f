"""media.yaml as values: RTP, codecs, digits and the jitter buffer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from annotated_types import Ge, Le

from config.ice import IceServer
from config.recording import RecordingSettings
from config.setting import Address, Encrypted, Name, Port, Processes, Profile, Seconds, setting, settings
from config.sound import SoundSettings

Suite = Literal["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]
CodecName = Literal["OPUS", "G722", "PCMA", "PCMU", "AMR-WB", "AMR", "G729", "L16"]


@settings
class Jitter:
    min_ms: Annotated[int, Ge(20), Le(500)] = setting(
        "Sound that the jitter buffer holds at least, when packets come as regularly as they were sent.",
        default=20,
    )
    max_ms: Annotated[int, Ge(20), Le(1000)] = setting(
        "What it grows to at most on a bad network: packets that come later are lost to the listener.",
        default=200,
    )
    start_ms: Annotated[int, Ge(20), Le(500)] = setting(
        "What a call begins with, before anything is known of its network.", default=40
    )


@settings
class Dtmf:
    payload_type: Annotated[int, Ge(96), Le(127)] = setting(
        "RTP payload type offered for telephone-event, 96–127 (RFC 4733).", default=101
    )
    digit_ms: Annotated[int, Ge(40), Le(2000)] = setting(
        "Length of a digit that came in SIP INFO and is sent on in RTP.", default=100
    )
    info: bool = setting("Take digits from SIP INFO as well.", default=True)


@settings
class NetworkSettings:
    profile: Profile = setting(
        "How wide the networks are that calls go over: `mobile-2g` (a whole stream under 16 kb/s with IP, "
        "UDP and RTP), `mobile-3g` (under 40), `standard` (100) or `hd` (128). Coding is adapted within it.",
        default="standard",
    )
    regions: Mapping[Name, Profile] = setting(
        "The same by region, as in node.yaml; a line's own word comes first.", default={}
    )
    repair: Literal["auto", "on", "off"] = setting(
        "Whether sound of a rough network is smoothed here for phones that cannot do it: `auto` where it "
        "helps, `on` always, `off` never. It adds delay.",
        default="auto",
    )


@settings
class WebRtc:
    enabled: Literal["auto", "on", "off"] = setting(
        "Calls with browsers (ICE and DTLS, by the extra `webrtc`): `auto` where a WebSocket is listened on "
        "or callers from pages have keys (api.yaml), `on` always, `off` never.",
        default="auto",
    )
    external_address: Address | None = setting(
        "Address of RTP that browsers are told, where they need another than phones.", default=None
    )
    resume_s: Annotated[float, Ge(0), Le(600)] = setting(
        "How long the place of a browser that is out of reach is kept, in seconds: the other side hears soft "
        "noise and is told, and the browser may come back; 0: not at all.",
        default=30.0,
    )
    ice_servers: tuple[IceServer, ...] = setting(
        "STUN and TURN servers that browsers are told of.", default=()
    )
    relay: Literal["auto", "forced"] = setting(
        "`forced`: browsers are reached by way of TURN servers alone; `auto` where nothing else leads there.",
        default="auto",
    )


@settings
class MediaSettings:
    workers: Processes = setting(
        "Media processes; `auto`, or 0, for one a core. A call stays in one of them, each has its share of "
        "the ports, and one that dies takes its own calls alone with it.",
        default=1,
    )
    native: Literal["auto", "off"] = setting(
        "Packets through the helper in C, which is compiled at the first start where a compiler is; `off` "
        "for Python alone, at more CPU a call.",
        default="auto",
    )
    address: Address = setting("Local address of RTP; 0.0.0.0 for all.", default="0.0.0.0")
    external_address: Address | None = setting(
        "Address put into SDP; empty for the address of the call's route.", default=None
    )
    port_low: Port = setting(
        "First RTP port, even. Each leg takes two ports, each call two legs.", default=16_384
    )
    port_high: Port = setting("Last RTP port.", default=32_766)
    codecs: tuple[CodecName, ...] = setting(
        "Offered and accepted, best first. One whose library this machine lacks is left out, with a warning "
        "at the start. Sound between two phones of one codec is passed on as it is.",
        default=("OPUS", "G722", "PCMA", "PCMU"),
    )
    ptime_ms: Literal[10, 20, 30, 40, 50, 60] = setting("Packet time that is sent.", default=20)
    rtp_timeout_s: Seconds = setting(
        "Silence on RTP of a phone that should send some, after which it is asked by a re-INVITE whether it "
        "is still there, and its call ends when no answer comes; 0 for never.",
        default=60.0,
    )
    dscp: Annotated[int, Ge(0), Le(63)] = setting(
        "DSCP of RTP packets; 46 is Expedited Forwarding.", default=46
    )
    srtp: Encrypted = setting(
        "Encryption of phones' sound (SRTP, keys in the SDP): `required` refuses calls without, `preferred` "
        "offers it first and takes plain RTP, `off` does neither. `auto` is `preferred` where signalling is "
        "TLS and `off` elsewhere: there the keys could be read on the way.",
        default="auto",
    )
    srtp_suites: tuple[Suite, ...] = setting(
        "Ways of encryption that are offered and taken, best first.",
        default=(
            *("AEAD_AES_256_GCM", "AEAD_AES_128_GCM"),
            *("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"),
        ),
    )
    dtmf: Dtmf = setting("Digits that callers press.", default=Dtmf())
    network: NetworkSettings = setting(
        "What the networks carry, and what is done about it.", default=NetworkSettings()
    )
    webrtc: WebRtc = setting("Browsers as phones.", default=WebRtc())
    jitter: Jitter = setting("The jitter buffer of legs that are not relayed.", default=Jitter())
    sound: SoundSettings = setting("What is done with the sound of calls.", default=SoundSettings())
    recording: RecordingSettings = setting(
        "Recordings of calls; which queues are recorded stands in queues.yaml.", default=RecordingSettings()
    )


def port_shares(low: int, high: int, workers: int) -> list[tuple[int, int]]:
    """Each worker's part of the ports `low` to `high`, both included: (first, last), whole pairs, none in
    two parts.
    """
    share = (high - low + 1) // workers // 2 * 2
    return [(low + n * share, low + (n + 1) * share - 1) for n in range(workers)]
