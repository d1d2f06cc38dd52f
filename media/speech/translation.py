"""What stands of an utterance, put into its readers' languages and, where they hear it, into a voice.

Each clause is a job once it stands, and so is its voice once it is translated; the guess after the clauses is
one while none of the reader's guesses is owed. Clips are given away in the order of their clauses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from media.speech.clause import Clause
from media.speech.jobs import AnyJob, AnyResult, Failed, Speak, Spoken, Translate, Translated
from media.speech.language import alike, joined
from media.speech.listener import Listener, Spell
from media.speech.messages import Clip, Rendered, SpeechEvent
from media.speech.rendering import Piece, Rendering
from media.speech.shedding import Kind
from media.speech.utterance import Revision, Stage

TRANSLATE_DUE_S, SPEAK_DUE_S, GUESS_DUE_S = 3.0, 4.0, 1.0
BEFORE = 200  # characters of what was said before that a translator is told
GUESS = -1  # in the place of a clause's number
NO_PAIR, FAILED, SHED = "no_pair", "failed", "shed"  # marks
NO_ROOM = "a voice cannot be written down; see the log, and make room on the disk of temporary files"


@dataclass(frozen=True, slots=True)
class Owed:
    """What a job is of: a clause by its number, or the guess."""

    listener: Listener
    spell: Spell
    rendering: Rendering
    number: int

    @property
    def piece(self) -> Piece:
        return self.rendering.pieces[self.number]


class Interpreter:
    """ask: gives a job to somebody, False when nobody does it. tell: takes events. write: makes a file of a
    voice, samples and Hz, and gives its path, "" where it cannot. does: whether there is time for such work
    of a leg's.
    """

    def __init__(
        self,
        ask: Callable[[AnyJob, float], bool],
        tell: Callable[[SpeechEvent], None],
        write: Callable[[bytes, int], str],
        does: Callable[[Kind, int], bool],
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._write = write
        self._does = does
        self._owed: dict[str, Owed] = {}
        self._keys = 0
        self._clips = 0

    def follow(
        self,
        listener: Listener,
        spell: Spell,
        rendering: Rendering,
        clauses: Sequence[Clause],
        revision: Revision,
        now: float,
    ) -> None:
        """The utterance's text is another now; clauses: those that stand since."""
        rendering.alike = alike(spell.language, rendering.into.language)
        rendering.whole = revision.over
        if rendering.alike:
            return
        if clauses:
            self._owed.pop(rendering.owed, None)  # a guess of what is a clause now would be read twice
            rendering.owed = ""
        for clause in clauses:
            rendering.pieces.append(Piece(clause, now))
            self._translate(Owed(listener, spell, rendering, len(rendering.pieces) - 1), now)
        if not revision.over and self._does(Kind.PARTIAL, listener.leg):
            self._guess(Owed(listener, spell, rendering, GUESS), revision, now)
        elif revision.over:
            rendering.guess = ""
        if clauses or revision.over:
            self._show(Owed(listener, spell, rendering, GUESS), now)

    def answered(self, job: AnyJob, result: AnyResult, now: float) -> None:
        """A translator's or a synthesiser's answer."""
        owed = self._owed.get(job.key)
        if owed is None:
            return
        if isinstance(result, Translated):
            del self._owed[job.key]
            self._translated(owed, result, now)
        elif isinstance(result, Spoken):
            owed.piece.pcm += result.pcm
            if result.over:
                del self._owed[job.key]
                owed.piece.by, owed.piece.rate, owed.piece.voiced = result.by, result.rate, True
                self._give(owed, now)

    def anew(self, job: Translate | Speak) -> Translate | Speak | None:
        """The same, to be asked of another from its beginning, under another key: the first may answer yet.
        None where nobody waits for it.
        """
        owed = self._owed.pop(job.key, None)
        if owed is None:
            return None
        asked = msgspec.structs.replace(job, key=self._key(owed))
        self._owed[asked.key] = owed
        if owed.number == GUESS:
            owed.rendering.owed = asked.key
        else:
            owed.piece.pcm.clear()
        return asked

    def failed(self, job: AnyJob, result: Failed, now: float) -> None:
        """It will not be done: a clause that is not translated stays in the original, and is marked."""
        owed = self._owed.pop(job.key, None)
        if owed is None:
            return
        if owed.number == GUESS:
            owed.rendering.owed = ""
        elif isinstance(job, Translate):
            owed.listener.unable("translate", result.why, self._tell)
            self._untranslated(owed, FAILED, now)
        else:
            owed.listener.unable("speak", result.why, self._tell)
            owed.piece.pcm.clear()  # half a sentence is not spoken
            owed.piece.voiced = True
            self._give(owed, now)

    def _translate(self, owed: Owed, now: float) -> None:
        into, clause = owed.rendering.into, owed.piece.clause
        before = joined([each.clause.text for each in owed.rendering.pieces[:-1]], owed.spell.language)
        job = Translate(
            self._key(owed), TRANSLATE_DUE_S, clause.text, owed.spell.language, into.language,
            into.market, into.formality, before[-BEFORE:],
        )  # fmt: skip
        self._owed[job.key] = owed
        if not owed.spell.language or not self._ask(job, now):
            del self._owed[job.key]
            why = f"nobody translates {owed.spell.language or 'a language that is not known'}"
            owed.listener.unable("translate", f"{why} into {into.language} here", self._tell)
            self._untranslated(owed, NO_PAIR, now)

    def _untranslated(self, owed: Owed, mark: str, now: float) -> None:
        owed.rendering.failed(owed.number, mark)
        owed.piece.voiced = True
        self._show(owed, now)
        self._give(owed, now)

    def _guess(self, owed: Owed, revision: Revision, now: float) -> None:
        """Translate what is not a clause yet, unless that is asked already, or was said the same before."""
        rendering = owed.rendering
        given = joined([each.clause.text for each in rendering.pieces], owed.spell.language)
        text = (revision.stands + revision.guess)[len(given) :].strip()
        if rendering.owed or not text or text == rendering.guessed or not owed.spell.language:
            return
        into = rendering.into
        key = self._key(owed)
        self._owed[key], rendering.owed, rendering.guessed = owed, key, text
        job = Translate(
            key, GUESS_DUE_S, text, owed.spell.language, into.language, into.market, into.formality
        )
        if not self._ask(job, now):
            del self._owed[key]
            rendering.owed = ""

    def _translated(self, owed: Owed, result: Translated, now: float) -> None:
        rendering = owed.rendering
        if owed.number == GUESS:
            rendering.owed = ""
            if not rendering.whole and rendering.waits == 0:
                rendering.guess = rendering.rewording.guess(result.text)
                self._show(owed, now)
            return
        owed.listener.able("translate", self._tell)
        rendering.translated(owed.number, result, now)
        rendering.guess = ""
        if rendering.written:
            owed.spell.utterance.lags.reach(Stage.TRANSLATED, now)
        self._show(owed, now)
        self._speak(owed, result.text, now)

    def _speak(self, owed: Owed, text: str, now: float) -> None:
        into = owed.rendering.into
        if into.voice == "off" or not text:
            owed.piece.voiced = True
        elif not self._does(Kind.VOICE, owed.listener.leg):
            owed.rendering.mark(SHED)
            owed.piece.voiced = True
        else:
            job = Speak(self._key(owed), SPEAK_DUE_S, text, into.language, into.gender)
            self._owed[job.key] = owed
            if self._ask(job, now):
                return
            del self._owed[job.key]
            owed.listener.unable("speak", f"nobody speaks {into.language} here", self._tell)
            owed.piece.voiced = True
        self._give(owed, now)

    def _give(self, owed: Owed, now: float) -> None:
        """Give away the clips that are next in order."""
        rendering, spell = owed.rendering, owed.spell
        while rendering.spoken < len(rendering.pieces) and rendering.pieces[rendering.spoken].voiced:
            piece = rendering.pieces[rendering.spoken]
            rendering.spoken += 1
            if not piece.pcm:
                continue
            path = self._write(bytes(piece.pcm), piece.rate)
            if not path:
                owed.listener.unable("speak", NO_ROOM, self._tell)
                continue
            owed.listener.able("speak", self._tell)
            spell.utterance.lags.reach(Stage.VOICED, now)
            self._clips += 1
            at = piece.clause.end
            self._tell(
                Clip(
                    self._clips, owed.listener.leg, rendering.into.leg, spell.utterance.number,
                    path, len(piece.pcm) / 2 / piece.rate,
                    piece.text or "", rendering.into.language, piece.by, at,
                    {stage: when - at for stage, when in spell.utterance.lags.at.items()}
                    | {Stage.VOICED: now - at},
                )
            )  # fmt: skip
            piece.pcm.clear()

    def _show(self, owed: Owed, now: float) -> None:
        """Tell the reader how it stands, when that is new."""
        rendering, spell = owed.rendering, owed.spell
        text = rendering.stands
        shown = text, rendering.guess, rendering.written, rendering.marks
        if shown == rendering.shown or not any(shown):
            return
        rendering.shown = shown
        rendering.serial += 1
        lag = now - spell.end if rendering.written and spell.ended else 0.0
        took = tuple(rendering.took_s)
        rendering.took_s.clear()
        self._tell(
            Rendered(
                owed.listener.leg, spell.utterance.number, rendering.into.leg, rendering.serial,
                rendering.into.language, text, rendering.guess, rendering.written, rendering.by,
                rendering.gist, rendering.via, rendering.marks, lag, took,
            )
        )  # fmt: skip

    def _key(self, owed: Owed) -> str:
        self._keys += 1
        return f"{owed.spell.stream}.t{self._keys}"
