"""Keys in session descriptions (RFC 4568): what is read, what is passed over, what is answered."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import sdes, sdp
from sip.errors import NothingInCommon
from sip.sdes import KEY_BYTES, Crypto
from sip.sdp import CodecOffer, Media, SessionDescription

CM_80, CM_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
KEY = bytes(range(30))
INLINE = "inline:" + b64encode(KEY).decode()
PCMA = CodecOffer("PCMA")
rng = Random(4568)


def described(*sections: tuple[str, list[str]]) -> SessionDescription:
    """One audio section for each (profile, crypto lines)."""
    text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    for proto, lines in sections:
        text += f"m=audio 4000 {proto} 8\r\n" + "".join(f"a=crypto:{line}\r\n" for line in lines)
    return sdp.parse(text.encode())


def test_the_line_of_the_rfc_is_read():
    # RFC 4568 section 6.1, without the key identifier of that example
    found = sdes.read(f"1 {CM_80} inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20")
    assert found == Crypto(1, CM_80, b"=-n@%^x!Bjufr9)?,#5h\\`=&]{qiPQ", 2**20)


@pytest.mark.parametrize("suite", KEY_BYTES)
def test_a_line_of_ours_reads_as_what_it_was(suite: str):
    ours = sdes.fresh(7, suite, rng)
    assert len(ours.key) == KEY_BYTES[suite]
    assert sdes.read(ours.line) == ours


def test_every_key_of_ours_is_another():
    assert len({sdes.fresh(1, CM_80, rng).key for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("end", "life"),
    [("", None), ("|2^48", 2**48), ("|2^1", 2), ("|1048576", 2**20), ("|281474976710656", 2**48)],
)
def test_a_lifetime_is_read(end: str, life: int | None):
    found = sdes.read(f"1 {CM_80} {INLINE}{end}")
    assert found is not None and found.life == life


@pytest.mark.parametrize("words", ["WSH=64", "WSH=1024 -UNHEARD", "-x=1", "  WSH=128  "])
def test_hints_and_extensions_that_may_be_ignored_are(words: str):
    assert sdes.read(f"1 {CM_80} {INLINE} {words}") is not None


def test_a_key_without_its_padding_is_read():
    key = bytes(28)
    assert sdes.read("1 AEAD_AES_128_GCM inline:" + b64encode(key).decode().rstrip("=")).key == key


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        f"{CM_80} {INLINE}",
        f"x {CM_80} {INLINE}",
        f"1234567890 {CM_80} {INLINE}",
        f"-1 {CM_80} {INLINE}",
        f"1 {CM_80} outline:{INLINE[7:]}",
        f"1 {CM_80} inline:",
        f"1 {CM_80} inline:{INLINE[7:-4]}",  # three bytes short
        f"1 {CM_80} {INLINE}AAAA",
        f"1 {CM_80} inline:{'!' * 40}",
        f"1 AEAD_AES_256_GCM {INLINE}",  # a key of another suite
        f"1 AES_192_CM_HMAC_SHA1_80 {INLINE}",
        f"1 aes_cm_128_hmac_sha1_80 {INLINE}",
        f"1 {CM_80} {INLINE}|2^49",
        f"1 {CM_80} {INLINE}|0",
        f"1 {CM_80} {INLINE}|2^",
        f"1 {CM_80} {INLINE}|",
        f"1 {CM_80} {INLINE}|1:4",  # a key identifier
        f"1 {CM_80} {INLINE}|2^20|1:4",
        f"1 {CM_80} {INLINE};{INLINE}",
        f"1 {CM_80} {INLINE} KDR=1",
        f"1 {CM_80} {INLINE} UNENCRYPTED_SRTP",
        f"1 {CM_80} {INLINE} UNENCRYPTED_SRTCP",
        f"1 {CM_80} {INLINE} UNAUTHENTICATED_SRTP",
        f"1 {CM_80} {INLINE} FEC_ORDER=FEC_SRTP",
        f"1 {CM_80} {INLINE} WSH=32",
        f"1 {CM_80} {INLINE} WSH=many",
        f"1 {CM_80} {INLINE} UNHEARD",
        f"1 {CM_80} {INLINE}" + " -x" * 17,
    ],
)
def test_a_line_that_cannot_be_taken_is_passed_over(line: str):
    assert sdes.read(line) is None
    assert sdes.find([line, f"2 {CM_80} {INLINE}"], KEY_BYTES) == Crypto(2, CM_80, KEY)


@given(st.text(max_size=300))
def test_any_text_is_read_or_passed_over(text: str):
    sdes.read(text)
    sdes.read(f"1 {CM_80} inline:{text}")


def test_of_an_offer_their_first_line_is_taken_that_is_ours_too():
    lines = [f"1 {CM_32} {INLINE}", f"2 {CM_80} {INLINE}"]
    assert sdes.find(lines, KEY_BYTES).tag == 1
    assert sdes.find(lines, [CM_80]).tag == 2
    assert sdes.find(lines, ["AEAD_AES_128_GCM"]) is None


def test_an_answer_takes_one_line_of_ours_by_tag_and_suite():
    offered = [sdes.fresh(1, "AEAD_AES_128_GCM", rng), sdes.fresh(2, CM_80, rng)]
    assert sdes.answered(offered, [f"2 {CM_80} {INLINE}"]) == (offered[1], Crypto(2, CM_80, KEY))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [f"1 {CM_80} {INLINE}"],  # that tag was another suite's
        [f"3 {CM_80} {INLINE}"],
        [f"2 {CM_32} {INLINE}"],
        [f"2 {CM_80} {INLINE}|1:4"],
        [f"2 {CM_80} {INLINE}", f"2 {CM_80} {INLINE}"],
    ],
)
def test_an_answer_that_is_none_to_our_lines_is_none(lines: list[str]):
    offered = [sdes.fresh(1, "AEAD_AES_128_GCM", rng), sdes.fresh(2, CM_80, rng)]
    assert sdes.answered(offered, lines) is None


def test_keys_never_show():
    line = sdes.fresh(1, CM_80, rng)
    assert "hidden" in f"{line!r}{line}"
    assert b64encode(line.key).decode() not in f"{line!r}{line}"


def test_a_section_is_chosen_by_whether_it_fits():
    offer = described(("RTP/AVP", []), ("RTP/SAVP", [f"1 {CM_80} {INLINE}"]))
    assert sdp.choose(offer, [PCMA]).index == 0
    chosen = sdp.choose(offer, [PCMA], fits=sdes.is_secure)
    assert (chosen.index, chosen.proto) == (1, "RTP/SAVP")
    assert sdes.find(chosen.crypto, KEY_BYTES) == Crypto(1, CM_80, KEY)
    with pytest.raises(NothingInCommon):
        sdp.choose(described(("UDP/TLS/RTP/SAVPF", [])), [PCMA], fits=sdes.is_secure)


def test_an_offer_and_its_answer_carry_their_lines_in_the_profile_that_was_offered():
    ours = sdes.fresh(1, CM_80, rng)
    offer = sdp.make_offer(
        [PCMA], address="192.0.2.1", port=4000, proto="RTP/SAVP", attributes=(("crypto", ours.line),)
    )
    heard = sdp.parse(offer.encode())
    assert heard.media[0].proto == "RTP/SAVP" and heard.media[0].crypto == (ours.line,)
    chosen = sdp.choose(heard, [PCMA], fits=sdes.is_secure)
    answer = sdp.make_answer(
        heard, chosen, address="192.0.2.2", port=5000, attributes=(("crypto", f"1 {CM_80} {INLINE}"),)
    )
    assert answer.media[0].proto == "RTP/SAVP"
    agreed = sdp.read_answer(offer, sdp.parse(answer.encode()), [PCMA])
    assert sdes.answered([ours], agreed.crypto) == (ours, Crypto(1, CM_80, KEY))


@pytest.mark.parametrize(
    ("proto", "secure", "plain"),
    [
        ("RTP/SAVP", True, False),
        ("rtp/savpf", True, False),
        ("RTP/AVP", False, True),
        ("RTP/AVPF", False, True),
        ("UDP/TLS/RTP/SAVP", False, False),
        ("udp", False, False),
    ],
)
def test_profiles_are_told_apart(proto: str, secure: bool, plain: bool):
    media = Media("audio", 4000, proto, ("8",))
    assert (sdes.is_secure(media), sdes.is_plain(media)) == (secure, plain)
