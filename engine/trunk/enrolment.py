"""Our registrations with carriers: begun once a registrar was found, kept while lines stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog

from sip.hop import Hop
from sip.registration import Registration, RegistrationSettings

if TYPE_CHECKING:
    from config.line import LineSettings
    from engine.trunk.group import TrunkGroup

log = structlog.get_logger("lines")


class Enrolment:
    """wanted: by line, also of those whose registrar is not found yet. Lines that take no calls out register,
    too: their carriers would not know where to send any.
    """

    def __init__(self, trunks: TrunkGroup) -> None:
        self._trunks = trunks
        self.wanted: dict[str, RegistrationSettings] = {}
        self._as: dict[str, LineSettings] = {}
        self._begun: dict[str, Registration] = {}
        self.leaving: set[str] = set()  # whose carriers have not yet said that we are gone

    def keep(self, now: float) -> None:
        """What lines want to be, as they are configured now: others are taken away."""
        lines = {line.name: line for line in self._trunks.switch.config.lines.values() if line.enabled}
        for name in list(self.wanted):
            if name not in lines or _account_of(lines[name]) != _account_of(self._as[name]):
                del self.wanted[name]
                self._end(name, now)
        for line in lines.values():
            settings = None if line.name in self.wanted else self._settings(line)
            if settings is not None:
                self.wanted[line.name], self._as[line.name] = settings, line
            self._trunks.exchange.registered(line.name, self.registered(line.name))

    def registered(self, name: str) -> bool:
        """Whether its carrier knows us, or need not."""
        begun = self._begun.get(name)
        return name not in self.wanted or (begun is not None and begun.registered)

    def _settings(self, line: LineSettings) -> RegistrationSettings | None:
        agent, user = self._trunks.switch.user_agent, line.contact_user
        account = self._trunks.account(line.name)
        return line.registration(lambda hop: agent.contact(user, hop), agent.settings.user_agent, account)

    def look(self, now: float) -> None:
        """Look registrars up; a mobile network's is reached by way of the line's addresses (P-CSCF)."""
        for name, settings in self.wanted.items():
            if not settings.home:
                found = partial(self._found, name, now=now)
                self._trunks.switch.resolver.resolve(settings.registrar, now, found)

    def reached(self, name: str, hops: Sequence[Hop], now: float) -> None:
        """A line's addresses were found."""
        if name in self.wanted and self.wanted[name].home:
            self._found(name, hops, now=now)

    def _found(self, name: str, hops: Sequence[Hop], *, now: float) -> None:
        """Nothing found changes nothing: a name server that is away takes no registration away."""
        begun = self._begun.get(name)
        if not hops:
            log.warning("registrar not found in the DNS", line=name)
        elif begun is not None:
            begun.use(hops)
            if begun.entry is not None and begun.entry not in hops:
                begun.unreachable(begun.entry, now)
        elif name in self.wanted:
            self._begun[name] = self._trunks.switch.user_agent.register(self.wanted[name], hops, now=now)

    def end(self, now: float) -> None:
        """Take all of them away."""
        self.wanted.clear()
        for name in list(self._begun):
            self._end(name, now)

    def _end(self, name: str, now: float) -> None:
        begun = self._begun.pop(name, None)
        if begun is not None:
            self.leaving.add(name)
            self._trunks.switch.user_agent.unregister(begun, now=now)

    def route(self, name: str) -> Sequence[str]:
        """The proxies that the carrier wants requests to pass (RFC 3608)."""
        begun = self._begun.get(name)
        return begun.route if begun is not None else ()

    def through(self, name: str) -> Hop | None:
        """The proxy of a mobile network that knows us, which no other knows of."""
        begun = self._begun.get(name)
        return begun.entry if begun is not None else None

    def unreachable(self, name: str, hop: Hop, now: float) -> None:
        """An address of a line says nothing any more."""
        begun = self._begun.get(name)
        if begun is not None:
            begun.unreachable(hop, now)

    def restore(self, name: str, now: float) -> None:
        """A mobile network has forgotten us: it is asked to know us again, once for all calls refused so."""
        begun = self._begun.get(name)
        if begun is not None and begun.entry is not None:
            begun.taken_back("Restoration", 0.0, now)
            begun.hurried()

    def domain(self, name: str) -> str:
        """Of the account at the carrier; "" where there is none."""
        wanted = self.wanted.get(name)
        return wanted.account.uri.host if wanted is not None else ""


def _account_of(line: LineSettings) -> object:
    """What a registration is made from."""
    return line.register, line.credentials, line.ims, line.addresses, line.transport
