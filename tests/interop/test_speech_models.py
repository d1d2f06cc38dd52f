"""What production is made of, on toy models: faster-whisper hears, CTranslate2 translates, word for word."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from config.schema import Config
from media.speech.messages import Attend, Clip, Crafts, Into, Rendered, Said
from tests.interop.booth import Booth, booth, shipped, speech

MODELS = Path(__file__).resolve().parents[1] / "media" / "speech" / "models"
CALLER, AGENT = 1, 2
SAID = ("Quiero cancelar mi pedido.", "Mi paquete no ha llegado.", "Muchas gracias.")
READ = ("I want to cancel my order.", "My parcel has not arrived.", "Thank you very much.")


def modelled() -> Config:
    language = shipped().language
    return shipped(
        recogniser=replace(language.recogniser, kind="whisper", model=str(MODELS / "whisper")),
        translator=replace(language.translator, kind="ctranslate2", models=(MODELS / "opus-mt-es-en",)),
    )


def heard(scene: Booth) -> str:
    """By the agent, of the interpreter's voice; a sentence may come in two."""
    return " ".join(each.text for each in scene.told(Clip))


async def story() -> Booth:
    leg = Attend(CALLER, ("es",), (Into(AGENT, "en-GB", "en-GB", voice="over"),))
    async with booth(modelled(), leg) as scene:
        for sentence in SAID:
            await scene.say(CALLER, speech(sentence, "es", after_s=1.2))
        await scene.until(lambda: heard(scene) == " ".join(READ), 20)
        return scene


def test_what_a_caller_says_is_heard_translated_and_spoken_word_for_word() -> None:
    scene = asyncio.run(story())
    assert tuple(each.stands for each in scene.told(Said) if each.over) == SAID
    rendered = [each for each in scene.told(Rendered) if each.over]
    assert tuple(each.stands for each in rendered) == READ
    assert {(each.by, each.gist) for each in rendered} == {("OPUS-MT opus-mt-es-en", False)}
    assert heard(scene) == " ".join(READ)
    [translates] = [each for each in scene.told(Crafts)[-1].offers if each.craft == "translate"]
    assert translates.pairs == (("es", "en", False),)
