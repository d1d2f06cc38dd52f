"""What a speech worker is told to be by the engine that starts it; paths are absolute."""

from __future__ import annotations

import msgspec

from media.speech.market import Market


class RecogniserSettings(msgspec.Struct, frozen=True):
    """kind: auto, whisper, sphinx or vosk. model: folder or name; language_model, dictionary: files of
    pocketsphinx, "" for its own. device: auto, cpu or cuda; compute: precision. url: of a server. threads: of
    a model.
    """

    kind: str = "auto"
    model: str = ""
    device: str = "auto"
    compute: str = "int8"
    url: str = ""
    threads: int = 1
    language_model: str = ""
    dictionary: str = ""


class TranslatorSettings(msgspec.Struct, frozen=True):
    """kind: auto, ctranslate2, apertium or endpoint. models: folders of CTranslate2 models. device: auto, cpu
    or cuda. threads: of a model. url, name, key: of an endpoint. markets: whose terms and tone count.
    """

    kind: str = "auto"
    models: tuple[str, ...] = ()
    device: str = "auto"
    threads: int = 1
    url: str = ""
    name: str = ""
    key: str = ""
    markets: dict[str, Market] = {}

    def __repr__(self) -> str:
        return f"TranslatorSettings({self.kind}, {self.models}, {self.url}, key hidden)"


class VoiceSettings(msgspec.Struct, frozen=True):
    """kind: auto, espeak or piper. models: Piper's, by language."""

    kind: str = "auto"
    models: dict[str, str] = {}


class CraftSettings(msgspec.Struct, frozen=True):
    """None: not this worker's."""

    hear: RecogniserSettings | None = None
    translate: TranslatorSettings | None = None
    speak: VoiceSettings | None = None
