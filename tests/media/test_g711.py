"""G.711, sample by sample, against a second implementation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from media import codecs
from media.codecs import g711

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop")

CODES = np.arange(256, dtype=np.uint8)
SAMPLES = np.arange(65536, dtype=np.uint16).view(np.int16)


def test_every_mu_law_code_decodes_as_the_second_implementation_has_it():
    assert g711.decode(g711.MU, CODES).tobytes() == audioop.ulaw2lin(CODES.tobytes(), 2)


def test_every_a_law_code_decodes_as_the_second_implementation_has_it():
    assert g711.decode(g711.A, CODES).tobytes() == audioop.alaw2lin(CODES.tobytes(), 2)


def test_every_sample_encodes_to_the_mu_law_code_of_the_second_implementation():
    assert g711.encode(g711.MU, SAMPLES).tobytes() == audioop.lin2ulaw(SAMPLES.tobytes(), 2)


def test_every_sample_encodes_to_the_a_law_code_of_the_second_implementation():
    assert g711.encode(g711.A, SAMPLES).tobytes() == audioop.lin2alaw(SAMPLES.tobytes(), 2)


@pytest.mark.parametrize("law", [g711.MU, g711.A], ids=["mu", "A"])
def test_decoding_and_encoding_again_changes_no_code(law):
    again = g711.encode(law, g711.decode(law, CODES))
    values = g711.decode(law, again)
    assert (values == g711.decode(law, CODES)).all()  # mu-law has two zeros


@pytest.mark.parametrize("law", [g711.MU, g711.A], ids=["mu", "A"])
def test_silence_decodes_to_next_to_nothing(law):
    assert abs(int(g711.decode(law, g711.SILENCE[law : law + 1])[0])) <= 8


def test_rows_of_both_laws_are_coded_together():
    kinds = np.array([codecs.PCMU, codecs.PCMA, codecs.PCMU], np.int8)
    samples = np.stack([SAMPLES[:160], SAMPLES[3000:3160], SAMPLES[40000:40160]])
    coded = codecs.encode(kinds, samples)
    for row, kind in enumerate(kinds):
        assert (coded[row] == g711.encode(int(kind), samples[row])).all()
    decoded = codecs.decode(kinds, coded)
    for row, kind in enumerate(kinds):
        assert (decoded[row] == g711.decode(int(kind), coded[row])).all()


def test_no_code_decodes_to_the_sign_of_a_missing_sample():
    from media.ring import MISSING

    assert not (MISSING == g711.DECODE).any()
