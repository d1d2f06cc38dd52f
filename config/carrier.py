"""Blocks of a line's file: where the carrier is, how we prove who we are, what numbers look like and who is
shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator

from config.mobile import AkaSettings, Word
from config.setting import Host, Port, SecretField, Text, Words, setting, settings, wrong
from routing.dial import Address, Target
from routing.identity import Assert, CallerId, Divert, Show
from routing.rewriting import Form, NumberStyle, Rewrite
from sip.aka import AkaCredentials
from sip.digest import Account, Credentials


def _number(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{5,14}", text):
        raise wrong(f"{text[:30]!r} is not an E.164 number", "write + and country code, in quotes")
    return text


def _beginning(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", text):
        raise wrong(f"{text[:30]!r} is not an E.164 prefix", "write + and the first digits, in quotes")
    return text


Number = Annotated[str, AfterValidator(_number), Words("E.164 number")]
Beginning = Annotated[str, AfterValidator(_beginning), Words("E.164 prefix")]
Dscp = Annotated[int, Ge(0), Le(63), Words("DSCP")]
Rank = Annotated[int, Ge(0), Le(65_535), Words("number")]
Weight = Annotated[float, Gt(0), Le(65_535), Words("number")]


@settings
class AddressSettings:
    host: Host = setting("Name or address of the gateway.")
    port: Port | None = setting("Its port; by SRV records, else 5060 or 5061, when left out.", default=None)
    priority: Rank = setting("The lowest is called first, as in SRV records.", default=10)
    weight: Weight = setting("Share of calls among addresses of one priority.", default=1.0)

    def value(self) -> Address:
        return Address(self.host, port=self.port or 0, priority=self.priority, weight=self.weight)


@settings
class CredentialSettings:
    user: Word = setting("User name, as the carrier gave it.")
    password: SecretField | None = setting("Password: {env: NAME} or {file: PATH}.", default=None)
    aka: AkaSettings | None = setting("Keys of a SIM card, in place of a password.", default=None)
    realm: Text = setting("Answer challenges of this realm alone; of any when empty.", default="")

    def value(self, user: str) -> Account:
        """As the SIP stack takes them, made once: a card remembers. user: whose they are."""
        if self.aka is not None:
            return AkaCredentials(user, self.aka.card(), self.realm or None)
        return Credentials(user, self.password.reveal() if self.password else "", self.realm or None)


@settings
class RegisterSettings:
    registrar: Host | None = setting(
        "Where to register; the line's first address when left out.", default=None
    )
    user: Word | None = setting(
        "Account that is registered; the user of `credentials` when left out.", default=None
    )
    domain: Host | None = setting("Domain of the account; the registrar's when left out.", default=None)
    expires_s: Annotated[int, Ge(60), Le(86_400)] = setting("Lifetime asked for, in seconds.", default=600)


@settings
class RuleSettings:
    match: Text = setting(
        "Digits, + * and #, with X for any digit, ... for any digits (once) and brackets around what is kept."
    )
    write: Text = setting("What it becomes; {1} is what stood in the first brackets.")


@settings
class StyleSettings:
    form: Form = setting(
        "`e164` (+442071838750), `digits` (the same without +), `dialled` (as dialled in the line's country: "
        "02071838750, 0034910601234) or `national` (as dialled at home, e164 abroad).",
        default=Form.E164,
    )
    rules: tuple[RuleSettings, ...] = setting(
        "The first that fits rewrites the number: going out after the form was made, coming in before it is "
        "read.",
        default=(),
    )
    examples: Mapping[str, str] = setting(
        "Numbers and what becomes of them, run by `isogloss check`; every rule needs one.", default={}
    )

    def value(self, country: str) -> NumberStyle:
        rules = tuple(Rewrite(each.match, each.write) for each in self.rules)
        return NumberStyle(self.form, country, rules=rules, examples=self.examples)


@settings
class NumberSettings:
    outgoing: StyleSettings = setting("How numbers are written to the carrier.", default=StyleSettings())
    incoming: StyleSettings = setting("How the carrier writes them to us.", default=StyleSettings())


@settings
class CallerIdSettings:
    number: Number | None = setting(
        "The line's own number, shown where the caller's may not be.", default=None
    )
    show: Show = setting(
        "`caller` (whoever calls), `listed` (the caller where `listed` has it, else the line's own) or "
        "`own` (always the line's).",
        default=Show.LISTED,
    )
    listed: tuple[Beginning, ...] = setting(
        "Beginnings of numbers that the carrier lets us show.", default=()
    )
    names: bool = setting("Send names beside numbers.", default=False)
    anonymous_from: bool = setting(
        "From of a caller who is not to be shown says `anonymous`, and the number is asserted to the network "
        "alone.",
        default=True,
    )
    asserted: Assert | None = setting(
        "Header that asserts the number to the network; `p-asserted-identity` for ip and "
        "`p-preferred-identity` for ims when left out.",
        default=None,
    )
    diverted: Divert = setting("Headers that tell who diverted a call.", default=Divert.NONE)
    trusted: bool = setting(
        "Believe what the carrier asserts of callers (P-Asserted-Identity); else From alone counts.",
        default=False,
    )

    def value(self, asserted: Assert = Assert.ASSERTED) -> CallerId:
        """asserted: where it is left out."""
        return CallerId(
            show=self.show,
            number=self.number or "",
            listed=self.listed,
            names=self.names,
            anonymous_from=self.anonymous_from,
            asserted=self.asserted or asserted,
            diverted=self.diverted,
            trusted=self.trusted,
        )


@settings
class DscpSettings:
    signalling: Dscp | None = setting(
        "DSCP of signalling, 24 (CS3) is usual; the system's when left out.", default=None
    )
    media: Dscp | None = setting("DSCP of sound, 46 (EF) is usual; the system's when left out.", default=None)


TARGETS = {"ip": Target.SIP, "ims": Target.TEL}
ASSERTS = {
    "ip": Assert.ASSERTED,
    "ims": Assert.PREFERRED,
}  # a P-CSCF takes no other of a terminal (TS 24.229 5.2.6)
