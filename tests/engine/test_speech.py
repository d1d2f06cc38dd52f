"""Who is put into words, and what becomes of it: follows from the call's state, and never holds it up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.events import Side
from engine.speech.sight import speech_view
from engine.speech_events import LanguageFound, SpeechStrained
from engine.speech_views import CannotView
from engine.states import State
from engine.views import Caption, LegSide
from media.messages import Play, Tap, Untap
from media.speech.jobs import Offer
from media.speech.messages import (
    Attend,
    Clip,
    Crafts,
    Ignore,
    Rendered,
    Said,
    Speaks,
    SpeechCommand,
    SpeechEvent,
    Strained,
    Talking,
    Unable,
)
from media.speech.shedding import Level
from routing.queue import SpeechTerms
from sip.uri import Uri
from tests.sim.house import DOMAIN
from tests.sim.stage import Stage, Voice


class Ear:
    """Takes down what is asked of it."""

    taps = "/ear"

    def __init__(self) -> None:
        self.asked: list[SpeechCommand] = []
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    def send(self, command: SpeechCommand) -> None:
        self.asked.append(command)


class Scene(Stage):
    """A queue of Spanish callers whose agents speak English."""

    def __init__(self, folder: Path, terms: SpeechTerms, **more: object) -> None:
        super().__init__(folder, **more)  # type: ignore[arg-type]
        switch = self.house.switch
        queue = switch.acd.queues["support"]
        spec = replace(queue.spec, language="es", speech=terms)
        switch.acd.queues["support"] = replace(queue, spec=spec)
        self.ear = Ear()
        self.speech = switch.speech
        self.speech.ear = self.ear
        self.shown: list[Caption] = []
        self.speech.show = self.shown.append
        self.taps: list[Tap | Untap] = []
        self.played: list[Play] = []
        send = switch.media.send

        def watched(worker: int, command: object) -> None:
            if isinstance(command, Play):
                self.played.append(command)
            if isinstance(command, Tap | Untap) and command.to == self.ear.taps:
                self.taps.append(command)
            send(worker, command)  # type: ignore[arg-type]

        switch.media.send = watched  # type: ignore[method-assign]

    @property
    def attended(self) -> set[int]:
        """Legs that the ear hears now."""
        heard: set[int] = set()
        for command in self.ear.asked:
            if isinstance(command, Attend):
                heard.add(command.leg)
            elif isinstance(command, Ignore):
                heard.discard(command.leg)
        return heard

    @property
    def tapped(self) -> set[int]:
        on: set[int] = set()
        for command in self.taps:
            (on.add if isinstance(command, Tap) else on.discard)(command.leg)
        return on

    @property
    def legs(self) -> tuple[int, int]:
        """The customer's and the agent's."""
        assert self.call.customer is not None and self.call.party is not None
        return self.call.customer.number, self.call.party.number

    def told(self, *events: SpeechEvent) -> None:
        for event in events:
            self.speech.told(event, self.world.now)


def said(leg: int, serial: int, stands: str, guess: str = "", over: bool = False, utterance: int = 1) -> Said:
    return Said(leg, utterance, serial, stands, guess, 1.0, 2.0, over, "es", by="script", low=True)


def rendered(leg: int, reader: int, serial: int, stands: str, over: bool = False, **more: object) -> Rendered:
    return Rendered(leg, 1, reader, serial, "en", stands, "", over, by="book", gist=True, **more)  # type: ignore[arg-type]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, SpeechTerms(captions=True))


def to_talk(scene: Scene) -> Voice:
    customer = scene.customer()
    scene.run(8.0)
    assert scene.call.state is State.TALKING
    return customer


def test_both_are_heard_from_when_they_talk_until_they_do_not(scene: Scene) -> None:
    scene.customer()
    scene.run(0.5)
    assert scene.ear.woken and not scene.attended  # there is nothing to hear of music
    scene.run(8.0)
    assert scene.attended == scene.tapped == set(scene.legs)
    scene.house.switch.hang_up(scene.call.id, scene.world.now)
    scene.house.host.pump()
    assert not scene.attended


def test_each_is_expected_to_speak_her_own_language_and_reads_the_others_in_it(scene: Scene) -> None:
    to_talk(scene)
    customer, agent = (each for each in scene.ear.asked if isinstance(each, Attend))
    assert (customer.languages, customer.into[0].language) == (("es",), "en")
    assert (agent.languages, agent.into[0].language) == (("en",), "es")
    assert customer.into[0].leg == agent.leg and customer.into[0].voice == "off"


def test_an_interpreter_speaks_where_the_queue_says_so_and_languages_differ(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over", "female"))
    to_talk(scene)
    assert {
        (each.into[0].voice, each.into[0].gender) for each in scene.ear.asked if isinstance(each, Attend)
    } == {("over", "female")}


def test_who_turns_out_to_speak_another_language_reads_and_hears_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over", detect=("pt", "en")))
    to_talk(scene)
    customer, agent = scene.legs
    expected = {each.leg: each for each in scene.ear.asked if isinstance(each, Attend)}
    told: list[object] = []
    scene.house.switch.observers.append(told.append)
    assert expected[customer].languages == ("es", "pt", "en") and expected[agent].languages == ("en",)
    scene.told(Speaks(customer, "pt"))
    found = {each.leg: each for each in scene.ear.asked if isinstance(each, Attend)}
    assert found[customer].languages == ("pt", "es", "en")
    assert found[agent].into[0].language == "pt" and found[agent].into[0].voice == "over"
    noted = [event for event in told if isinstance(event, LanguageFound)]
    assert [(each.side, each.language) for each in noted] == [("customer", "pt")]


def test_no_interpreter_speaks_once_both_turn_out_to_share_a_language(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "instead", detect=("en",)))
    to_talk(scene)
    customer, agent = scene.legs
    scene.told(Speaks(customer, "en"))
    voices = {each.into[0].voice for each in scene.ear.asked[-2:] if isinstance(each, Attend)}
    assert voices == {"off"}
    assert scene.speech.interpreter(scene.call.id, agent) == ("off", "")
    scene.told(Speaks(customer, "es"))
    assert scene.speech.interpreter(scene.call.id, agent)[0] == "instead"


def test_nobody_is_heard_while_one_is_held(scene: Scene) -> None:
    customer = to_talk(scene)
    customer.hold()
    scene.run(0.5)
    assert not scene.attended and not scene.tapped
    customer.take_back()
    scene.run(0.5)
    assert scene.attended == scene.tapped == set(scene.legs)


def test_a_queue_that_wants_nothing_of_it_has_nothing_of_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms())
    to_talk(scene)
    assert not scene.ear.asked and not scene.ear.woken


def test_a_sentence_grows_in_its_caption_and_ends_with_its_translation(scene: Scene) -> None:
    to_talk(scene)
    customer, agent = scene.legs
    scene.told(said(customer, 1, "", "mi"), said(customer, 2, "mi", " pedido"))
    scene.told(said(customer, 3, "mi pedido no llegó", over=True))
    scene.told(rendered(customer, agent, 1, "my order did not arrive", over=True))
    assert [each.text for each in scene.shown] == [
        "mi",
        "mi pedido",
        "mi pedido no llegó",
        "mi pedido no llegó",
    ]
    assert {each.line for each in scene.shown} == {1} and {each.side for each in scene.shown} == {
        LegSide.CUSTOMER
    }
    last = scene.shown[-1]
    assert (last.translation, last.to, last.final) == ("my order did not arrive", "en", True)
    assert not scene.shown[-2].final  # its translation was to come
    assert last.low_accuracy and last.gist and (last.by, last.translated_by) == ("script", "book")


def test_a_caption_says_how_much_of_its_end_may_still_change(scene: Scene) -> None:
    to_talk(scene)
    customer, agent = scene.legs
    scene.told(said(customer, 1, " mi", " pedido "), said(customer, 2, " mi pedido", ""))
    scene.told(Rendered(customer, 1, agent, 1, "en", "my", "order", False))
    assert [(each.text, each.guess) for each in scene.shown[:2]] == [("mi pedido", 7), ("mi pedido", 0)]
    assert (scene.shown[-1].translation, scene.shown[-1].guess_translated) == ("my order", 5)


def test_a_side_sees_how_both_hear_each_other_and_what_keeps_an_interpreter_away(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over"))
    to_talk(scene)
    customer, _ = scene.legs
    scene.speech.choose(scene.call.id, Side.CUSTOMER, "off", scene.world.now)
    scene.told(Unable(customer, "hear", "nobody hears es"))
    seen = speech_view(scene.call, Side.AGENT), speech_view(scene.call, Side.CUSTOMER)
    assert [(each.voice, each.fault) for each in seen if each] == [("over", "hear"), ("off", "")]
    assert [(each.voice_there, each.fault_there) for each in seen if each] == [("off", ""), ("over", "hear")]
    assert seen[0] is not None and seen[0].cannot == (CannotView(what="hear", why="nobody hears es"),)


def test_a_sentence_without_a_translation_is_final_and_says_why(scene: Scene) -> None:
    to_talk(scene)
    customer, agent = scene.legs
    scene.told(
        said(customer, 1, "hola", over=True), rendered(customer, agent, 1, "", over=True, marks=("no_pair",))
    )
    assert scene.shown[-1].final and scene.shown[-1].marks == ("no_pair",) and not scene.shown[-1].translation


def test_an_older_version_that_comes_late_changes_nothing(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.told(said(customer, 5, "hola buenos", over=False), said(customer, 4, "hola"))
    assert [each.text for each in scene.shown] == ["hola buenos"]


def test_captions_of_a_second_talk_of_the_call_go_on_where_the_first_ended(scene: Scene) -> None:
    phone = to_talk(scene)
    customer, _ = scene.legs
    scene.told(said(customer, 1, "hola", over=True))
    phone.hold()
    scene.run(0.5)
    phone.take_back()
    scene.run(0.5)
    scene.told(said(customer, 1, "sigo aquí", over=True, utterance=2))
    assert [each.line for each in scene.shown] == [1, 2]


def test_last_words_are_taken_after_the_call_is_over(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.house.switch.hang_up(scene.call.id, scene.world.now)
    scene.house.host.pump()
    scene.told(said(customer, 1, "adiós", over=True))
    assert scene.shown[-1].text == "adiós"


def test_an_ear_that_died_leaves_what_stood_and_the_next_hears_on(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.told(said(customer, 2, "mi pedido", " no"))
    scene.speech.lost(scene.world.now)
    assert scene.shown[-1].text == "mi pedido"
    scene.ear.asked.clear()
    scene.speech.ready(scene.world.now)
    assert scene.attended == set(scene.legs)


def test_another_ear_takes_over_in_the_middle_of_a_talk(scene: Scene) -> None:
    to_talk(scene)
    customer, agent = scene.legs
    scene.told(said(customer, 2, "mi pedido", " no"), Strained(Level.PARTIALS, 1.4, "no guesses"))
    other = Ear()
    other.taps = "/other"
    scene.speech.move(other, scene.world.now)
    assert scene.shown[-1].text == "mi pedido" and not scene.tapped
    assert scene.speech.strained == ""  # that was the former one's
    scene.ear = other
    scene.speech.ready(scene.world.now)
    assert scene.attended == scene.tapped == {customer, agent}


def test_an_ear_is_there_for_the_first_time_and_hears_the_calls_that_begin_then(scene: Scene) -> None:
    ear, scene.speech.ear = scene.ear, None
    to_talk(scene)
    scene.speech.move(ear, scene.world.now)
    scene.speech.ready(scene.world.now)
    assert not scene.attended
    for leg in scene.house.switch.legs.values():
        scene.speech.reconsider(leg.call, scene.world.now)
    assert scene.attended == scene.tapped == set(scene.legs)


def test_the_next_ear_counts_from_one_again_and_its_captions_and_clips_are_new_ones(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over"))
    to_talk(scene)
    customer, agent = scene.legs

    def clip() -> Path:
        path = tmp_path / f"{len(list(tmp_path.glob('clip*')))}-clip.wav"
        path.write_bytes(b"")
        at = scene.world.now
        scene.told(Clip(1, customer, agent, 1, str(path), 0.5, "hello", "en", "voice", at))
        return path

    scene.told(said(customer, 7, "hola", over=True))
    clip()
    scene.run(1.0)
    scene.speech.lost(scene.world.now)
    scene.speech.ready(scene.world.now)
    scene.told(said(customer, 1, "sigo aquí", over=True))
    assert [(each.line, each.text) for each in scene.shown] == [(1, "hola"), (2, "sigo aquí")]
    plays = [each for each in scene.played if each.play < 0]
    clip()
    later = [each for each in scene.played if each.play < 0]
    assert len(later) == len(plays) + 1 and len({each.play for each in later}) == len(later)


def test_a_clip_that_nobody_is_there_for_leaves_no_file(scene: Scene, tmp_path: Path) -> None:
    to_talk(scene)
    customer, agent = scene.legs
    path = tmp_path / "clip.wav"
    for leg in (customer, 999):
        path.write_bytes(b"")
        scene.told(Clip(1, leg, agent, 1, str(path), 0.5, "hello", "en", "voice", scene.world.now))
        assert not path.exists()


def test_what_speech_goes_without_is_told_and_kept_in_the_journal(scene: Scene) -> None:
    told: list[object] = []
    scene.house.switch.observers.append(told.append)
    scene.told(Strained(Level.PARTIALS, 1.2, "captions come late"))
    assert scene.speech.strained == "captions come late"
    assert [each.level for each in told if isinstance(each, SpeechStrained)] == [1]
    scene.told(Strained(Level.NOTHING, 0.4, "all of it is done"))
    assert scene.speech.strained == ""


def test_what_cannot_be_done_is_known_until_it_can(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.told(Unable(customer, "hear", "nobody hears es"))
    assert scene.speech.faults == {(customer, "hear"): "nobody hears es"}
    scene.told(Unable(customer, "hear", "", over=True))
    assert not scene.speech.faults


def test_who_does_what_is_known_as_the_ear_tells_it(scene: Scene) -> None:
    offer = Offer("hear", "sphinx", ("en",), low=True)
    scene.told(Crafts([offer]))
    assert scene.speech.offers == (offer,)
    scene.speech.lost(scene.world.now)
    assert scene.speech.offers == ()


def test_last_words_that_come_after_a_hold_stay_in_their_caption(scene: Scene) -> None:
    phone = to_talk(scene)
    customer, agent = scene.legs
    scene.told(said(customer, 1, "mi pedido"))
    phone.hold()
    scene.run(0.5)
    scene.told(said(customer, 1, "y otra", utterance=2))  # its first words come while they wait
    phone.take_back()
    scene.run(0.5)
    scene.told(said(customer, 1, "sigo", utterance=3))
    scene.told(said(customer, 2, "mi pedido no", over=True), rendered(customer, agent, 1, "my order"))
    scene.told(said(customer, 2, "y otra cosa", over=True, utterance=2))
    assert [(each.line, each.text) for each in scene.shown] == [
        *[(1, "mi pedido"), (2, "y otra"), (3, "sigo")],
        *[(1, "mi pedido no"), (1, "mi pedido no"), (2, "y otra cosa")],
    ]


def test_the_last_words_of_who_was_left_are_not_spoken_to_who_goes_on_with_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over"), agents=2)
    to_talk(scene)
    customer, left = scene.legs
    agent, colleague = scene.agents
    if agent.session is None:
        agent, colleague = colleague, agent
    assert agent.session is not None
    agent.session.refer(Uri.parse(f"sip:{colleague.name}@{DOMAIN}"), now=scene.world.now)
    agent.host.pump()
    scene.run(6.0)
    assert scene.call.state is State.TALKING and left not in scene.legs
    path = tmp_path / "clip.wav"
    path.write_bytes(b"")
    before = len(scene.played)
    scene.told(Clip(1, left, customer, 1, str(path), 0.5, "adiós", "es", "voice", scene.world.now))
    assert not path.exists() and len(scene.played) == before


def test_of_who_is_not_heard_any_more_nothing_is_remembered_as_not_possible(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.house.switch.hang_up(scene.call.id, scene.world.now)
    scene.house.host.pump()
    scene.told(Unable(customer, "translate", "no answer came"))
    assert not scene.speech.faults


def test_a_call_that_is_over_feels_nothing_whatever_comes_late(scene: Scene) -> None:
    to_talk(scene)
    customer, _ = scene.legs
    scene.told(said(customer, 1, "es una vergüenza", over=True))
    feelings = scene.house.switch.feelings
    assert feelings.of(scene.call.id, "customer").reasons
    scene.house.switch.hang_up(scene.call.id, scene.world.now)
    scene.run(1.0)
    scene.told(Talking(customer, False, 2.0), said(customer, 1, "una vergüenza", over=True, utterance=2))
    assert not feelings._calls


def test_a_caption_says_that_its_interpreter_was_not_heard(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over"))
    to_talk(scene)
    customer, agent = scene.legs
    path = tmp_path / "clip.wav"

    def clip(utterance: int, at: float) -> None:
        path.write_bytes(b"")
        scene.told(Clip(1, customer, agent, utterance, str(path), 0.5, "hello", "en", "voice", at))

    scene.told(said(customer, 1, "hola", over=True), rendered(customer, agent, 1, "hello", over=True))
    clip(1, scene.world.now)  # it is played
    shown = len(scene.shown)
    scene.told(said(customer, 1, "sigo aquí", over=True, utterance=2))
    clip(2, scene.world.now - 60.0)  # it comes far too late
    assert not path.exists()
    assert [(each.line, each.marks) for each in scene.shown[shown:]] == [(2, ()), (2, ("unspoken",))]
    scene.speech.choose(scene.call.id, Side.AGENT, "off", scene.world.now)
    scene.told(said(customer, 1, "adiós", over=True, utterance=3))
    clip(3, scene.world.now)  # that nobody wants to hear any more
    assert not path.exists() and scene.shown[-1].marks == ()


def test_what_was_found_and_chosen_is_known_after_a_hold(tmp_path: Path) -> None:
    scene = Scene(tmp_path, SpeechTerms(True, "over", detect=("pt",)))
    phone = to_talk(scene)
    customer, agent = scene.legs
    scene.told(Speaks(customer, "pt"))
    scene.speech.choose(scene.call.id, Side.AGENT, "off", scene.world.now)
    phone.hold()
    scene.run(0.5)
    scene.ear.asked.clear()
    phone.take_back()
    scene.run(0.5)
    expected = {each.leg: each for each in scene.ear.asked if isinstance(each, Attend)}
    assert expected[customer].languages[0] == expected[agent].into[0].language == "pt"
    assert (expected[customer].into[0].voice, expected[agent].into[0].voice) == ("off", "over")
    assert scene.speech.interpreter(scene.call.id, agent)[0] == "off"
    assert scene.speech.interpreter(scene.call.id, customer)[0] == "over"
