"""How a setting is declared: its type with limits, its default, and the sentence that documents it.

The dataclasses of `config.schema` are declared with these; `config.load` lets pydantic validate YAML into
them, and `config.reference` writes the operators' reference from the same sentences.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast, dataclass_transform

from annotated_types import Ge, Gt, Le, Len
from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from config.secret import Secret, SecretMissing, resolve
from routing.number import AgentTarget, Announce, Destination, Echo, LineTarget, QueueTarget, UriTarget

C = TypeVar("C")
REQUIRED = dataclasses.MISSING


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What a type is called in the reference and in errors; stands in its annotation."""

    text: str


def setting(help: str, *, default: Any = REQUIRED, derived: bool = False) -> Any:
    """A documented field. `derived` ones come from the file or key name, never from YAML."""
    metadata = {"help": help, "derived": derived}
    if isinstance(default, (dict, list)) or dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting,))
def settings(cls: type[C]) -> type[C]:
    """A frozen dataclass whose unknown keys are errors when it is read from YAML."""
    made = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
    cast(Any, made).__pydantic_config__ = {"extra": "forbid"}
    return made


def wrong(problem: str, remedy: str) -> PydanticCustomError:
    """A validation error that carries its own remedy."""
    return PydanticCustomError("isogloss", "{problem}", {"problem": problem, "remedy": remedy})


ALL = "*"
MONTH_S = 30 * 86_400
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MARKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise wrong(
            f"{text!r} is not a name", "use up to 64 of a–z, 0–9, '_', '-' and '.', a letter or digit first"
        )
    return text


def _queue_or_all(text: str) -> str:
    return text if text == ALL else _name(text)


def _market(text: str) -> str:
    if not _MARKET.fullmatch(text):
        raise wrong(f"{text!r} is no name of a market", "write one such as es-MX")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise wrong(
            f"{text!r} is not an IP address", "write one of this machine's, or 0.0.0.0 for all"
        ) from error


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not _HOST.fullmatch(text):
            raise wrong(
                f"{text!r} is not a host name", "write a DNS name or an IP address, without a port"
            ) from None
    return text.lower()


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise wrong(
            f"{text!r} is not a network ({error})", "write CIDR, for instance 192.0.2.0/24"
        ) from error


def _origin(text: str) -> str:
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise wrong(
            f"{text!r} is not the origin of a page", "write scheme and host, such as https://www.example.com"
        )
    return text.lower()


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise wrong(f"{text!r} is not a country", "write two capital letters of ISO 3166, for instance GB")
    return text


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise wrong(f"{text!r} is not a language", "write its code, for instance en, es or zh")
    return text


def _one_a_core(value: object) -> object:
    return 0 if value == "auto" else value


Name = Annotated[str, AfterValidator(_name), Words("name")]
QueueOrAll = Annotated[str, AfterValidator(_queue_or_all), Words("queue or *")]
MarketName = Annotated[str, AfterValidator(_market), Words("name of a market")]
Text = Annotated[str, Len(0, 256), Words("text")]
Address = Annotated[str, AfterValidator(_address), Words("IP address")]
Host = Annotated[str, AfterValidator(_host), Words("host name or IP address")]
Network = Annotated[str, AfterValidator(_network), Words("network")]
Country = Annotated[str, AfterValidator(_country), Words("country")]
Language = Annotated[str, AfterValidator(_language), Words("language")]
Port = Annotated[int, Ge(1), Le(65535), Words("port")]
Count = Annotated[int, Ge(0), Le(1_000_000), Words("number")]
Positive = Annotated[int, Ge(1), Le(1_000_000), Words("number")]
Processes = Annotated[int, BeforeValidator(_one_a_core), Ge(0), Le(64), Words("`auto` or number")]
Seconds = Annotated[float, Ge(0), Le(MONTH_S), Words("seconds")]
SomeSeconds = Annotated[float, Gt(0), Le(MONTH_S), Words("seconds")]
RingSeconds = Annotated[
    float, Gt(0), Le(180), Words("seconds")
]  # proxies give up after 180 (RFC 3261, timer C)
Transport = Literal["udp", "tcp", "tls", "ws", "wss"]
Origin = Annotated[str, AfterValidator(_origin), Words("origin")]
Encrypted = Literal["auto", "required", "preferred", "off"]
Profile = Literal["mobile-2g", "mobile-3g", "standard", "hd"]


def _secret(value: object, info: ValidationInfo) -> Secret:
    context = info.context or {}
    try:
        return resolve(value, context.get("env", {}), context.get("folder", Path()))
    except SecretMissing as error:
        raise wrong(error.problem, error.remedy) from error


_TARGETS: dict[str, Any] = {
    "queue": QueueTarget,
    "agent": AgentTarget,
    "uri": UriTarget,
    "announce": Announce,
    "line": LineTarget,
}
ANY_LINE, MOST_LINES = "*", 100


def destination(value: object) -> Destination:
    """What `{queue: NAME}` and its like mean. Raises PydanticCustomError."""
    choices = ", ".join([*(f"{{{kind}: …}}" for kind in _TARGETS), "{echo: true}"])
    if not isinstance(value, dict) or len(value) != 1:
        raise wrong("a destination has exactly one kind", f"write one of {choices}")
    kind, name = next(iter(value.items()))
    if kind == "echo":
        if name is not True:
            raise wrong(f"echo is {name!r}", "write {echo: true}")
        return Echo()
    if kind not in _TARGETS:
        raise wrong(f"{kind!r} is no kind of destination", f"write one of {choices}")
    if kind == "line":
        return LineTarget(_lines(name))
    if not isinstance(name, str) or not name:
        raise wrong(f"{kind} needs a name", f"write {{{kind}: NAME}}, in quotes if it is a number")
    if kind == "uri" and not re.fullmatch(r"sips?:[^\s@]+(@[^\s@]+)?", name):
        raise wrong(f"{name!r} is not a SIP address", "write sip:user@host")
    return cast(Destination, _TARGETS[kind](name))


def _lines(value: object) -> tuple[str, ...]:
    """One line's name, several, or all."""
    if value == ANY_LINE:
        return ()
    names: list[object] = value if isinstance(value, list) else [value]
    words = [name for name in names if isinstance(name, str) and name]
    if not words or len(words) < len(names) or len(words) > MOST_LINES:
        raise wrong("line needs names", "write {line: NAME}, {line: [NAME, NAME]} or {line: '*'} for all")
    return tuple(_name(word) for word in words)


SecretField = Annotated[Secret, PlainValidator(_secret), Words("secret reference")]
DestinationField = Annotated[Destination, PlainValidator(destination), Words("destination")]
