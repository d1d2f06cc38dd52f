"""What must hold of lines: of one by itself, and of all of them together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from config.carrier import CredentialSettings, StyleSettings
from config.fault import Fault
from config.fault import Path as SettingPath
from config.line import LineSettings
from config.mobile import is_key
from config.parts import Parts, sound
from config.references import destination_faults, prompts_of
from config.secret import Secret
from config.tariff import twice
from routing.identity import Show
from routing.rewriting import Rewrite, readable
from sip.errors import Malformed
from sip.uri import Uri


def line_faults(parts: Parts) -> Iterator[Fault]:
    """Every fault in and between the sound lines of a configuration."""
    for name, line in sound(parts.lines):
        file = f"lines/{name}"
        more = parts.routing.emergency_numbers if parts.routing else ()
        for path, problem, remedy in (*_alone(line), *_probe(line, more)):
            yield parts.fault(file, path, problem, remedy)
        known = prompts_of(parts, parts.node.language if parts.node else "en")
        for did, target in line.dids.items():
            yield from destination_faults(parts, file, ("dids", did), target, known)
    yield from _sources(parts)
    yield from _percentages(parts)


Wrong = tuple[SettingPath, str, str]


def _alone(line: LineSettings) -> Iterator[Wrong]:
    yield from _ways(line)
    yield from _proof(line)
    yield from _kind(line)
    yield from _style(("numbers", "outgoing"), line.numbers.outgoing, line, outgoing=True)
    yield from _style(("numbers", "incoming"), line.numbers.incoming, line, outgoing=False)
    yield from _caller_id(line)
    yield from _tariff(line)
    if len(set(line.codecs)) < len(line.codecs):
        yield ("codecs",), "names a codec twice", "keep the first of them"
    if line.only_dids and not line.dids:
        yield ("only_dids",), "refuses every call: there are no dids", "name dids, or write only_dids: false"


def _probe(line: LineSettings, emergency: Collection[str]) -> Iterator[Wrong]:
    if line.probe is not None:
        yield from line.probe.faults(line.country, bool(line.addresses), emergency)


def _ways(line: LineSettings) -> Iterator[Wrong]:
    """Calls have to come in over it, or go out."""
    if line.enabled and not line.sources and not line.addresses:
        remedy = "name the networks of its gateway in sources, or write enabled: false"
        yield (
            (),
            "has no sources: no call could come from it",
            f"{remedy}; or addresses, for calls that go out",
        )
    seen: set[tuple[str, int | None]] = set()
    for at, address in enumerate(line.addresses):
        if (address.host, address.port) in seen:
            yield ("addresses", at), f"{address.host} is named twice", "keep one of the two"
        seen.add((address.host, address.port))
        if address.host in ("0.0.0.0", "::"):
            yield ("addresses", at, "host"), "is nobody's address", "write the gateway's"


def _proof(line: LineSettings) -> Iterator[Wrong]:
    """Who registers has a password and somewhere to go; the password is the carrier's."""
    if line.register is not None:
        if line.credentials is None:
            yield ("register",), "has no credentials", "add credentials with user and password"
        if not line.register.registrar and not line.addresses and line.ims is None:
            yield ("register",), "leads nowhere", "name its registrar, or an address of the line"
    if line.credentials is not None:
        yield from _credentials(line, line.credentials)


def _credentials(line: LineSettings, proof: CredentialSettings) -> Iterator[Wrong]:
    """A password, or a card's keys, and they are as the carrier gave them."""
    at, aka = ("credentials",), proof.aka
    if (proof.password is None) == (aka is None):
        problem = "has no password" if aka is None else "has a password and a card's keys"
        yield at, problem, "write password, or aka with k and opc"
    if aka is not None:
        if (aka.opc is None) == (aka.op is None):
            problem = "has neither opc nor op" if aka.op is None else "has both opc and op"
            yield (*at, "aka"), problem, "write opc, as it stands beside the key of the card"
        if line.ims is None:
            yield (*at, "aka"), "is for mobile networks", "write kind: ims and a block ims, or a password"
    secrets: dict[SettingPath, Secret | None] = {("password",): proof.password}
    if aka is not None:
        secrets |= {("aka", "k"): aka.k, ("aka", "opc"): aka.opc, ("aka", "op"): aka.op}
    for path, secret in secrets.items():
        if secret is None:
            continue
        if line.enabled and secret.generated:
            remedy = "write {env: NAME} or {file: PATH}"
            yield (*at, *path), "is the carrier's to give, it cannot be made up", remedy
        elif path[0] == "aka" and not is_key(secret):
            yield (*at, *path), "is no key", "give it 32 hexadecimal digits, without spaces"


def _kind(line: LineSettings) -> Iterator[Wrong]:
    if line.kind == "ims" and line.ims is None:
        yield ("kind",), "has no block ims", "add ims with domain and public_identity, or write kind: ip"
    if line.kind == "ip" and line.ims is not None:
        yield ("ims",), "is without effect on a line of kind ip", "write kind: ims, or remove the block"
    if line.ims is not None:
        try:
            readable_identity = Uri.parse(line.ims.public_identity).scheme in ("sip", "sips", "tel")
        except Malformed:
            readable_identity = False
        if not readable_identity:
            problem = f"{line.ims.public_identity!r} is no SIP or tel URI"
            yield ("ims", "public_identity"), problem, "write sip:+NUMBER@DOMAIN or tel:+NUMBER"


def _style(path: SettingPath, style: StyleSettings, line: LineSettings, *, outgoing: bool) -> Iterator[Wrong]:
    """Rules have to be readable and shown at work; examples have to come true."""
    unreadable = False
    for at, rule in enumerate(style.rules):
        for bad in readable(Rewrite(rule.match, rule.write)):
            unreadable = True
            yield (*path, "rules", at), bad.problem, bad.remedy
    if unreadable:
        return
    value = style.value(line.country)
    for at in value.unproven(outgoing=outgoing):
        remedy = "add one to examples: what is given and what becomes of it"
        yield (*path, "rules", at), "no example shows it at work", remedy
    for given, came in value.broken(outgoing=outgoing):
        problem = f"{given} becomes {came}, not {style.examples[given]}"
        yield (*path, "examples", given), problem, "correct the rule or the example"


def _caller_id(line: LineSettings) -> Iterator[Wrong]:
    policy = line.caller_id
    if line.calls_out and policy.show is not Show.CALLER and policy.number is None:
        remedy = "add caller_id.number, the line's own, or write show: caller"
        yield ("caller_id",), "callers that may not be shown have no number to stand for them", remedy
    if policy.listed and policy.show is not Show.LISTED:
        yield ("caller_id", "listed"), f"is without effect with show: {policy.show}", "remove it"


def _tariff(line: LineSettings) -> Iterator[Wrong]:
    for at, prefix in enumerate(line.barred):
        if prefix in line.takes:
            yield ("barred", at), f"{prefix} is in takes as well", "keep one of the two"
    for at in twice(line.rates):
        problem = f"{line.rates[at].prefix} has a rate for these hours already"
        yield ("rates", at), problem, "keep one of the two"


def _sources(parts: Parts) -> Iterator[Fault]:
    """Each network is one line's, or nobody could tell whose calls come from it."""
    owners: list[tuple[str, IPv4Network | IPv6Network]] = []
    for name, line in sound(parts.lines):
        file = f"lines/{name}"
        for at, source in enumerate(line.sources):
            network = ip_network(source)
            if network.prefixlen == 0:
                remedy = "name the networks of the gateway"
                yield parts.fault(file, ("sources", at), f"{source} lets everybody in", remedy)
            for other, known in owners if line.enabled else ():
                if other != name and network.version == known.version and network.overlaps(known):
                    problem = f"{source} belongs to line '{other}' as well ({known})"
                    yield parts.fault(file, ("sources", at), problem, "give each network to one line")
            if line.enabled:
                owners.append((name, network))


def _percentages(parts: Parts) -> Iterator[Fault]:
    """More than all calls of a priority cannot be promised."""
    promised: dict[int, float] = {}
    for name, line in sound(parts.lines):
        if line.calls_out and line.percent:
            total = promised[line.priority] = promised.get(line.priority, 0.0) + line.percent
            if total > 100:
                problem = f"lines of priority {line.priority} are promised {total:g} % together"
                yield parts.fault(f"lines/{name}", ("percent",), problem, "let them come to 100 or less")
