"""Three letters for a language where two are usual: ISO 639-3 as programs have it, and the tag (BCP 47)."""

from __future__ import annotations

# RFC 5646 section 2.2.1: the shorter one where there are two.
SHORT = {
    "afr": "af", "ara": "ar", "arg": "an", "bel": "be", "ben": "bn", "bre": "br", "bul": "bg", "cat": "ca",
    "ces": "cs", "cym": "cy", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "epo": "eo", "est": "et",
    "eus": "eu", "fao": "fo", "fin": "fi", "fra": "fr", "gle": "ga", "glg": "gl", "hbs": "sh", "heb": "he",
    "hin": "hi", "hrv": "hr", "hun": "hu", "ind": "id", "isl": "is", "ita": "it", "kaz": "kk", "lat": "la",
    "lav": "lv", "lit": "lt", "mkd": "mk", "mlt": "mt", "msa": "ms", "nld": "nl", "nno": "nn", "nob": "nb",
    "oci": "oc", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "slk": "sk", "slv": "sl", "sme": "se",
    "spa": "es", "sqi": "sq", "srd": "sc", "srp": "sr", "swe": "sv", "tat": "tt", "tur": "tr", "ukr": "uk",
    "urd": "ur", "zho": "zh",
}  # fmt: skip
