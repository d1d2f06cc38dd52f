"""From configuration to parts: what each sans-IO part of the node is told, in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from random import Random

from config.media import CodecName, MediaSettings
from config.schema import Config
from media import codecs
from sip.admission import Admission, AdmissionPolicy, LineSource
from sip.challenge import DigestPolicy, DigestServer
from sip.digest import Secret, SecretOf
from sip.guard import Guard, GuardPolicy, Network
from sip.io.connection import StreamLimits
from sip.registrar import Registrar, RegistrarPolicy
from sip.sdp import CodecOffer
from sip.settings import AgentSettings
from sip.timeouts import Timing

# What we want to receive. Opus: nothing above 16 kHz is heard here, copies of lost packets are.
FMTP = {
    "OPUS": "maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1",
    "AMR": "mode-change-capability=2",
    "AMR-WB": "mode-change-capability=2",
    "G729": "annexb=no",
}
# Small enough that copies of earlier packets are worth their bits.
COPIED = frozenset({"OPUS", "AMR", "AMR-WB"})
MOBILE: Sequence[CodecName] = ("AMR-WB", "AMR")
# Frames are sent once: `max-red` is what a sender does (RFC 4867 section 8.1).
MOBILE_FMTP = tuple(f"{form}mode-change-capability=2;max-red=0" for form in ("", "octet-align=1;"))
MOBILE_PTIME = 20


def capabilities_of(media: MediaSettings) -> Sequence[CodecOffer]:
    """The codecs of a media leg, best first, then copies (RFC 2198) and telephone-event at each clock.

    A codec whose library this machine lacks is left out; `missing_codecs` tells which.
    """
    kinds, ptime = _kinds(media.codecs), media.ptime_ms
    sound = [
        CodecOffer(_spelt(k.name), k.clock, k.channels, fmtp=FMTP.get(k.name), ptime=ptime) for k in kinds
    ]
    carried = dict.fromkeys((kind.clock, kind.channels) for kind in kinds if kind.name in COPIED)
    copies = [CodecOffer("red", clock, channels, ptime=ptime) for clock, channels in carried]
    return (*sound, *copies, *_events(kinds, media, ptime))


def mobile_capabilities_of(media: MediaSettings, names: Sequence[CodecName]) -> Sequence[CodecOffer]:
    """Those of a leg over a mobile network, as its terminals have them (GSMA IR.92 section 3.2, TS 26.114
    sections 5.2.1 and 6.2.2): AMR in both forms, bandwidth-efficient first, in packets of 20 ms and without
    copies. names: AMR-WB and AMR when empty; where no library speaks any of them, what the node speaks.
    """
    kinds = _kinds(names or MOBILE) or _kinds(media.codecs)
    sound = [
        CodecOffer(_spelt(kind.name), kind.clock, kind.channels, fmtp=fmtp, ptime=MOBILE_PTIME)
        for kind in kinds
        for fmtp in (MOBILE_FMTP if kind.name in MOBILE else (FMTP.get(kind.name),))
    ]
    return (*sound, *_events(kinds, media, MOBILE_PTIME))


def _kinds(names: Sequence[str]) -> list[codecs.Kind]:
    return [
        kind
        for name in names
        for kind in reversed(codecs.KINDS)
        if kind.name == name and codecs.available(kind.number)
    ]


def _events(kinds: Sequence[codecs.Kind], media: MediaSettings, ptime: int) -> list[CodecOffer]:
    return [
        CodecOffer(
            "telephone-event", clock, 1, pt=media.dtmf.payload_type if clock == 8000 else None, ptime=ptime
        )
        for clock in dict.fromkeys([8000, *(kind.clock for kind in kinds)])
    ]


def missing_codecs(media: MediaSettings) -> dict[str, str]:
    """Codecs that the configuration names and this machine cannot speak, with the library that each lacks."""
    return {name: library for name, library in codecs.missing().items() if name in media.codecs}


def _spelt(name: str) -> str:
    return "opus" if name == "OPUS" else name  # as RFC 7587 writes it


Guests = Callable[[str], Secret | None]


def _nobody(user: str) -> None:
    """No guests."""


def admission_of(
    config: Config, rng: Random, own_hosts: frozenset[str] = frozenset(), guests: Guests = _nobody
) -> Admission:
    """Digest for accounts, source addresses for lines, and the guard against guessing. guests: accounts that
    come and go.
    """
    sip = config.sip
    digest = DigestServer(
        DigestPolicy(
            realm=sip.digest.realm or sip.domain,
            algorithms=sip.digest.algorithms,
            nonce_life=sip.digest.nonce_s,
        ),
        secrets_of(config, guests),
        key=rng.randbytes(32),
        rng=rng,
    )
    policy = AdmissionPolicy(
        anonymous_invites=sip.anonymous_callers, domains=own_hosts | frozenset({sip.domain})
    )
    return Admission(digest, Guard(guard_policy(config)), lines=sources_of(config), policy=policy)


def guard_policy(config: Config) -> GuardPolicy:
    """Trusted proxies speak for many, and are never blocked for one of them."""
    policy = config.sip.guard.policy()
    return replace(policy, exempt=(*policy.exempt, *_networks(config.sip.trusted_proxies)))


def secrets_of(config: Config, guests: Guests = _nobody) -> SecretOf:
    """What accounts prove that they know."""
    passwords = {name: Secret(each.password.reveal()) for name, each in config.accounts.items()}
    return lambda user, realm: passwords.get(user) or guests(user)


def sources_of(config: Config) -> list[LineSource]:
    """Where the calls of lines come from."""
    return [
        LineSource(line.name, _networks(line.sources))
        for line in config.lines.values()
        if line.enabled and line.sources
    ]


def _networks(written: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ip_network(str(each)) for each in written)


def registrar_of(config: Config) -> Registrar:
    return Registrar(registrar_policy(config))


def registrar_policy(config: Config) -> RegistrarPolicy:
    given = config.sip.registrar
    return RegistrarPolicy(
        domain=config.sip.domain,
        min_expires=given.min_expires_s,
        max_expires=given.max_expires_s,
        default_expires=given.default_expires_s,
        max_contacts=given.max_contacts,
        max_bindings=given.max_bindings,
        flow_timer=given.flow_timer_s,
    )


def stream_limits(config: Config) -> StreamLimits:
    """What connections are allowed."""
    given, websocket = config.sip.connections, config.sip.websocket
    return StreamLimits(
        given.max_connections,
        given.max_per_source,
        first_message=given.handshake_s,
        idle=given.idle_s,
        body=given.max_body_bytes,
        origins=frozenset(websocket.origins),
        ping=websocket.ping_s,
    )


def user_agent_settings(config: Config, addresses: Mapping[str, tuple[str, int]]) -> AgentSettings:
    """addresses: what stands in Via and Contact, by transport."""
    sip, limits = config.sip, config.node.limits
    between = config.cluster.between
    several = between.host is not None and not config.cluster.alone
    return AgentSettings(
        addresses=addresses,
        between=(between.host or "", between.port) if several else None,
        shares_dialogs=not config.cluster.alone,
        user_agent=sip.user_agent,
        timing=Timing(t1=sip.timers.t1_ms / 1000, t2=sip.timers.t2_ms / 1000),
        session_expires=int(sip.session.expires_s),
        min_se=int(sip.session.min_s),
        max_sessions=8 * limits.max_calls,
        max_pending_per_source=2 * limits.max_calls,
        trusted_proxies=_networks(sip.trusted_proxies),
    )
