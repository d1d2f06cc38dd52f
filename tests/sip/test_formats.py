"""Codecs with parameters, in offers and answers."""

from __future__ import annotations

import random

import pytest

from sip import formats, sdp
from sip.errors import NothingInCommon
from sip.sdp import Codec, CodecOffer
from tests.sip.test_sdp import audio

PCMA = CodecOffer("PCMA")
OPUS = CodecOffer("opus", 48000, 2, fmtp="maxplaybackrate=16000;useinbandfec=1")
AMR_WB = CodecOffer("AMR-WB", 16000, fmtp="mode-change-capability=2")
G729 = CodecOffer("G729", fmtp="annexb=no")
RED = CodecOffer("red", 48000, 2)
EVENTS = CodecOffer("telephone-event", pt=101)
WIDE_EVENTS = CodecOffer("telephone-event", 48000)
OURS = [OPUS, AMR_WB, PCMA, G729, RED, EVENTS, WIDE_EVENTS]


def answered(offer, ours=OURS):
    """What we answer, and the section of it."""
    chosen = sdp.choose(offer, ours)
    (media,) = sdp.make_answer(offer, chosen, address="203.0.113.7", port=30000).media
    return chosen, media


def offer_of(fmtp: str, codec: str = "AMR-WB/16000"):
    return audio(f"a=rtpmap:97 {codec}", f"a=fmtp:97 {fmtp}", formats="97 8 101")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("octet-align=1; mode-set=0,2", {"octet-align": "1", "mode-set": "0,2"}),
        ("USEINBANDFEC = 1;;stereo", {"useinbandfec": "1", "stereo": ""}),
        ("a=1;a=2", {"a": "1"}),
        ("0-16", {"0-16": ""}),
        (None, {}),
    ],
)
def test_parameters_are_read_in_any_case_and_spacing(said, found):
    assert formats.parse(said) == found


def test_an_answer_repeats_what_both_sides_of_amr_must_say():
    chosen, media = answered(offer_of("octet-align=1; mode-set=0,1,2; max-red=0"))
    assert media.fmtp[97] == "octet-align=1;mode-set=0,1,2;mode-change-capability=2"
    assert formats.parse(chosen.fmtp)["octet-align"] == "1"


@pytest.mark.parametrize("fmtp", ["crc=1", "octet-align=1; interleaving=4", "robust-sorting=1;octet-align=1"])
def test_payloads_that_nobody_here_reads_are_not_agreed_to(fmtp):
    chosen, media = answered(offer_of(fmtp))
    assert (chosen.pt, media.formats) == (8, ("8", "101"))
    with pytest.raises(NothingInCommon):
        sdp.choose(offer_of(fmtp), [AMR_WB])


def test_of_two_forms_of_one_codec_the_first_that_can_be_read_is_taken():
    offer = audio(
        *("a=rtpmap:96 AMR-WB/16000", "a=fmtp:96 octet-align=1;crc=1"),
        *("a=rtpmap:97 AMR-WB/16000", "a=fmtp:97 mode-set=8"),
        *("a=rtpmap:98 AMR-WB/16000", "a=fmtp:98 octet-align=1"),
        formats="96 97 98",
    )
    chosen, media = answered(offer)
    assert chosen.pt == 97 and media.formats[0] == "97"
    assert [pt for pt, _ in chosen.formats] == [97], "a leg reads one form"


BOTH = [
    CodecOffer("AMR-WB", 16000, fmtp="mode-change-capability=2;max-red=0"),
    CodecOffer("AMR-WB", 16000, fmtp="octet-align=1;mode-change-capability=2;max-red=0"),
    CodecOffer("telephone-event", 16000),
]


def test_both_forms_are_offered_each_with_a_type_of_its_own_that_it_keeps():
    first = sdp.make_offer(BOTH, address="203.0.113.7", port=30000)
    (media,) = first.media
    assert (media.formats, media.fmtp[97]) == (("96", "97", "98"), BOTH[1].fmtp)
    again = sdp.make_offer(BOTH[::-1], address="203.0.113.7", port=30000, previous=first)
    assert again.media[0].formats == ("98", "97", "96") and again.media[0].fmtp[97] == BOTH[1].fmtp


@pytest.mark.parametrize(
    ("pt", "said", "own", "aligned"),
    [
        (96, "mode-set=0,1,2", 96, False),
        (97, "octet-align=1", 97, True),
        (97, None, 97, True),  # what an answer leaves out is as it was offered
        (97, "mode-set=2", 97, True),
        (120, "octet-align=1", 97, True),  # renumbered
        (120, "octet-align=0", 96, False),
        (96, "octet-align=1", 96, True),  # of another mind: its word counts
    ],
)
def test_the_form_that_an_answer_takes_is_the_one_that_is_sent_and_read(pt, said, own, aligned):
    ours = sdp.make_offer(BOTH, address="203.0.113.7", port=30000)
    lines = [f"a=rtpmap:{pt} AMR-WB/16000"] + ([f"a=fmtp:{pt} {said}"] if said else [])
    chosen = sdp.read_answer(ours, audio(*lines, formats=str(pt)), BOTH)
    assert chosen.pt == pt and chosen.formats[0][0] == own
    for text in (chosen.fmtp, chosen.wants[own]):
        assert (formats.parse(text).get("octet-align") == "1") == aligned


def test_of_both_forms_in_an_answer_the_first_is_spoken_and_the_other_not_read():
    ours = sdp.make_offer(BOTH, address="203.0.113.7", port=30000)
    lines = ["a=rtpmap:96 AMR-WB/16000", "a=rtpmap:97 AMR-WB/16000", "a=fmtp:97 octet-align=1"]
    chosen = sdp.read_answer(ours, audio(*lines, formats="97 96"), BOTH)
    assert (chosen.pt, [pt for pt, _ in chosen.formats]) == (97, [97])


def test_each_side_of_opus_says_for_itself_what_it_wants_to_receive():
    chosen, media = answered(offer_of("maxaveragebitrate=20000;stereo=1", "opus/48000/2"))
    assert media.fmtp[97] == OPUS.fmtp
    assert chosen.fmtp == "maxaveragebitrate=20000;stereo=1"


@pytest.mark.parametrize(("theirs", "ours"), [("annexb=no", "annexb=no"), ("annexb=yes", "annexb=no")])
def test_g729_is_answered_without_annex_b(theirs, ours):
    _, media = answered(offer_of(theirs, "G729/8000"))
    assert media.fmtp[97] == ours


def test_copies_are_offered_for_the_codec_they_carry_and_taken_with_it():
    made = sdp.make_offer(OURS, address="203.0.113.7", port=30000)
    (media,) = made.media
    by_name = {str(codec): pt for pt, codec in media.rtpmap.items()}
    assert media.fmtp[by_name["red/48000/2"]] == f"{by_name['opus/48000/2']}/{by_name['opus/48000/2']}"
    chosen, answer = answered(made)
    assert answer.formats == tuple(
        str(by_name[n]) for n in ("opus/48000/2", "red/48000/2", "telephone-event/48000")
    )
    assert chosen.codec.name == "opus", "copies alone are no codec"


def test_copies_of_another_clock_are_not_taken():
    offer = audio("a=rtpmap:96 red/48000/2", "a=fmtp:96 97/97", formats="96 8 101")
    chosen, media = answered(offer)
    assert chosen.pt == 8 and media.formats == ("8", "101")


def test_our_offer_renumbered_by_the_answer_is_sent_by_its_numbers_and_received_by_ours():
    ours = sdp.make_offer([AMR_WB, EVENTS], address="203.0.113.7", port=30000)
    own = next(pt for pt, codec in ours.media[0].rtpmap.items() if codec.name == "AMR-WB")
    answer = audio("a=rtpmap:120 AMR-WB/16000", "a=fmtp:120 mode-set=0", formats="120")
    chosen = sdp.read_answer(ours, answer, [AMR_WB, EVENTS])
    assert (chosen.pt, chosen.fmtp) == (120, "mode-set=0")
    assert chosen.formats[0] == (own, Codec("AMR-WB", 16000)) and chosen.wants[own] == "mode-set=0"


def test_parameters_of_rubbish_never_raise():
    rng = random.Random(3)
    letters = "octet-align=1;crc, \t=;;0123456789" + "\u00b2\u0661"
    for _ in range(5_000):
        text = "".join(rng.choices(letters, k=rng.randint(0, 60)))
        for name in ("AMR", "opus", "G729", "PCMA"):
            assert formats.readable(Codec(name), text) in (True, False)
            formats.reply(Codec(name), None, text)
