"""espeak-ng as a voice: a process a text, whose sound is taken as it is made.

espeak-ng is GPL, so it is run, never linked. Texts go in by standard input, so that none can be an option,
and no shell is in between. Voices are those that the program itself names, with a variant for the gender.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping

from media.speech.io.spoken import ProcessSaying
from media.speech.voice import VoiceFault, nearest

HEADER = 44  # bytes of WAV before the sound; its length is a guess where it goes into a pipe
RATE = 22_050
VARIANT = re.compile(r"[A-Za-z0-9_-]{1,20}")
GENDERS: Mapping[str, str] = {"female": "f3", "male": "m3"}
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
SPEED = 165  # words a minute: an interpreter has to keep up with who speaks
LISTING_S = 10.0

# Tags in use whose voice has another name.
ALIASES: Mapping[str, str] = {
    "zh": "cmn-latn-pinyin",  # the voice cmn reads the tones of what it looks up in English
    "cmn": "cmn-latn-pinyin",
    "zh-hk": "yue",
    "zh-mo": "yue",
    "en": "en-us",
    **dict.fromkeys(("en-au", "en-ie", "en-in", "en-nz", "en-za"), "en-gb"),
    "es-es": "es",
    **{
        f"es-{each}": "es-419"
        for each in "ar bo cl co cr cu do ec gt hn mx ni pa pe pr py sv us uy ve".split()
    },
    "fr": "fr-fr",
    "vi-vn": "vi",
    "no": "nb",
    "nn": "nb",
    "iw": "he",
}


class EspeakVoice:
    """A `Voice` (media/speech/voice.py). program: name or path of espeak-ng; speed: words a minute. Raises
    VoiceFault where it is not there.
    """

    def __init__(self, program: str = "espeak-ng", speed: int = SPEED) -> None:
        found = shutil.which(program)
        if found is None:
            raise VoiceFault("espeak-ng is not installed; as root: apt-get install -y espeak-ng", ever=True)
        self._program, self._speed = found, speed
        self._voices = _voices(found)
        self.name = "espeak-ng"
        self.languages = tuple(sorted(self._voices))
        self.why = f"espeak-ng has {len(set(self._voices.values()))} voices and takes no model"

    def say(self, text: str, language: str, gender: str = "", voice: str = "") -> ProcessSaying:
        """voice: as espeak-ng has it, such as "es-419" or "de+f2"; its variant goes before the gender."""
        wanted, _, variant = voice.partition("+")
        if language[:2].lower() == "ja" and HAN.search(text):
            raise VoiceFault("espeak-ng reads no kanji; Japanese takes a Piper voice", ever=True)
        base = self._voices.get(wanted.lower()) if wanted else nearest(language, self._voices)
        if base is None:
            raise VoiceFault(f"espeak-ng has no voice for {(voice or language)[:40]!r}", ever=True)
        if variant and not VARIANT.fullmatch(variant):
            raise VoiceFault(f"{variant[:20]!r} is no variant; see: espeak-ng --voices=variant", ever=True)
        variant = variant or GENDERS.get(gender, "")
        name = f"{base}+{variant}" if variant else base
        command = [self._program, "-v", name, "-s", str(self._speed), "-b", "1", "--stdin", "--stdout"]
        said = f"{text}\n".encode("utf-8", "replace")
        return ProcessSaying(f"espeak-ng {name}", command, said, rate=RATE, header=HEADER)

    def close(self) -> None:
        """Nothing is kept running between texts."""


def _voices(program: str) -> dict[str, str]:
    """The voices that espeak-ng lists, by their tags in lower case, and those of the tags that mean one."""
    try:
        listed = subprocess.run([program, "--voices"], capture_output=True, timeout=LISTING_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise VoiceFault(
            f"{program} --voices failed ({error}); reinstall espeak-ng and its data", ever=True
        ) from error
    found: dict[str, str] = {}
    for line in listed.stdout.decode("utf-8", "replace").splitlines()[1:]:
        parts = line.split()
        if len(parts) > 1:
            found.setdefault(parts[1].lower(), parts[1])
    return found | {tag: found[voice] for tag, voice in ALIASES.items() if voice in found}
