"""Which numbers are a card's, an account's or somebody's papers, by their forms and their check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from engine.access import numerals

# Papers of the shipped markets, as they are written there.
PAPERS: Mapping[str, tuple[str, ...]] = {
    "ar-SA": (r"[12]\d{9}",),  # national identity, iqama
    "de-DE": (r"(?=\w{0,8}\d\w{0,8}\d)[CFGHJ-NPRTV-Z][CFGHJ-NPRTV-Z0-9]{8}\d?", r"\d{11}"),  # card, tax
    "en-GB": (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ ]?\d{2}){3}[ ]?[A-D]",),  # National Insurance
    "en-US": (r"\d{3}-\d{2}-\d{4}",),  # Social Security
    "es-ES": (r"\d{8}[ -]?[A-Z]", r"[XYZ][ -]?\d{7}[ -]?[A-Z]"),  # DNI, NIE
    "es-MX": (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}"),  # CURP, RFC
    "fr-FR": (r"[12][ ]?\d{2}[ ]?\d{2}[ ]?(?:\d{2}|2[AB])(?:[ ]?\d{3}){2}(?:[ ]?\d{2})?",),  # NIR
    "ja-JP": (r"\d{4}[ -]?\d{4}[ -]?\d{4}",),  # My Number
    "pt-BR": (r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",),  # CPF
    "zh-CN": (r"\d{17}[\dX]",),  # resident identity
}
LETTERED = "|".join(
    dict.fromkeys(shape for shapes in PAPERS.values() for shape in shapes if re.search("[A-Z]", shape))
)
SHORTEST, SHORTEST_IBAN = 9, 15
E164 = 15  # digits of the longest telephone number
ABROAD = "00"  # instead of its plus, in most countries

# Of digits alone, and known by their groups: Social Security, My Number, CPF.
_GROUPED = re.compile(
    r"(?<!\d)(?:\d{3}([- ])\d{2}\1\d{4}|\d{4}([- ])\d{4}\2\d{4}|\d{3}\.\d{3}\.\d{3}[- ]?\d{2})(?!\d)"
)
_BIRTH = re.compile(r"[12]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)\d{8}")  # NIR without its key
_PAUSE = re.compile(rf"[,،、，。;…‐-―−\n\r{numerals.JOIN}]|[.](?=\s)|[ ][-/·•][ ]")
_FIGURES = re.compile(r"\d(?:[ .\-/()\u00a0]{0,2}\d)*")
_GROUP = re.compile(r"\d+")


def secret(run: str) -> bool:
    """Whether digits and what stands between them are a card or papers rather than a telephone number.

    What is longer than any telephone number is taken for a card of which a digit was misheard. Other numbers
    may stand around what is looked for ("room 5, 529.982.247-25"), so each part is tried by itself as well.
    """
    whole = numerals.value(run)
    abroad = run.startswith("+") or whole.startswith(ABROAD)
    if len(whole) <= E164 + (len(ABROAD) if whole.startswith(ABROAD) else 0) and abroad:
        return False
    if len(whole) >= E164:
        return True
    if len(whole) < SHORTEST:
        return False
    return bool(_GROUPED.search(run)) or any(map(_secret, {whole, *_parts(run)}))


def right_card(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B, of the lengths and beginnings that payment cards have."""
    return 13 <= len(digits) <= 19 and "2" <= digits[0] <= "6" and _luhn(digits)


def account(words: str) -> int:
    """Where the IBAN ends that these words begin with, the longest there is; 0 where none does. ISO 7064,
    MOD 97-10, in one pass: the first four signs come last in what is divided.
    """
    head, rest, count, end = "", 0, 0, 0
    for at, sign in enumerate(words):
        if not sign.isalnum():
            continue
        count += 1
        if count <= 4:
            head += str(int(sign, 36))
            continue
        rest = (rest * (100 if sign.isalpha() else 10) + int(sign, 36)) % 97
        whole = at + 1 == len(words) or not words[at + 1].isalnum()
        if whole and count >= SHORTEST_IBAN and int(f"{rest}{head}") % 97 == 1:
            end = at + 1
    return end


def _parts(run: str) -> Iterator[str]:
    yield from map(numerals.value, _PAUSE.split(run))
    for pattern in (_FIGURES, _GROUP):
        yield from map(numerals.value, pattern.findall(run))


def _secret(digits: str) -> bool:
    right = _RIGHT.get(len(digits))
    return right is not None and right(digits)


def _luhn(digits: str) -> bool:
    figures = list(map(int, digits))
    doubled = [sum(divmod(2 * each, 10)) for each in figures[-2::-2]]
    return (sum(figures[-1::-2]) + sum(doubled)) % 10 == 0


def _saudi(digits: str) -> bool:
    return digits[0] in "12" and _luhn(digits)


def _german_tax(digits: str) -> bool:
    """ISO 7064, MOD 11,10; of the first ten digits one comes twice or thrice, and no other again."""
    often = sorted(map(digits[:10].count, set(digits[:10])))
    if digits[0] == "0" or often[-1] not in (2, 3) or often[-2] > 1:
        return False
    kept = 10
    for each in digits[:10]:
        kept = 2 * ((kept + int(each)) % 10 or 10) % 11
    return (11 - kept) % 10 == int(digits[10])


def _cpf(digits: str) -> bool:
    """Two check digits, each of all before it."""
    for count in (9, 10):
        weighed = sum(int(each) * (count + 1 - at) for at, each in enumerate(digits[:count]))
        if weighed * 10 % 11 % 10 != int(digits[count]):
            return False
    return True


def _my_number(digits: str) -> bool:
    weights = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
    rest = sum(int(each) * weight for each, weight in zip(digits, weights)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(digits[11])


def _card_within(digits: str) -> bool:
    """A card of 13 digits or more, that another digit may have come to."""
    starts = range(len(digits) - 12)
    return any(right_card(digits[at:end]) for at in starts for end in range(at + 13, len(digits) + 1))


_RIGHT: Mapping[int, Callable[[str], bool]] = {
    10: _saudi,
    11: lambda digits: _cpf(digits) or _german_tax(digits),
    12: _my_number,
    13: lambda digits: bool(_BIRTH.fullmatch(digits)) or _card_within(digits),
    14: _card_within,
}
