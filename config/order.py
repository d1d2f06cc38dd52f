"""Settings of one file that have to agree: least and most, either and or."""

from __future__ import annotations

from collections.abc import Iterator

from config.fault import Fault
from config.fault import Path as SettingPath
from config.media import MediaSettings, port_shares
from config.parts import Parts, sound
from config.routing import RoutingSettings
from config.signalling import SipSettings
from sip.hop import SECURED

RTP_PORTS_A_CALL = 4  # two legs, RTP and RTCP each
SHORTEST_SILENCE_S = 10.0  # a media worker notices silence after 5 s; a phone that roams needs some more


def order_faults(parts: Parts) -> Iterator[Fault]:
    if parts.sip:
        yield from _sip(parts, parts.sip)
        yield from _tls(parts, parts.sip)
    if parts.media:
        yield from _media(parts, parts.media)
        yield from _ports(parts, parts.media)
        yield from _ice(parts, parts.media)
    if parts.api and parts.api.enabled and not parts.api.tokens:
        yield parts.fault(
            "api", ("tokens",), "nobody may use the API", "add a token, or write enabled: false"
        )
    if parts.store and parts.store.url and parts.store.url.generated:
        remedy = "write {env: NAME} or {file: PATH}"
        yield parts.fault("store", ("url",), "a database cannot be made up", remedy)
    yield from _queues(parts)
    if parts.routing:
        yield from _routing(parts, parts.routing)


def _ice(parts: Parts, media: MediaSettings) -> Iterator[Fault]:
    servers = media.webrtc.ice_servers
    for at, server in enumerate(servers):
        path = ("webrtc", "ice_servers", at)
        if server.relays and not server.secret and not (server.username and server.credential):
            remedy = "give it username and credential, or the secret that it shares"
            yield parts.fault("media", path, "a TURN server lets in nobody without a password", remedy)
        if any(each is not None and each.generated for each in (server.secret, server.credential)):
            yield parts.fault("media", path, "is the server's secret", "write {env: NAME} or {file: PATH}")
    if media.webrtc.relay == "forced" and not any(server.relays for server in servers):
        remedy = "add a TURN server to webrtc.ice_servers, or write relay: auto"
        yield parts.fault("media", ("webrtc", "relay"), "leads nowhere without a relay", remedy)


def _sip(parts: Parts, sip: SipSettings) -> Iterator[Fault]:
    ordered = (
        ("registrar", "min_expires_s", "default_expires_s", sip.registrar),
        ("registrar", "default_expires_s", "max_expires_s", sip.registrar),
        ("guard", "first_delay_s", "longest_delay_s", sip.guard),
        ("guard", "first_block_s", "longest_block_s", sip.guard),
        ("session", "min_s", "expires_s", sip.session),
        ("timers", "t1_ms", "t2_ms", sip.timers),
    )
    for block, least, most, values in ordered:
        yield from _ascending(parts, "sip", block, least, most, values)
    idle = sip.connections.idle_s
    for path, asked in (
        (("registrar", "flow_timer_s"), sip.registrar.flow_timer_s),
        (("websocket", "ping_s"), sip.websocket.ping_s),
    ):
        if asked >= idle:
            problem = (
                f"{asked:g} is not under connections.idle_s, {idle:g}: phones that live would be hung up on"
            )
            yield parts.fault("sip", path, problem, f"write less than {idle:g}, or raise connections.idle_s")
    if sip.session.min_s < 90:
        yield parts.fault("sip", ("session", "min_s"), "is under 90", "write 90 or more (RFC 4028 section 5)")
    if not sip.digest.algorithms:
        remedy = "write [SHA-256, MD5]"
        yield parts.fault("sip", ("digest", "algorithms"), "leaves phones no way to authenticate", remedy)
    if sip.external_address in ("0.0.0.0", "::"):
        remedy = "write the address that peers reach, or remove the line"
        yield parts.fault("sip", ("external_address",), "cannot be told to a peer", remedy)


def _tls(parts: Parts, sip: SipSettings) -> Iterator[Fault]:
    tls = sip.tls
    given = tls.certificate is not None and tls.key is not None
    if (tls.certificate is None) != (tls.key is None):
        lacks = "key" if tls.key is None else "certificate"
        yield parts.fault("sip", ("tls",), f"has no {lacks}", "name both certificate and key, in PEM")
    elif given and tls.self_signed:
        yield parts.fault(
            "sip", ("tls", "self_signed"), "a certificate is named as well", "keep one of the two"
        )
    for name, path in (("certificate", tls.certificate), ("key", tls.key), ("ca", tls.ca)):
        if path is not None and not (parts.folder / path).is_file():
            yield parts.fault(
                "sip", ("tls", name), f"{parts.folder / path} is no file", "put it there in PEM"
            )
    for at, listener in enumerate(sip.listen):
        if listener.transport in SECURED and not given and not tls.self_signed:
            remedy = "name tls.certificate and tls.key, or write tls.self_signed: true to try out"
            problem = f"{listener.transport} has no certificate"
            yield parts.fault("sip", ("listen", at), problem, remedy)


def _media(parts: Parts, media: MediaSettings) -> Iterator[Fault]:
    for least, most in (("min_ms", "start_ms"), ("start_ms", "max_ms")):
        yield from _ascending(parts, "media", "jitter", least, most, media.jitter)
    if 0 < media.rtp_timeout_s < SHORTEST_SILENCE_S:
        remedy = f"write {SHORTEST_SILENCE_S:g} or more, or 0 for never"
        yield parts.fault("media", ("rtp_timeout_s",), "would ask phones over a short gap", remedy)
    if not media.codecs:
        yield parts.fault("media", ("codecs",), "is empty: no call could be answered", "write [PCMA, PCMU]")
    if len(set(media.codecs)) < len(media.codecs):
        yield parts.fault("media", ("codecs",), "names a codec twice", "keep the first of them")
    told: dict[SettingPath, str | None] = {
        ("external_address",): media.external_address,
        ("webrtc", "external_address"): media.webrtc.external_address,
    }
    for path, address in told.items():
        if address in ("0.0.0.0", "::"):
            remedy = "write the address that peers reach, or remove the line"
            yield parts.fault("media", path, "cannot be told to a peer", remedy)


def _ports(parts: Parts, media: MediaSettings) -> Iterator[Fault]:
    low, high = media.port_low, media.port_high
    if low % 2:
        yield parts.fault("media", ("port_low",), f"{low} is odd", f"write {low + 1}: RTP ports are even")
    if high < low:
        yield parts.fault("media", ("port_high",), f"{high} is below port_low, {low}", "swap the two")
    elif parts.node:
        calls = parts.node.limits.max_calls
        workers = media.workers or 1
        shares = port_shares(low, high, workers)
        room = sum((last - first + 1) // RTP_PORTS_A_CALL for first, last in shares)
        if room < calls:
            problem = f"{high - low + 1} ports are too few for {calls} calls"
            if workers > 1:
                problem += f" in {workers} workers of {shares[0][1] - shares[0][0] + 1} each"
            smaller = f"set node.limits.max_calls to {room}" if room else f"set workers to {workers // 2}"
            remedy = f"each call takes {RTP_PORTS_A_CALL}: widen the range, or {smaller}"
            yield parts.fault("media", ("port_high",), problem, remedy)


def _queues(parts: Parts) -> Iterator[Fault]:
    for name, queue in sound(parts.queues):
        if queue.overflow is not None and not queue.max_wait_s and not queue.max_length:
            remedy = "set max_wait_s or max_length, or remove overflow"
            yield parts.fault("queues", (name, "overflow"), "is never reached", remedy)
        if queue.leave_to is not None and not queue.leave_key:
            remedy = 'set leave_key, for instance "*", or remove leave_to'
            yield parts.fault("queues", (name, "leave_to"), "is never reached", remedy)


def _routing(parts: Parts, routing: RoutingSettings) -> Iterator[Fault]:
    ordered = (
        ("health", "first_back_off_s", "longest_back_off_s", routing.health),
        ("health", "least_wait_s", "longest_wait_s", routing.health),
        ("circuit", "rest_s", "longest_rest_s", routing.circuit),
        ("rescue", "doubt_s", "dead_s", routing.rescue),
    )
    for block, least, most, values in ordered:
        yield from _ascending(parts, "routing", block, least, most, values)
    wait, budget = routing.health.first_wait_s, routing.failover.budget_s
    if budget < 2 * wait:
        problem = f"{budget:g} is spent before a second line is tried"
        remedy = f"write {2 * wait:g} or more, or lower health.first_wait_s"
        yield parts.fault("routing", ("failover", "budget_s"), problem, remedy)


def _ascending(parts: Parts, file: str, block: str, least: str, most: str, values: object) -> Iterator[Fault]:
    low, high = getattr(values, least), getattr(values, most)
    if low > high:
        problem = f"{low:g} is over {most}, {high:g}"
        yield parts.fault(file, (block, least), problem, f"write at most {high:g}, or raise {most}")
