"""How a word sounds in any language, in the phones that a recogniser of English knows.

espeak-ng tells pronunciations in the IPA. Each of its sounds is put down as the nearest of the 39 phones of
the CMU dictionary (ARPAbet), by place and manner of articulation; a sound between two has both, so that a
word may have several pronunciations. It is good enough to tell the few words of a closed vocabulary apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import product

MOST = 4  # pronunciations of a word

# Sounds of the IPA, and those phones that are nearest, the nearest first; "" for one that is not heard.
PHONES: dict[str, tuple[str, ...]] = {
    # vowels, from the front to the back
    "i": ("IY",), "y": ("UW", "IY"), "ɪ": ("IH",), "ʏ": ("UH", "IH"), "e": ("EH", "EY"), "ø": ("ER", "UH"),
    "ɛ": ("EH",), "œ": ("ER", "AH"), "æ": ("AE",), "a": ("AA", "AE"), "ɶ": ("AA",), "ä": ("AA", "AE"),
    "ɨ": ("IH",), "ʉ": ("UW",), "ɘ": ("AH",), "ɵ": ("UH",), "ə": ("AH",), "ɜ": ("ER", "AH"), "ɞ": ("ER",),
    "ɐ": ("AH", "AA"), "ɯ": ("UW",), "u": ("UW",), "ʊ": ("UH",), "ɤ": ("AH", "OW"), "o": ("OW", "AO"),
    "ʌ": ("AH",), "ɔ": ("AO",), "ɑ": ("AA",), "ɒ": ("AA", "AO"), "ᵻ": ("IH",), "ɚ": ("ER",), "ɝ": ("ER",),
    # stops and affricates
    "p": ("P",), "b": ("B",), "t": ("T",), "d": ("D",), "ʈ": ("T",), "ɖ": ("D",), "c": ("K", "CH"),
    "ɟ": ("G", "JH"), "k": ("K",), "ɡ": ("G",), "g": ("G",), "q": ("K",), "ɢ": ("G",), "ʔ": ("",),
    "tʃ": ("CH",), "dʒ": ("JH",), "tɕ": ("CH",), "dʑ": ("JH",), "ʈʂ": ("CH",), "ɖʐ": ("JH",), "tʂ": ("CH",),
    "dʐ": ("JH",), "ts": ("T S",), "dz": ("D Z",), "pf": ("P F",),
    # nasals and liquids
    "m": ("M",), "ɱ": ("M",), "n": ("N",), "ɳ": ("N",), "ɲ": ("N Y",), "ŋ": ("NG",), "ɴ": ("NG", "N"),
    "r": ("R",), "ɾ": ("D", "R"), "ɽ": ("D", "R"), "ʀ": ("R", "HH"), "ʁ": ("R", "HH"), "ɹ": ("R",),
    "ɻ": ("R",), "l": ("L",), "ɭ": ("L",), "ʎ": ("L Y", "Y"), "ʟ": ("L",), "ɫ": ("L",), "ɬ": ("SH", "L"),
    # fricatives and glides
    "ɸ": ("F",), "β": ("B", "V"), "f": ("F",), "v": ("V",), "θ": ("TH", "S"), "ð": ("DH", "D"), "s": ("S",),
    "z": ("Z",), "ʃ": ("SH",), "ʒ": ("ZH",), "ʂ": ("SH",), "ʐ": ("ZH", "R"), "ɕ": ("SH",), "ʑ": ("ZH",),
    "ç": ("SH", "HH"), "ʝ": ("Y", "JH"), "x": ("HH", "K"), "ɣ": ("G", "HH"), "χ": ("HH", "K"), "ħ": ("HH",),
    "ʕ": ("AA", ""), "h": ("HH",), "ɦ": ("HH",), "ʋ": ("V", "W"), "j": ("Y",), "ɰ": ("W",), "w": ("W",),
    "ɥ": ("W", "Y"), "ʍ": ("W",), "ɧ": ("SH",),
    # glides that end a vowel, as one phone where English has it
    "aɪ": ("AY",), "aʊ": ("AW",), "eɪ": ("EY",), "oʊ": ("OW",), "əʊ": ("OW",), "ɔɪ": ("OY",), "ɔø": ("OY",),
    "ai": ("AY",), "au": ("AW",), "ei": ("EY",), "oi": ("OY",), "ou": ("OW",), "ɑu": ("AW",), "ɑʊ": ("AW",),
    "ɐʊ": ("AW",), "ɐɪ": ("AY",), "oɪ": ("OY",), "oj": ("OY",), "aj": ("AY",), "ej": ("EY",),
    "uj": ("W IY", "UW IY"),
}  # fmt: skip
LONGEST = max(map(len, PHONES))
NASAL = "\N{COMBINING TILDE}"
WHOLE = (("c\N{COMBINING CEDILLA}", "ç"), ("a\N{COMBINING DIAERESIS}", "ä"))  # sounds of their own
OTHER = re.compile(r"\([a-z-]+\)")  # espeak-ng goes on in another language
SIGNS = re.compile(r"[ˈˌːˑ_‿|‖.\-ʰʲʷˠˤⁿˡᵝ˞ᵊʼ'0-9\s]|[\u02e5-\u02e9]")


def foreign(ipa: str) -> bool:
    """Whether espeak-ng could not read it and spelt it out in another language."""
    return OTHER.search(ipa) is not None


def pronunciations(ipa: str, most: int = MOST) -> tuple[str, ...]:
    """Phones with a space between, the nearest pronunciation first; empty where there is nothing to hear."""
    sounds = [PHONES[each] for each in _sounds(ipa)]
    first = tuple(each[0] for each in sounds)
    found = {_joined(first): None}
    # Speakers are consistent: each kind of sound is taken for the same phone in the whole word.
    kinds = list(dict.fromkeys(each for each in sounds if len(each) > 1))
    for choice in product(*kinds[:3]):
        taken = dict(zip(kinds, choice))
        found[_joined(taken.get(each, each[0]) for each in sounds)] = None
    return tuple(each for each in found if each)[:most]


def _joined(phones: Iterable[str]) -> str:
    return " ".join(each for each in phones if each)


def _sounds(ipa: str) -> list[str]:
    """Sounds of the table, and "n" after a vowel that is nasal, or two. What is not known is left out."""
    text = unicodedata.normalize("NFD", SIGNS.sub("", OTHER.sub("", ipa)))
    for apart, whole in WHOLE:
        text = text.replace(apart, whole)
    found, at = [], 0
    while at < len(text):
        length = next((n for n in range(LONGEST, 0, -1) if text[at : at + n] in PHONES), 1)
        sound = text[at : at + length]
        at += length
        if sound in PHONES:
            found.append(sound)
        elif sound == NASAL and found and text[at + 1 : at + 2] != NASAL:
            found.append("n")
    return found
