"""Lines of preconditions are put in, read and taken out of descriptions, which else stay what they are."""

from __future__ import annotations

from random import Random

import pytest

from sip import precondition
from sip.precondition import BOTH, NONE, RECEIVE, SEND, Status

PLAIN = (
    b"v=0\r\no=- 7 3 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 96 101\r\na=rtpmap:96 AMR-WB/16000\r\na=rtpmap:101 telephone-event/16000\r\n"
)
NOT_YET = (
    b"a=curr:qos local none\r\na=curr:qos remote none\r\n"
    b"a=des:qos mandatory local sendrecv\r\na=des:qos optional remote sendrecv\r\n"
)
THERE = NOT_YET.replace(b"local none", b"local sendrecv")


def test_an_offer_says_how_our_resources_are():
    assert precondition.dressed(PLAIN, None, ready=False, answers=False) == PLAIN + NOT_YET
    assert precondition.dressed(PLAIN + NOT_YET, None, ready=True, answers=False) == PLAIN + THERE


def test_an_answer_turns_the_segments_round_and_asks_to_be_told_what_is_missing():
    assert precondition.dressed(PLAIN, PLAIN + NOT_YET, ready=True, answers=True) == PLAIN + (
        b"a=curr:qos local sendrecv\r\na=curr:qos remote none\r\n"
        b"a=des:qos mandatory local sendrecv\r\na=des:qos mandatory remote sendrecv\r\n"
        b"a=conf:qos remote sendrecv\r\n"
    )


def test_an_answer_to_one_who_has_all_asks_for_nothing():
    made = precondition.dressed(PLAIN, PLAIN + THERE, ready=True, answers=True)
    assert b"a=curr:qos remote sendrecv\r\n" in made
    assert b"a=conf" not in made


def test_directions_are_seen_from_whoever_writes_them():
    theirs = PLAIN + b"a=curr:qos local send\r\na=des:qos mandatory local send\r\n"
    made = precondition.dressed(PLAIN, theirs, ready=True, answers=True)
    assert b"a=curr:qos remote recv\r\n" in made
    assert b"a=des:qos mandatory remote recv\r\n" in made


def test_an_answer_to_one_who_knows_nothing_of_it_says_nothing_of_it():
    assert precondition.dressed(PLAIN, PLAIN, ready=True, answers=True) == PLAIN


def test_sections_that_are_switched_off_have_none():
    two = PLAIN + b"m=video 0 RTP/AVP 31\r\n"
    made = precondition.dressed(two, None, ready=True, answers=False)
    assert made == PLAIN + THERE + b"m=video 0 RTP/AVP 31\r\n"
    assert precondition.read(two + NOT_YET)[1] is None


@pytest.mark.parametrize(
    ("lines", "ready", "met"),
    [
        (NOT_YET, True, False),
        (THERE, True, True),
        (THERE, False, False),
        (b"a=curr:qos local none\r\na=des:qos optional local sendrecv\r\n", True, True),
        (b"a=curr:qos local send\r\na=des:qos mandatory local send\r\n", True, True),
        (b"a=curr:qos local send\r\na=des:qos mandatory local sendrecv\r\n", True, False),
        (b"a=des:qos mandatory local none\r\n", True, True),
        (b"", True, True),
    ],
)
def test_phones_ring_when_what_is_mandatory_is_there(lines: bytes, ready: bool, met: bool):
    assert precondition.met(PLAIN + lines, ready) is met


def test_what_is_read_is_what_was_said():
    (status,) = precondition.read(
        PLAIN + b"a=curr:qos local recv\r\na=curr:qos remote none\r\na=curr:qos local sendrecv\r\n"
        b"a=des:qos mandatory local send\r\na=des:qos mandatory local recv\r\n"
        b"a=des:qos optional remote send\r\n"
        b"a=conf:qos remote recv\r\na=des:qos strange local send\r\na=curr:qos local\r\na=curr:\r\n"
    )
    current = {"local": RECEIVE, "remote": NONE}
    assert status == Status(current, {"local": BOTH}, {"remote": SEND}, {"remote": RECEIVE}, ())
    assert status.lacks == SEND
    assert Status().lacks == NONE


def test_more_lines_than_anybody_means_are_none():
    assert precondition.read(PLAIN + b"a=curr:qos local none\r\n" * 40) == (None,)


def test_mandatory_ones_that_nobody_here_meets_are_refused_by_name():
    wanted = b"a=des:qos mandatory e2e sendrecv\r\na=des:sec mandatory e2e send\r\n"
    offer = PLAIN + wanted + b"a=des:x optional e2e send\r\n"
    assert precondition.refusal(offer) == PLAIN + (
        b"a=des:qos failure e2e sendrecv\r\na=des:sec unknown e2e send\r\n"
    )
    assert precondition.refusal(PLAIN + NOT_YET) is None


def test_what_is_left_without_them_has_no_version_either():
    other = precondition.with_version(PLAIN, 9)
    assert other != PLAIN
    assert precondition.version(other) == ("7", 9)
    assert precondition.bare(other + NOT_YET) == precondition.bare(PLAIN + THERE)
    assert precondition.bare(PLAIN) != precondition.bare(PLAIN.replace(b"4000", b"4002"))


@pytest.mark.parametrize("sdp", [b"", b"offer", b"\xff\x00", b"m=", b"m=audio", b"v=0\no=x\n"])
def test_what_is_no_description_comes_back_as_it_was(sdp: bytes):
    assert precondition.read(sdp) in ((), (None,))
    assert precondition.met(sdp, True)
    assert precondition.version(sdp) == ("", 0)
    assert precondition.refusal(sdp) is None
    made = precondition.dressed(sdp, sdp, ready=True, answers=True)
    assert made.strip() == sdp.replace(b"\n", b"\r\n").strip()


def test_no_mutilated_lines_raise_or_grow():
    rng, whole = Random(5), PLAIN + NOT_YET + b"a=conf:qos remote sendrecv\r\nm=video 0 RTP/AVP 31\r\n"
    for _ in range(3000):
        body = bytearray(whole)
        for _ in range(rng.randrange(1, 5)):
            kind, at = rng.randrange(3), rng.randrange(len(body))
            if kind == 0:
                body[at] = rng.randrange(256)
            elif kind == 1:
                del body[at : at + rng.randrange(1, 20)]
            else:
                body[at:at] = whole[rng.randrange(len(whole)) :][: rng.randrange(60)]
        theirs = bytes(body)
        precondition.met(theirs, True)
        precondition.confirmation(theirs)
        refused = precondition.refusal(theirs)
        made = precondition.dressed(PLAIN, theirs, ready=rng.random() < 0.5, answers=True)
        assert precondition.bare(made) == precondition.bare(PLAIN)
        assert len(made) < len(PLAIN) + 400
        assert refused is None or len(refused) < 2 * len(theirs) + 400
