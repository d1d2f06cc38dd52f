"""Which numbers are emergency numbers: those of the caller's country, and those that the operator adds.

They always pass: no cap, hour, price, budget or circuit keeps such a call from a line that may carry it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from phonenumbers import shortnumberinfo

from routing.number import bare

EVERYWHERE = frozenset({"112", "911"})  # of every GSM phone, in every network (3GPP TS 22.101 section 10.1.1)


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
