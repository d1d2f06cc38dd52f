"""queues.yaml as values: what a caller meets while waiting."""

from __future__ import annotations

from typing import Literal

from config.language import QueueSpeech
from config.pop import PopTemplate
from config.recording import QueueRecording
from config.setting import (
    Count,
    DestinationField,
    Language,
    MarketName,
    Name,
    RingSeconds,
    Seconds,
    Text,
    setting,
    settings,
)
from config.sound import QueueSound
from routing.queue import QueueSpec


@settings
class QueueSettings:
    name: Name = setting("The queue's name.", derived=True)
    title: Text = setting(
        "Shown on the phone of an agent who is offered a call; the queue's name when left out.", default=""
    )
    language: Language = setting("Language of prompts, and of the callers expected.")
    market: MarketName | None = setting("Market its calls belong to; the line's when left out.", default=None)
    welcome: tuple[Text, ...] = setting("Prompts a caller hears first, in order.", default=())
    music: Text = setting("Prompt looped while waiting.", default="music")
    announce_every_s: Seconds = setting(
        "Seconds between announcements while waiting; 0 for none.", default=30.0
    )
    announce_position: bool = setting("Say the caller's position.", default=True)
    announce_wait: bool = setting("Say the estimated wait.", default=True)
    ring_timeout_s: RingSeconds = setting(
        "How long an agent's phone rings before the next is tried.", default=20.0
    )
    max_wait_s: Seconds = setting("Longest wait before `overflow`; 0 for no limit.", default=0.0)
    max_length: Count = setting(
        "Callers waiting before newcomers go to `overflow`; 0 for no limit.", default=0
    )
    overflow: DestinationField | None = setting(
        "Where callers go when the wait or the queue is too long.", default=None
    )
    leave_key: Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#", ""] = setting(
        "Key a waiting caller presses to leave; empty for none.", default="*"
    )
    leave_to: DestinationField | None = setting(
        "Where a caller who pressed it goes; the call ends when left out.", default=None
    )
    wrap_up_s: Seconds = setting("Time an agent has for notes after a call.", default=10.0)
    max_misses: Count = setting("Missed calls in a row before the agent is paused; 0 for never.", default=3)
    keep_place_s: Seconds = setting(
        "How long a waiting caller whose call broke off has to call again and be where she was; 0 for not.",
        default=60.0,
    )
    priority: Count = setting("Callers of a queue with a higher one are served first.", default=0)

    screen_pop: PopTemplate = setting(
        "Page that an agent's page links while a call is offered and talked in; {number}, {name}, {call}, "
        "{queue}, {language}, {market} and {called} stand for the call's.",
        default="",
    )

    recording: QueueRecording = setting("Whether and how its calls are recorded.", default=QueueRecording())

    sound: QueueSound = setting("What is done with the sound of its calls.", default=QueueSound())

    speech: QueueSpeech = setting("What of it is put into words.", default=QueueSpeech())

    def spec(self) -> QueueSpec:
        """The queue as routing sees it."""
        return QueueSpec(
            name=self.name,
            title=self.title or self.name,
            language=self.language,
            market=self.market or "",
            welcome=self.welcome,
            music=self.music,
            announce_every_s=self.announce_every_s,
            announce_position=self.announce_position,
            announce_wait=self.announce_wait,
            ring_timeout_s=self.ring_timeout_s,
            max_wait_s=self.max_wait_s,
            max_length=self.max_length,
            overflow=self.overflow,
            leave_key=self.leave_key,
            leave_to=self.leave_to,
            wrap_up_s=self.wrap_up_s,
            max_misses=self.max_misses,
            keep_place_s=self.keep_place_s,
            priority=self.priority,
            screen_pop=self.screen_pop,
            recording=self.recording.terms(),
            sound=self.sound.terms(),
            speech=self.speech.terms(),
        )
