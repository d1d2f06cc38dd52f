"""What may be said, and which voice is nearest to a language."""

from __future__ import annotations

import pytest

from media.speech.voice import MOST_CHARACTERS, VoiceFault, nearest, sayable


def test_a_text_becomes_one_line_of_writing():
    assert sayable(" Guten\tTag,\n\x00Frau \u2028Müller \ue000 ") == "Guten Tag, Frau Müller"


@pytest.mark.parametrize("text", ["", "  ", "…?!", "\x07", "a" * (MOST_CHARACTERS + 1)])
def test_what_cannot_be_said_is_refused_for_good(text: str):
    with pytest.raises(VoiceFault) as fault:
        sayable(text)
    assert fault.value.ever


@pytest.mark.parametrize(
    ("tag", "voice"),
    [("es-MX", "latin"), ("es_AR", "spain"), ("ES", "spain"), ("zh-Hant-TW", "zh"), ("eo", None)],
)
def test_the_longest_part_of_a_tag_that_is_known_counts(tag: str, voice: str | None):
    assert nearest(tag, {"es": "spain", "es-mx": "latin", "zh": "zh"}) == voice
