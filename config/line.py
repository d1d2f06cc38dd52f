"""lines/*.yaml as values: one line (trunk) a file, named by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from config.carrier import (
    ASSERTS,
    TARGETS,
    AddressSettings,
    Beginning,
    CallerIdSettings,
    CredentialSettings,
    DscpSettings,
    Number,
    NumberSettings,
    Rank,
    RegisterSettings,
    Weight,
)
from config.hours import WindowField, Zone
from config.media import CodecName
from config.mobile import ImsSettings
from config.probe import ProbeSettings
from config.setting import (
    Count,
    Country,
    DestinationField,
    Encrypted,
    MarketName,
    Name,
    Network,
    Profile,
    Seconds,
    setting,
    settings,
)
from config.sound import LineSound
from config.tariff import RateSettings
from routing.board import LineSpec
from routing.dial import Target, Terms
from routing.rate import Rate, Tariff
from routing.window import schedule
from sip.digest import Account
from sip.hop import Hop
from sip.manner import PLAIN
from sip.registration import RegistrationSettings
from sip.uri import NameAddr, Uri, escape_user

IMS_OPTIONS = ("100rel", "timer")


@settings
class LineSettings:
    name: Name = setting("The line's name, from the file's.", derived=True)
    enabled: bool = setting("Take calls from the line, and send calls over it.", default=True)
    kind: Literal["ip", "ims"] = setting(
        "`ip` for a gateway or carrier, `ims` for a mobile network.", default="ip"
    )
    country: Country = setting("Country whose national number format the line uses.")
    market: MarketName | None = setting("Market its calls belong to; the node's when left out.", default=None)
    region: Name | None = setting(
        "Where its gateway is, in the words of node.yaml; calls prefer lines of their region, and calls that "
        "must stay in one take no line that does not say.",
        default=None,
    )
    regions: tuple[Name, ...] = setting("Regions whose calls it takes; all when empty.", default=())
    profile: Profile | None = setting(
        "What its networks carry, as in media.yaml; the region's when left out.", default=None
    )
    codecs: tuple[CodecName, ...] = setting(
        "Codecs of its calls, best first; when empty the node's, over a mobile network AMR-WB and AMR.",
        default=(),
    )
    srtp: Encrypted = setting(
        "Encryption of its calls' sound, as in media.yaml: `auto`, `required`, `preferred` or `off`.",
        default="auto",
    )
    sound: LineSound = setting("What is done with the sound of its callers.", default=LineSound())
    dscp: DscpSettings = setting("Marks of its packets for the network.", default=DscpSettings())

    sources: tuple[Network, ...] = setting("Networks its calls come from.", default=())
    dids: Mapping[Number, DestinationField] = setting(
        "Numbers that are called over it, each with its destination; before those of numbers.yaml.",
        default={},
    )
    only_dids: bool = setting("Calls to other numbers over it are refused (404).", default=False)

    addresses: tuple[AddressSettings, ...] = setting(
        "Where calls are sent; none: no calls go out over it.", default=()
    )
    transport: Literal["auto", "udp", "tcp", "tls"] = setting(
        "`udp`, `tcp`, `tls`, or `auto` for what DNS says (NAPTR and SRV, RFC 3263).", default="auto"
    )
    register: RegisterSettings | None = setting(
        "Register with the carrier; a line that is known by our address needs none.", default=None
    )
    credentials: CredentialSettings | None = setting(
        "What we answer the carrier's challenges with.", default=None
    )
    ims: ImsSettings | None = setting("Of a line of kind `ims`.", default=None)
    target: Target | None = setting(
        "How the callee is named: `sip` (sip:number@host), `sip-phone` (the same with user=phone) or `tel` "
        "(tel:number); `sip` for ip and `tel` for ims when left out.",
        default=None,
    )
    numbers: NumberSettings = setting("How numbers are written.", default=NumberSettings())
    caller_id: CallerIdSettings = setting("Who is shown as the caller.", default=CallerIdSettings())
    early_media_rings: bool | None = setting(
        "A 183 with sound may mean that the callee's phone rings: no other line is tried after it; true "
        "for ip and false for ims when left out. Sound that P-Early-Media authorises always may.",
        default=None,
    )
    options_every_s: Seconds | None = setting(
        "Seconds between questions (OPTIONS) while nothing is heard of it; 0 where none are wanted; as in "
        "routing.yaml when left out.",
        default=None,
    )

    priority: Rank = setting("Lines of the lowest number are tried first, as in SRV records.", default=10)
    weight: Weight = setting("Share of calls among lines that are as good.", default=1.0)
    percent: Annotated[float, Ge(0), Le(100)] = setting(
        "Share of its priority's calls that it is promised, whatever they cost; 0 for none.", default=0.0
    )
    max_calls: Count = setting("Channels: calls at once, both ways; 0 for no cap.", default=0)
    max_calls_per_s: Annotated[int, Ge(0), Le(1000)] = setting(
        "Calls sent in any one second; 0 for no cap.", default=0
    )
    takes: tuple[Beginning, ...] = setting("Beginnings of numbers it takes; all when empty.", default=())
    barred: tuple[Beginning, ...] = setting(
        "Beginnings of numbers it does not take; of both lists the longest counts.", default=()
    )
    zone: Zone = setting("Time zone of its hours and of those of its rates.", default="UTC")
    hours: tuple[WindowField, ...] = setting(
        "When calls may go over it, such as `mon-fri 08:00-18:00`; always when empty.", default=()
    )
    rates: tuple[RateSettings, ...] = setting(
        "What calls cost. A line with rates takes no number that it has none for.", default=()
    )
    rate_list: Path | None = setting(
        "The carrier's rates as CSV, beside those of `rates`: prefix, per_minute, per_call, hours.",
        default=None,
    )
    emergency: bool = setting("It may carry emergency calls, of its country first.", default=True)
    probe: ProbeSettings | None = setting("Calls that are placed over it to see how it does.", default=None)

    @property
    def calls_out(self) -> bool:
        return self.enabled and bool(self.addresses)

    def spec(self, listed: tuple[Rate, ...] = ()) -> LineSpec:
        """As choosing sees it. listed: rates of its `rate_list`."""
        rates = (*(each.value(self.zone) for each in self.rates), *listed)
        return LineSpec(
            name=self.name,
            kind=self.kind,
            enabled=self.calls_out,
            country=self.country,
            region=self.region or "",
            regions=frozenset(self.regions),
            hours=schedule(self.hours, self.zone) if self.hours else None,
            tariff=Tariff(takes=self.takes, barred=self.barred, rates=rates),
            priority=self.priority,
            weight=self.weight,
            percent=self.percent,
            max_calls=self.max_calls,
            max_calls_per_s=self.max_calls_per_s,
            emergency=self.emergency,
        )

    def terms(self) -> Terms:
        """How calls go over it, and come."""
        rings = self.early_media_rings
        return Terms(
            transport="" if self.transport == "auto" else self.transport,
            addresses=tuple(each.value() for each in self.addresses),
            target=self.target or TARGETS[self.kind],
            domain=self.ims.domain if self.ims else "",
            outgoing=self.numbers.outgoing.value(self.country),
            incoming=self.numbers.incoming.value(self.country),
            caller_id=self.caller_id.value(ASSERTS[self.kind]),
            codecs=self.codecs,
            srtp=self.srtp,
            signalling_dscp=self.dscp.signalling,
            media_dscp=self.dscp.media,
            extensions=IMS_OPTIONS if self.ims else (),
            preconditions=self.ims is not None and self.ims.preconditions,
            access_network=(self.ims.access_network or "") if self.ims else "",
            early_media_rings=rings if rings is not None else self.kind == "ip",
            options_every_s=self.options_every_s,
            dids=self.dids,
            only_dids=self.only_dids,
            services=self.kind == "ims",
        )

    def account(self) -> Account | None:
        """What challenges are answered with, of registrations and of calls; to be made once."""
        if self.credentials is None:
            return None
        ims = self.ims
        return self.credentials.value(user=(ims and ims.private_identity) or self.credentials.user)

    @property
    def contact_user(self) -> str:
        """Of the Contact that we register; "" where we do not."""
        if self.register is None:
            return ""
        if self.ims is not None:
            return Uri.parse(self.ims.public_identity).user
        account = self.register.user or (self.credentials.user if self.credentials else "")
        return escape_user(account.partition("@")[0]) or self.name

    def registration(
        self, contact: Callable[[Hop], Uri], user_agent: str, account: Account | None = None
    ) -> RegistrationSettings | None:
        """How we register with the carrier; None where we do not.

        contact: our address over a hop. account: that of the line's calls, where there are any.
        """
        if self.register is None or self.credentials is None:
            return None
        host, port = self._registrar(self.register)
        own = Uri.sip(self.register.user or self.credentials.user, self.register.domain or host)
        # A mobile network is named by its domain alone; the way there is by the line's addresses.
        named = self.transport == "auto" or self.ims is not None
        through = {} if named else {"transport": self.transport}
        return RegistrationSettings(
            line=self.name,
            registrar=Uri.sip("", host, port, **through),
            account=NameAddr("", Uri.parse(self.ims.public_identity) if self.ims else own),
            contact=contact,
            credentials=account or self.account(),
            expires=self.register.expires_s,
            user_agent=user_agent,
            manner=self.ims.registering() if self.ims else PLAIN,
            home=self.ims.domain if self.ims else "",
        )

    def _registrar(self, register: RegisterSettings) -> tuple[str, int | None]:
        if register.registrar:
            return register.registrar, None
        if self.ims is not None:
            return self.ims.domain, None
        return self.addresses[0].host, self.addresses[0].port
