"""Words that have to agree with a term which was put in the place of another: its article, and its own
ending.

A translator does not know the gender of a placeholder. So the determiner right before it is put into the form
that the term's gender and number ask for; in German by its case, which the determiner itself or the
preposition before it tells. Languages without any of this are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from media.speech.language import primary

GENDERS = "mfn"
Cell = tuple[str, ...]

# Masculine, feminine, masculine plural, feminine plural.
ROMANCE: Mapping[str, tuple[Cell, ...]] = {
    "es": (
        ("el", "la", "los", "las"), ("un", "una", "unos", "unas"), ("del", "de la", "de los", "de las"),
        ("al", "a la", "a los", "a las"), ("este", "esta", "estos", "estas"), ("ese", "esa", "esos", "esas"),
        ("aquel", "aquella", "aquellos", "aquellas"), ("otro", "otra", "otros", "otras"),
        ("nuestro", "nuestra", "nuestros", "nuestras"), ("vuestro", "vuestra", "vuestros", "vuestras"),
        ("ningún", "ninguna", "ningunos", "ningunas"), ("algún", "alguna", "algunos", "algunas"),
        ("mi", "mi", "mis", "mis"), ("tu", "tu", "tus", "tus"), ("su", "su", "sus", "sus"),
    ),
    "fr": (
        ("le", "la", "les", "les"), ("un", "une", "des", "des"), ("du", "de la", "des", "des"),
        ("au", "à la", "aux", "aux"), ("ce", "cette", "ces", "ces"), ("mon", "ma", "mes", "mes"),
        ("ton", "ta", "tes", "tes"), ("son", "sa", "ses", "ses"), ("notre", "notre", "nos", "nos"),
        ("votre", "votre", "vos", "vos"), ("leur", "leur", "leurs", "leurs"),
        ("quel", "quelle", "quels", "quelles"), ("aucun", "aucune", "aucuns", "aucunes"),
    ),
    "pt": (
        ("o", "a", "os", "as"), ("um", "uma", "uns", "umas"), ("do", "da", "dos", "das"),
        ("no", "na", "nos", "nas"), ("ao", "à", "aos", "às"), ("pelo", "pela", "pelos", "pelas"),
        ("este", "esta", "estes", "estas"), ("esse", "essa", "esses", "essas"),
        ("deste", "desta", "destes", "destas"), ("nesse", "nessa", "nesses", "nessas"),
        ("meu", "minha", "meus", "minhas"), ("seu", "sua", "seus", "suas"),
        ("nosso", "nossa", "nossos", "nossas"), ("outro", "outra", "outros", "outras"),
        ("num", "numa", "nuns", "numas"), ("nenhum", "nenhuma", "nenhuns", "nenhumas"),
    ),
}  # fmt: skip
# French before a vowel or a mute h: what becomes what, the first two joined to the word.
ELIDED = {"le": "l'", "la": "l'", "de": "d'", "du": "de l'", "de la": "de l'", "au": "à l'", "à la": "à l'"}
LIAISON = {"ce": "cet", "ma": "mon", "ta": "ton", "sa": "son"}
VOWELS = "aeiouyhàâäéèêëîïôöûüœ"

# Nominative, accusative, dative, genitive; masculine, feminine, neuter, plural.
GERMAN: tuple[tuple[Cell, ...], ...] = (
    (("der", "die", "das", "die"), ("den", "die", "das", "die"),
     ("dem", "der", "dem", "den"), ("des", "der", "des", "der")),
    (("dieser", "diese", "dieses", "diese"), ("diesen", "diese", "dieses", "diese"),
     ("diesem", "dieser", "diesem", "diesen"), ("dieses", "dieser", "dieses", "dieser")),
    *(
        ((stem, f"{stem}e", stem, f"{stem}e"), (f"{stem}en", f"{stem}e", stem, f"{stem}e"),
         (f"{stem}em", f"{stem}er", f"{stem}em", f"{stem}en"),
         (f"{stem}es", f"{stem}er", f"{stem}es", f"{stem}er"))
        for stem in ("ein", "kein", "mein", "dein", "sein", "ihr", "unser")
    ),
    (("euer", "eure", "euer", "eure"), ("euren", "eure", "euer", "eure"),
     ("eurem", "eurer", "eurem", "euren"), ("eures", "eurer", "eures", "eurer")),
)  # fmt: skip
NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE = range(4)
RULED = {
    **dict.fromkeys(("mit", "von", "zu", "bei", "nach", "aus", "seit", "gegenüber"), DATIVE),
    **dict.fromkeys(("für", "ohne", "gegen", "durch", "um"), ACCUSATIVE),
    **dict.fromkeys(("wegen", "während", "trotz", "statt"), GENITIVE),
}
FUSED = {
    "zum": "zu dem",
    "zur": "zu der",
    "vom": "von dem",
    "beim": "bei dem",
    "im": "in dem",
    "ins": "in das",
}
FUSE = {spread: fused for fused, spread in FUSED.items()}


class Fit(NamedTuple):
    """before: the text up to the term, with its determiner in order. case: of German."""

    before: str
    case: int = NOMINATIVE


def fitted(before: str, word: str, gender: str, plural: bool, language: str) -> Fit:
    """The text before a term, so that it agrees with the term. gender: "" leaves it as it is, but for what
    the first letter asks for.
    """
    tongue = primary(language)
    if tongue in ROMANCE:
        fit = _romance(before, gender, plural, ROMANCE[tongue])
        return Fit(_french(fit, word)) if tongue == "fr" else Fit(fit)
    if tongue == "de":
        return _german(before, gender, plural)
    if tongue == "en":
        return Fit(_english(before, word))
    return Fit(before)


def many(word: str, language: str) -> str:
    """The plural that most words of a language have; the word itself where that cannot be told."""
    tongue = primary(language)
    if tongue not in ("en", "es", "fr", "pt") or not word or word.isupper():
        return word
    last = word[-1].lower()
    if tongue == "en" and re.search(r"(s|x|z|ch|sh)$", word):
        return f"{word}es"
    if tongue == "en" and re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    if tongue == "es" and last not in "aeiouáéó":
        return f"{word}es"
    if last in "sxz" or (tongue == "pt" and last in "mlrãn"):
        return word
    return f"{word}s"


def declined(one: str, plural: str, genitive: str, gender: str, case: int, is_plural: bool) -> str:
    """A German noun in a case."""
    if is_plural:
        return f"{plural}n" if case == DATIVE and plural[-1:].lower() not in "ns" else plural
    if case == GENITIVE and gender in ("m", "n"):
        return genitive or f"{one}s"
    return one


def _romance(before: str, gender: str, plural: bool, table: Iterable[Cell]) -> str:
    if gender not in ("m", "f") and not plural:
        return before
    column = (2 if plural else 0) + (gender == "f")
    for count in (2, 1):
        head, words = _last(before, count)
        for row in table:
            if words.lower() in row:
                at = column if gender in ("m", "f") else 2 + (row.index(words.lower()) % 2)
                return f"{head}{_cased(row[at], words)} "
    return before


def _french(before: str, word: str) -> str:
    """Elision, and its absence."""
    vowel = word[:1].lower() in VOWELS and not word[:2].isupper()
    head, words = _last(before, 2)
    for count in (2, 1):
        head, words = _last(before, count)
        if vowel and words.lower() in ELIDED:
            return f"{head}{_cased(ELIDED[words.lower()], words)}"
        if vowel and words.lower() in LIAISON:
            return f"{head}{_cased(LIAISON[words.lower()], words)} "
    return before


def _german(before: str, gender: str, plural: bool) -> Fit:
    head, word = _last(before, 1)
    spread = FUSED.get(word.lower(), "")
    if spread:
        preposition, word = spread.split()
        head = f"{head}{_cased(preposition, _last(before, 1)[1])} "
    ruled = RULED.get(_last(head, 1)[1].lower())
    for cases in GERMAN:
        fits = [case for case in range(4) if word.lower() in cases[case]]
        if not fits:
            continue
        case = ruled if ruled is not None else fits[0]
        if gender not in GENDERS or not (gender or plural):
            return Fit(before, case)
        cell = cases[case][3 if plural else GENDERS.index(gender)]
        if plural and word.lower().startswith("ein"):
            return Fit(head, case)
        return Fit(_fused(head, cell, word) if spread else f"{head}{_cased(cell, word)} ", case)
    return Fit(before, ruled if ruled is not None else NOMINATIVE)


def _fused(head: str, cell: str, word: str) -> str:
    start, preposition = _last(head, 1)
    together = FUSE.get(f"{preposition.lower()} {cell}")
    return f"{start}{_cased(together, preposition)} " if together else f"{head}{_cased(cell, word)} "


def _english(before: str, word: str) -> str:
    head, article = _last(before, 1)
    if article.lower() not in ("a", "an"):
        return before
    right = "an" if re.match(r"[aeio]|u(?!ni|s[eua])|[AEFHILMNORSX](?=[A-Z])", word) else "a"
    return f"{head}{_cased(right, article)} "


def _last(before: str, count: int) -> tuple[str, str]:
    """The text before its last words, and these, without the space after them."""
    found = re.search(rf"((?:[^\W\d_]+\s+){{{count}}})$", before)
    if found is None:
        return before, ""
    return before[: found.start()], " ".join(found[1].split())


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
