"""language.yaml as values: who hears, translates and speaks on this node; and what a queue has of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from config.setting import Language, Seconds, SecretField, Text, setting, settings
from routing.queue import SpeechTerms

Cores = Annotated[float, Gt(0), Le(1024)]
Part = Annotated[float, Ge(0), Le(1)]
Days = Annotated[int, Ge(0), Le(36_500)]
Processes = Annotated[int, Ge(1), Le(64)]
Device = Literal["auto", "cpu", "cuda"]


@settings
class RecogniserBlock:
    kind: Literal["auto", "whisper", "sphinx", "vosk"] = setting(
        "`whisper` (faster-whisper, 99 languages, needs a model), `sphinx` (pocketsphinx: English with low "
        "accuracy, other languages by `vocabularies`), `vosk` (a server that speaks its protocol); `auto`: "
        "the best of these that is there.",
        default="auto",
    )
    model: Text = setting(
        "Folder of a model, or the name of one that the machine has (`small`, `large-v3-turbo`); of "
        "`sphinx`, an acoustic model's folder.",
        default="",
    )
    language_model: Path | None = setting("Of `sphinx`, when not the one that it comes with.", default=None)
    dictionary: Path | None = setting("Of `sphinx`, when not the one that it comes with.", default=None)
    device: Device = setting("What a model runs on: `auto` for a GPU where one is.", default="auto")
    compute: Text = setting("Precision of `whisper`, for instance `int8` or `float16`.", default="int8")
    url: Text = setting("Of `vosk`: ws://HOST:PORT or wss://.", default="")
    hints: bool = setting("Tell it the words of the market's glossary, where it can be told.", default=True)
    processes: Processes = setting("Processes that hear, each with the model in memory.", default=1)
    reserve: bool = setting(
        "Keep another of each with its model in memory, which takes over at once when one dies.", default=True
    )


@settings
class EndpointBlock:
    url: Text = setting(
        "Base address of an API for chat completions, up to `/v1`; none is asked when empty.", default=""
    )
    model: Text = setting("Name of its model.", default="")
    key: SecretField | None = setting("Its key, where it wants one.", default=None)


@settings
class TranslatorBlock:
    kind: Literal["auto", "ctranslate2", "apertium", "endpoint"] = setting(
        "`ctranslate2` (M2M-100, OPUS-MT or MADLAD models), `apertium` (for the gist), `endpoint`; `auto`: "
        "for each pair the best of these that is there, but never the endpoint.",
        default="auto",
    )
    models: tuple[Path, ...] = setting("Folders of CTranslate2 models.", default=())
    device: Device = setting("What models run on: `auto` for a GPU where one is.", default="auto")
    endpoint: EndpointBlock = setting("A translator behind the network.", default=EndpointBlock())


@settings
class VoiceBlock:
    kind: Literal["auto", "espeak", "piper"] = setting(
        "`espeak` (130 languages, plain), `piper` (natural; needs a model for each language); `auto`: Piper "
        "for languages that have a model here, else espeak-ng.",
        default="auto",
    )
    models: Mapping[Language, Path] = setting("Piper's models by language.", default={})


@settings
class QualityBlock:
    greet_s: Seconds = setting("Within which an agent greets who is connected to her.", default=15.0)
    hold_s: Seconds = setting("Of the longest hold that is no fault.", default=120.0)
    silent_s: Seconds = setting("Of the longest silence that is no fault, holds apart.", default=20.0)
    talk_over: Part = setting(
        "Share of an agent's speech that may fall into the customer's before it is a fault.", default=0.1
    )


@settings
class SpeechAfter:
    transcripts: bool = setting(
        "Keep what was said in calls that were put into words, to be found and read by the API.", default=True
    )
    keep_days: Days = setting(
        "After so many days what was said is erased; how well the call went stays. 0: never.", default=90
    )
    quality: QualityBlock = setting("What rules hold all calls to.", default=QualityBlock())
    summaries: EndpointBlock = setting(
        "Who writes summaries; when no URL is named, they are made of the call's own sentences.",
        default=EndpointBlock(),
    )


@settings
class LanguageSettings:
    start: Literal["when_needed", "always"] = setting(
        "Start speech's processes with the node, or with the first call that wants them.",
        default="when_needed",
    )
    agents: Language = setting("Language of agents who name none.", default="en")
    cores: Cores = setting(
        "Processor cores that speech may use. Beyond, it goes without captions of what is being said, then "
        "without interpreters' voices, then without captions of some calls.",
        default=1.0,
    )
    far: bool = setting(
        "Ask speech workers on other machines as well (`isogloss speech-worker`), by the cluster's Redis.",
        default=False,
    )
    lag_s: Seconds = setting(
        "How late an interpreter's voice may be before the original is heard at full volume again.",
        default=6.0,
    )
    guess_every_s: Annotated[float, Ge(0), Le(10)] = setting(
        "How often a recogniser is asked what is being said; 0: captions come when a sentence is over.",
        default=0.3,
    )
    last_words_s: Annotated[float, Ge(1), Le(60)] = setting(
        "How long after the end of a sentence its last words are waited for; after that it ends without.",
        default=4.0,
    )
    recogniser: RecogniserBlock = setting("Who hears.", default=RecogniserBlock())
    translator: TranslatorBlock = setting("Who translates.", default=TranslatorBlock())
    voice: VoiceBlock = setting("Who speaks.", default=VoiceBlock())
    after: SpeechAfter = setting("What becomes of calls when they are over.", default=SpeechAfter())
    vocabularies: Mapping[Language, tuple[Text, ...]] = setting(
        "Sentences that callers are expected to say, by language. Where no recogniser hears a language "
        "openly, their words are what is heard, with low accuracy.",
        default={},
    )


@settings
class QueueSpeech:
    captions: bool = setting(
        "Show what both sides say on their pages, in the reader's language where one translates it.",
        default=False,
    )
    voice: Literal["off", "over", "instead"] = setting(
        "An interpreter's voice for who does not speak the other's language: `over` the lowered original, "
        "or `instead` of it.",
        default="off",
    )
    gender: Literal["", "female", "male"] = setting(
        "Of the interpreter's voice; the language's own when empty.", default=""
    )

    detect: tuple[Language, ...] = setting(
        "Languages that callers may turn out to speak beside the queue's. Found out from what they say, and "
        "looked at again with every sentence, by recognisers that can (Whisper).",
        default=(),
    )
    interpreter: Text = setting(
        "Number, extension or name of numbers.yaml of a person who interprets, for agents to ask in.",
        default="",
    )

    def terms(self) -> SpeechTerms:
        """As routing sees it."""
        return SpeechTerms(self.captions, self.voice, self.gender, self.interpreter, self.detect)
