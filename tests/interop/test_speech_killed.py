"""kill -9 of each speech process in the middle of a sentence, or others in their place by another
configuration: text goes on.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from media.speech.messages import Attend, Clip, Into, Rendered, Said
from tests.interop.booth import Booth, booth, shipped, speech

CALLER, AGENT = 1, 2
FIRST, REST = (
    "hola buenos días. mi pedido no ha llegado",
    "dónde está mi paquete. muchas gracias. quiero una factura",
)
GOES_ON_S = 2.0


def attends() -> Attend:
    phrases = shipped().language.vocabularies["es"]
    return Attend(CALLER, ("es",), (Into(AGENT, "en", voice="over"),), phrases=phrases)


def kept(told: list[Said]) -> bool:
    """What stood stands, in every sentence."""
    last: dict[int, str] = {}
    for each in told:
        if not each.stands.startswith(last.get(each.utterance, "")):
            return False
        last[each.utterance] = each.stands
    return True


async def story(name: str) -> tuple[Booth, float]:
    async with booth(shipped(), attends()) as scene:
        await scene.say(CALLER, speech(FIRST, "es"))
        await scene.until(lambda: any(each.stands for each in scene.told(Said)), 10)
        killed = scene.kill(name)
        await scene.say(CALLER, speech(REST, "es", after_s=1.5))
        await scene.until(lambda: bool(scene.told(Clip, killed)), 15)
        return scene, killed


@pytest.mark.parametrize("name", ["ear", "hear", "render"])
def test_text_goes_on_within_two_seconds_and_what_stood_stands(name: str) -> None:
    scene, killed = asyncio.run(story(name))
    texts = [
        at - killed for at, each in scene.events if at > killed and isinstance(each, Said) and each.stands
    ]
    assert texts and texts[0] < GOES_ON_S
    heard = "ear" if name == "ear" else ""
    told = [each for at, each in scene.events if isinstance(each, Said) and (not heard or at > killed)]
    assert kept(told)
    finals = " ".join(each.stands for each in told if each.over)
    assert "mi paquete" in finals and "una factura" in finals
    assert scene.told(Rendered, killed)[-1].stands


async def moved() -> tuple[Booth, float]:
    config = shipped()
    async with booth(config, attends()) as scene:
        await scene.say(CALLER, speech(FIRST, "es"))
        await scene.until(lambda: any(each.stands for each in scene.told(Said)), 10)
        since = await scene.move(shipped(recogniser=replace(config.language.recogniser, reserve=False)))
        await scene.say(CALLER, speech(REST, "es", after_s=1.5))
        await scene.until(lambda: bool(scene.told(Clip, since)), 15)
        return scene, since


def test_those_of_another_configuration_hear_on_with_the_same_people(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene, since = asyncio.run(moved())
    heard = [each for each in scene.told(Said, since) if each.over]
    assert "una factura" in " ".join(each.stands for each in heard)
    assert not [record for record in caplog.records if "lost" in record.getMessage()]  # none had died
