"""An interpreter in a talk: what media/speech/interpretation.py decides, done to legs.

Clips are played under numbers below 0, which no other play has. Their files are deleted once they are over.
When the talk ends while the two go on to hear each other, they hear each other as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine.leg import Media
from engine.speech_events import InterpreterSpoke
from engine.states import State
from media.messages import Play, SetGain, Stop
from media.speech import interpretation as policy
from media.speech import messages as words
from media.speech import turns
from media.speech.interpretation import Act, Fault, Interpretation, Mode

if TYPE_CHECKING:
    from engine.speech.talk import Talk

MODES = {"off": Mode.CAPTIONS, "over": Mode.VOICE, "instead": Mode.VOICE_ONLY}
TIMER = "interpret"

log = structlog.get_logger("speech")


class Interpreting:
    """Of one talk. tell: shows a leg something, by name, with its facts. unspoken: takes clips that were not
    played, or not to their end, while they were to be. numbers: of clips, each new on the node, for ears
    begin again at 1.
    """

    def __init__(
        self,
        talk: Talk,
        terms: policy.Terms,
        tell: Callable[[policy.TellOf, float], None],
        unspoken: Callable[[words.Clip, float], None],
        numbers: Iterator[int],
    ) -> None:
        self._talk = talk
        self._numbers = numbers
        self._tell = tell
        self._unspoken = unspoken
        one, other = talk.legs
        self._policy = Interpretation(one, other, terms)
        self._clips: dict[int, words.Clip] = {}  # that are not over

    def choose(self, listener: int, voice: str, now: float) -> None:
        """How a side wants to hear the other: off, over or instead."""
        self._do(self._policy.choose(listener, MODES[voice], now), now)

    def voice(self, listener: int) -> str:
        mode = self._policy.mode(listener)
        return next(name for name, each in MODES.items() if each is mode)

    def fault(self, listener: int) -> str:
        """What keeps it from hearing one, the first by name; "" for nothing."""
        return min(self._policy.faults(listener), default="")

    def told(self, event: words.SpeechEvent, now: float) -> None:
        """Something that the ear tells of a leg of the talk."""
        policy = self._policy
        if isinstance(event, words.Clip):
            number = next(self._numbers)
            self._clips[number] = event
            clip = turns.Clip(number, event.seconds, event.at, event.text, event.lags)
            self._do(policy.clip(event.listener, clip, now), now)
        elif isinstance(event, words.Talking):
            self._do(policy.talking(event.leg, event.speaks, event.at, now), now)
        elif isinstance(event, words.Settled):
            self._do(policy.settled(event.leg, now), now)
        elif isinstance(event, words.Unable):
            change = policy.works if event.over else policy.fails
            self._do(change(event.leg, Fault(event.what), now), now)

    def all_ways(self, fault: Fault, works: bool, now: float) -> None:
        """Something that concerns whoever speaks."""
        for leg in self._talk.legs:
            change = self._policy.works if works else self._policy.fails
            self._do(change(leg, fault, now), now)

    def played(self, listener: int, play: int, now: float) -> None:
        """A clip is over, however it came to be."""
        self._forget(-play)
        self._do(self._policy.ended(listener, -play, now), now)

    def end(self, now: float) -> None:
        self._do(self._policy.end(now), now)
        self._talk.call.disarm(TIMER)
        for clip in list(self._clips):
            self._forget(clip)

    def _tick(self, now: float) -> None:
        self._do(self._policy.tick(now), now)

    def _do(self, acts: list[Act], now: float) -> None:
        for act in acts:
            if isinstance(act, policy.Original):
                self._gain(act)
            elif isinstance(act, policy.PlayClip):
                self._play(act, now)
            elif isinstance(act, policy.StopClip):
                self._send(act.listener, Stop(act.listener, -act.clip.number))
            elif isinstance(act, policy.DropClip):
                self._drop(act, now)
            else:
                self._tell(act, now)
        self._arm(now)

    def _play(self, act: policy.PlayClip, now: float) -> None:
        clip = self._clips.get(act.clip.number)
        self._send(
            act.listener, Play(act.listener, -act.clip.number, [clip.path if clip is not None else ""])
        )
        side = self._talk.legs[act.listener].side.value
        seconds, lag = round(act.clip.seconds, 2), round(act.lag_s, 3)
        self._talk.call.note(InterpreterSpoke, now, side=side, seconds=seconds, lag_s=lag)

    def _drop(self, act: policy.DropClip, now: float) -> None:
        clip = self._clips.get(act.clip.number)
        if clip is None:
            return
        self._forget(act.clip.number)
        wanted = act.listener in self._talk.legs and self._policy.mode(act.listener) is not Mode.CAPTIONS
        if wanted and act.why is not turns.Why.NEVER:
            self._unspoken(clip, now)

    def _gain(self, act: policy.Original) -> None:
        """Those who do not hear each other any more are left alone."""
        if self._talk.call.state is State.TALKING:
            self._send(act.listener, SetGain(act.speaker, act.listener, act.gain))

    def _send(self, listener: int, command: Play | Stop | SetGain) -> None:
        leg = self._talk.legs[listener]
        if leg.media is Media.OPEN and leg.number == listener:
            leg.send(command)

    def _forget(self, clip: int) -> None:
        known = self._clips.pop(clip, None)
        if known is not None:
            discard(known.path)

    def _arm(self, now: float) -> None:
        call, when = self._talk.call, self._policy.next_timeout()
        if when is None or call.ending:
            call.disarm(TIMER)
        else:
            call.arm_action(TIMER, max(0.0, when - now), self._tick, now)


def discard(path: str) -> None:
    """Delete a clip's file."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        log.warning("an interpreter's clip stays on the disk", path=path, why=str(error))
