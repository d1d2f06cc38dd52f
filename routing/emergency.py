"""Which numbers are emergency numbers: those of the caller's country, and those that the operator adds.

They always pass: no cap, hour, price, budget or circuit keeps such a call from a line that may carry it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from phonenumbers import shortnumberinfo

from routing.number import bare

SOS = "urn:service:sos"  # any service that helps (RFC 5031 section 4.2)
EVERYWHERE = frozenset({"112", "911"})  # of every GSM phone, in every network (3GPP TS 22.101 section 10.1.1)
# Others that are for every service alike.
GENERAL = {"AU": "000", "GB": "999", "HK": "999", "IE": "999", "NZ": "111", "SG": "999"}


def service(number: str, country: str) -> str:
    """The service that an emergency number of a country is for, as a URN; "" for one that is for the police
    or a fire brigade alone, which its network knows better.
    """
    return SOS if number in EVERYWHERE or GENERAL.get(country) == number else ""


def is_emergency(dialled: str, country: str, more: Collection[str] = ()) -> bool:
    """Whether a number dialled in `country` (ISO 3166) calls for help. more: numbers that count as well."""
    text = bare(dialled)
    return text in more or text in EVERYWHERE or _known(text, country)


@lru_cache(maxsize=4096)
def _known(text: str, country: str) -> bool:
    # Those alone that are the number and no more: 999 is one, 9991 rings somebody.
    return (
        len(text) <= 6
        and text.isascii()
        and text.isdigit()
        and bool(shortnumberinfo.is_emergency_number(text, country))
    )
