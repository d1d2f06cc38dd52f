"""Codecs from the configuration to the worker: what is offered, and what is told of what was agreed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from config.media import MediaSettings
from engine.build import capabilities_of, missing_codecs, mobile_capabilities_of
from engine.description import PhoneDescription, preferring
from engine.encryption import Encryption, Policy
from media import codecs
from media.codecs import opus
from media.messages import Codec, OpenLeg, SetRemote
from sip import formats, sdp
from tests.sim.stage import Stage, Voice

needs_opus = pytest.mark.skipif(not codecs.available(codecs.OPUS), reason="libopus0 is not installed")
needs_amr = pytest.mark.skipif(not codecs.available(codecs.AMR_WB), reason="no libraries for AMR-WB")


def lines(*names: str) -> list[str]:
    """The rtpmap and fmtp lines of our offer."""
    offer = sdp.make_offer(capabilities_of(MediaSettings(codecs=names)), address="192.0.2.9", port=4000)
    text = offer.encode().decode().split("\r\n")
    return [line.removeprefix("a=") for line in text if line.startswith(("a=rtpmap", "a=fmtp", "m="))]


def test_telephones_alone_are_offered_as_ever():
    assert lines("PCMA", "PCMU") == [
        "m=audio 4000 RTP/AVP 8 0 101",
        "rtpmap:8 PCMA/8000",
        "rtpmap:0 PCMU/8000",
        "rtpmap:101 telephone-event/8000",
        "fmtp:101 0-16",
    ]


@needs_opus
def test_opus_comes_with_its_parameters_its_copies_and_digits_of_its_clock():
    offered = lines("OPUS", "PCMA")
    assert "rtpmap:96 opus/48000/2" in offered
    assert "fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1" in offered
    assert "fmtp:97 96/96" in offered and "rtpmap:97 red/48000/2" in offered
    assert [line for line in offered if "telephone-event" in line] == [
        "rtpmap:101 telephone-event/8000",
        "rtpmap:98 telephone-event/48000",
    ]


def test_l16_is_offered_at_both_rates_the_higher_first():
    assert [line for line in lines("L16") if "L16" in line] == ["rtpmap:96 L16/16000", "rtpmap:97 L16/8000"]


def test_a_codec_whose_library_is_missing_is_left_out_and_told(monkeypatch):
    monkeypatch.setattr(opus, "LIBRARY", "libopus.so.no")
    codecs.available.cache_clear()
    try:
        settings = MediaSettings(codecs=("OPUS", "PCMU"))
        assert missing_codecs(settings) == {"OPUS": "libopus.so.0"}
        assert [offer.name for offer in capabilities_of(settings)] == ["PCMU", "telephone-event"]
    finally:
        codecs.available.cache_clear()


@needs_amr
def test_mobile_networks_are_offered_both_forms_of_amr_and_nothing_that_they_do_not_know():
    ours = mobile_capabilities_of(MediaSettings(ptime_ms=30), ())
    assert [(each.name, each.rate, formats.aligned(each, each.fmtp)) for each in ours] == [
        *(("AMR-WB", 16000, False), ("AMR-WB", 16000, True), ("AMR", 8000, False), ("AMR", 8000, True)),
        *(("telephone-event", 8000, False), ("telephone-event", 16000, False)),
    ]
    assert {each.ptime for each in ours} == {20}
    named = mobile_capabilities_of(MediaSettings(), ("AMR-WB", "PCMA"))
    assert [each.name for each in named if each.name != "telephone-event"] == ["AMR-WB", "AMR-WB", "PCMA"]


def test_a_machine_that_speaks_none_of_a_mobile_networks_codecs_offers_its_own(monkeypatch):
    monkeypatch.setattr(opus, "LIBRARY", "libopus.so.no")
    codecs.available.cache_clear()
    try:
        ours = mobile_capabilities_of(MediaSettings(codecs=("PCMU",)), ("OPUS",))
        assert [each.name for each in ours] == ["PCMU", "telephone-event"]
    finally:
        codecs.available.cache_clear()


@needs_amr
@pytest.mark.parametrize(("answered", "first"), [("96", "96"), ("97", "97")])
def test_the_form_of_amr_that_is_spoken_is_offered_first_from_then_on(answered: str, first: str):
    ours = PhoneDescription(
        mobile_capabilities_of(MediaSettings(), ()), Encryption(Policy.OFF, (), Random(1))
    )
    said = sdp.parse(ours.offer(("192.0.2.9", 4000), "", False))
    (media,) = said.media
    ours.take_answer(replace(said, media=(replace(media, formats=(answered,)),)).encode())
    (again,) = sdp.parse(ours.offer(("192.0.2.9", 4000), "", False)).media
    assert again.formats[0] == first and sorted(again.formats) == sorted(media.formats)
    assert ours.wire().codecs[0].params.get("octet-align", "0") == str(int(first == "97"))


@needs_opus
def test_the_codec_of_the_other_leg_is_offered_first_in_whatever_case():
    ours = capabilities_of(MediaSettings())
    assert preferring(ours, "PCMU")[0].name == "PCMU"
    assert preferring(preferring(ours, "PCMU"), "OPUS")[0].name == "opus"


# --- calls ----------------------------------------------------------------------------------------


class Modern(Voice):
    """A phone that speaks `formats`, with these lines."""

    formats = ""
    attributes: tuple[str, ...] = ()

    def sdp(self, direction: str = "sendrecv") -> bytes:
        plain = super().sdp(direction).replace(b"RTP/AVP 8 0 101", f"RTP/AVP {self.formats}".encode())
        return plain + "".join(f"a={line}\r\n" for line in self.attributes).encode()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def told(stage: Stage) -> list[OpenLeg | SetRemote]:
    """What workers are told of legs."""
    kept: list[OpenLeg | SetRemote] = []
    send: Callable[..., None] = stage.house.send

    def note(worker: int, command: object) -> None:
        if isinstance(command, OpenLeg | SetRemote):
            kept.append(command)
        send(worker, command)

    stage.house.send = note
    return kept


def called(stage: Stage, formats: str, *attributes: str) -> Modern:
    phone = Modern(stage, f"10.1.0.{1 + len(stage.world.hosts)}")
    phone.formats, phone.attributes = formats, attributes
    phone.call("+4930100", "+491701234")
    stage.run(3.0)
    return phone


@needs_opus
def test_an_opus_phone_is_heard_as_it_says_and_has_digits_of_its_clock(stage: Stage, told):
    called(
        stage,
        "111 63 8 110 101",
        *("rtpmap:111 opus/48000/2", "fmtp:111 maxaveragebitrate=20000; useinbandfec=1"),
        *("rtpmap:63 red/48000/2", "fmtp:63 111/111", "rtpmap:110 telephone-event/48000"),
    )
    first = told[0]
    assert first.codecs[0] == Codec(
        111, "opus", 48000, 20, 2, {"maxaveragebitrate": "20000", "useinbandfec": "1"}
    )
    assert [(codec.pt, codec.name) for codec in first.codecs] == [(111, "opus"), (63, "red"), (8, "PCMA")]
    assert (first.dtmf_pt, first.dtmf_clock) == (110, 48000)


@needs_opus
def test_a_call_between_opus_and_a_telephone_is_connected(stage: Stage, told):
    called(stage, "111", "rtpmap:111 opus/48000/2")
    stage.run(10.0)
    call = stage.call
    assert {leg.codec for leg in call.legs} == {"opus", "PCMA"}


@needs_amr
def test_amr_is_opened_in_the_payload_form_that_was_agreed(stage: Stage, told):
    config = stage.house.config
    stage.house.config = replace(config, media=replace(config.media, codecs=("AMR-WB", "PCMA")))
    called(stage, "97 8", "rtpmap:97 AMR-WB/16000", "fmtp:97 octet-align=1; mode-set=0,1,2")
    assert told[0].codecs[0].params == {"octet-align": "1", "mode-set": "0,1,2"}


@pytest.mark.parametrize("formats", ["8 13 101", "8 101"])
def test_comfort_noise_is_agreed_where_the_caller_has_it_and_offered_on_to_who_is_called(
    stage: Stage, told, formats: str
):
    called(stage, formats, "rtpmap:13 CN/8000", "rtpmap:101 telephone-event/8000")
    has = "13" in formats
    assert [codec.name for codec in told[0].codecs] == (["PCMA", "CN"] if has else ["PCMA"])
    stage.run(10.0)
    customer, agent = stage.call.legs
    said = agent.description
    assert isinstance(said, PhoneDescription) and said.local is not None
    assert (b"CN/8000" in said.local.encode()) == customer.pauses == has
    assert not agent.pauses, "the agent's phone has none"
