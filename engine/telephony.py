"""A node's SIP put together: its sockets, who speaks at them, who is let in and who is registered."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.schema import Config
from engine.build import admission_of, registrar_of, stream_limits, user_agent_settings
from engine.cluster import between
from engine.workers import reachable
from sip.admission import Admission
from sip.agent import AgentEvent, UserAgent
from sip.digest import Secret
from sip.io.dns import DnsSettings
from sip.io.dns import Resolver as DnsResolver
from sip.io.shell import Listener, SipShell
from sip.io.tls import TlsContexts, TlsSettings
from sip.ladder import Ladders
from sip.proxy import shown
from sip.registrar import Registrar


@dataclass(frozen=True, slots=True)
class Telephony:
    """hosts: addresses that it is known by. marks: of sockets, by where they lead. ladders: what was said."""

    registrar: Registrar
    dns: DnsResolver
    admission: Admission
    agent: UserAgent
    shell: SipShell[AgentEvent]
    hosts: frozenset[str]
    marks: dict[tuple[str, int], int]
    ladders: Ladders


def telephony_of(
    config: Config,
    rng: random.Random,
    clock: Callable[[], float],
    told: Callable[[Sequence[object]], None],
    guest: Callable[[str], Secret | None],
) -> Telephony:
    """With its sockets open, and nothing read from them yet. told: takes what the user agent has to tell;
    guest: what somebody proves who has an account for one call. Raises OSError.
    """
    registrar = registrar_of(config)
    listeners = [Listener(each.transport, str(each.address), each.port).open() for each in config.sip.listen]
    addresses = {
        each.transport: (config.sip.external_address or reachable(each.host), each.port) for each in listeners
    }
    several = not config.cluster.alone
    if several:
        listeners.append(between.listener_of(config).open())
    hosts = frozenset(host for host, _ in addresses.values())
    names = DnsSettings(nameservers=config.sip.dns.servers, port=config.sip.dns.port)
    dns = DnsResolver(names, rng=rng, transports=tuple(addresses))
    admission = admission_of(config, rng, hosts, guest)
    agent = UserAgent(
        user_agent_settings(config, addresses),
        rng=rng,
        admission=admission,
        registrar=registrar,
        resolve=dns.known,
    )
    marks: dict[tuple[str, int], int] = {}
    ladders = Ladders()
    shell = SipShell(
        agent,
        listeners,
        told,
        tls=_tls(config),
        between=between.contexts_of(config) if several else None,
        limits=stream_limits(config),
        drops=admission.drops,
        marks=marks,
        names=lambda host: shown(host, agent.settings.trusted_proxies, config.sip.domain),
        tap=ladders,
        clock=clock,
    )
    return Telephony(registrar, dns, admission, agent, shell, hosts, marks, ladders)


def _tls(config: Config) -> TlsContexts | None:
    """The contexts of TLS listeners; None where there is none."""
    tls = config.sip.tls
    if tls.certificate is None or tls.key is None:
        return None
    return TlsContexts(TlsSettings(tls.certificate, tls.key, ca=tls.ca, known=True))
