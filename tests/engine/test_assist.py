"""What helps agents while they talk is on their pages as soon as it is wanted, and no oftener."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from engine import understanding
from engine.agent_desk import Desks, Watch
from engine.api.app import create_app
from engine.assist import KEPT, PACE_S
from engine.assist_views import Help, HelpKind
from engine.store import database, migrate
from engine.store.transcripts import TextFilter, Transcripts
from engine.understanding import Library
from media.speech.knowledge import Passage
from media.speech.market import Forms, Market, Taboo, Term
from media.speech.mood import Alarm, Level, Turn
from media.speech.transcript import Line
from routing.queue import SpeechTerms
from tests.engine.api_node import READ, SETTINGS, Node
from tests.engine.test_api import Client
from tests.engine.test_speech import Scene, rendered, said, to_talk

PORK = Taboo("pork", {"en": {"pork": "turkey"}}, {"en": "Not for readers there."}, "always")
KYC = Term("kyc", {"en": Forms("identity check", also=("KYC",)), "es": Forms("comprobación de identidad")})
ENGLISH = Market("en-GB", "en-GB", phrases={"soothe": ("I understand.", "I would feel the same.")})
SPANISH = Market(
    "es-ES",
    "es-ES",
    terms=(KYC,),
    taboos=(PORK,),
    urgent=("ambulancia",),
    required={"greet": ("buenos días",)},
)
PARCEL = Passage(
    "service.en.md", "Where a parcel is", "Look it up by its number.", "en", also=("not arrived",)
)


class Talk(Scene):
    """A Spanish customer talks to agent0, who reads English, with her page open."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SpeechTerms(captions=True))
        switch = self.house.switch
        switch.config = replace(
            switch.config,
            markets={"en-GB": ENGLISH, "es-ES": SPANISH},
            knowledge={"service.en.md": (PARCEL,)},
        )
        self.desks = Desks(switch)
        self.store = database.connect(f"sqlite:///{folder}/isogloss.db")
        self.kept = Transcripts(self.store)
        self.node = understanding.of_node(switch, self.kept, self.desks)
        self.assist = self.node.assist
        to_talk(self)
        self.page: Watch = self.desks.open("agent0", lambda: None)

    @property
    def helps(self) -> list[Help]:
        return [each for each in self.page.notes if isinstance(each, Help)]

    def says(self, text: str, translation: str = "", side: str = "customer", utterance: int = 1) -> None:
        line = Line(
            self.call.id, side, utterance, 1.0, 2.0, "es" if side == "customer" else "en", text, translation
        )
        self.assist.said(self.call, line, self.world.now)

    def feels(self, level: Level, worse: bool = True) -> None:
        self.assist.felt(Turn(self.call.id, "customer", level, -0.6, worse, (), 1.0), self.world.now)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path)


def test_what_the_customer_asks_is_answered_in_the_agents_language_with_the_words(
    talk: Talk,
) -> None:
    customer, agent = talk.legs
    talk.told(said(customer, 1, "mi paquete"))
    assert talk.helps == []  # not translated yet
    talk.told(rendered(customer, agent, 1, "my parcel has not"))
    (help,) = talk.helps
    assert (help.kind, help.title, help.source) == (HelpKind.ANSWER, "Where a parcel is", "service.en.md")
    assert talk.assist.given(talk.call.id) == (help,)
    assert [each.text for each in talk.node.minutes.lines(talk.call.id)] == ["mi paquete"]


def test_the_same_is_not_told_twice_while_the_sentence_grows(talk: Talk) -> None:
    for text in ("my parcel", "my parcel has not", "my parcel has not arrived"):
        talk.says("…", text)
    assert len(talk.helps) == 1


def test_answers_do_not_come_one_upon_the_other(talk: Talk) -> None:
    other = replace(PARCEL, title="Damaged goods", text="Send another.", also=("broken",))
    talk.house.switch.config = replace(talk.house.switch.config, knowledge={"a.en.md": (PARCEL, other)})
    talk.assist._knowledge = Library(lambda: talk.house.switch.config)
    talk.says("…", "the parcel has not arrived")
    talk.says("…", "and the goods are damaged and broken", utterance=2)
    assert [each.title for each in talk.helps] == ["Where a parcel is"]
    talk.run(PACE_S)
    talk.says("…", "the goods are damaged and broken", utterance=3)
    assert [each.title for each in talk.helps] == ["Where a parcel is", "Damaged goods"]


def test_who_becomes_upset_brings_a_phrase_that_the_agent_can_say_each_in_its_turn(talk: Talk) -> None:
    talk.feels(Level.UNEASY)
    talk.feels(Level.UPSET)
    talk.feels(Level.FINE, worse=False)
    assert [(each.kind, each.title, each.language) for each in talk.helps] == [
        (HelpKind.SOOTHE, "I understand.", "en-GB"),
        (HelpKind.SOOTHE, "I would feel the same.", "en-GB"),
    ]


def test_an_angry_sentence_of_the_customers_is_enough_for_that(talk: Talk) -> None:
    customer, _ = talk.legs
    talk.told(said(customer, 1, "esto es una vergüenza, quiero hablar con el supervisor"))
    assert [each.kind for each in talk.helps] == [HelpKind.SOOTHE]


def test_an_urgent_word_of_the_market_is_told(talk: Talk) -> None:
    customer, _ = talk.legs
    talk.told(said(customer, 1, "necesito una ambulancia"))
    assert [(each.kind, each.title) for each in talk.helps] == [(HelpKind.URGENT, "ambulancia")]


def test_a_word_that_is_better_not_said_there_is_warned_of_with_another(talk: Talk) -> None:
    talk.house.switch.config = replace(talk.house.switch.config, markets={"es-ES": SPANISH})
    talk.says("we also have pork", "también tenemos cerdo", side="agent")
    (help,) = talk.helps
    assert (help.kind, help.title, help.instead) == (HelpKind.TABOO, "pork", "turkey")
    assert help.text == "Not for readers there."


def test_an_answer_is_given_in_words_that_will_do_in_the_customers_market(talk: Talk) -> None:
    switch = talk.house.switch
    meals = Passage("m.md", "Meals", "We serve pork.", "en", also=("pork menu",))
    switch.config = replace(switch.config, knowledge={"m.md": (meals,)})
    talk.says("¿qué hay de comer?", "is there a pork menu?")
    assert [each.text for each in talk.helps if each.kind is HelpKind.ANSWER] == ["We serve turkey."]


def test_what_the_agent_says_is_not_answered_and_what_she_feels_soothes_nobody(talk: Talk) -> None:
    talk.says("my parcel has not arrived", side="agent")
    talk.assist.felt(Turn(talk.call.id, "agent", Level.UPSET, -0.6, True, (), 1.0), talk.world.now)
    talk.assist.felt(Alarm("nobody", "customer", 1, "fire", 1.0), talk.world.now)
    assert talk.helps == []


def test_a_word_is_looked_up_in_both_languages_and_in_what_is_known(talk: Talk) -> None:
    term, *_ = talk.assist.look_up("agent0", talk.call.id, "KYC", talk.world.now)
    assert (term.kind, term.title) == (HelpKind.TERM, "identity check")
    assert term.text == "comprobación de identidad · KYC"
    (answer,) = talk.assist.look_up("agent0", "", "parcel arrived", talk.world.now)
    assert answer.kind is HelpKind.ANSWER
    for nothing in ("", "  ", "?", "x" * 100_000, "\ud800"):
        assert talk.assist.look_up("agent0", talk.call.id, nothing, talk.world.now) == ()


def test_what_is_kept_of_a_call_is_bounded_and_goes_with_it(talk: Talk) -> None:
    for at in range(200):
        talk.assist.felt(Alarm(talk.call.id, "customer", at, f"word{at}", 1.0), talk.world.now)
    assert len(talk.assist.given(talk.call.id)) == KEPT
    id = talk.call.id
    talk.house.switch.hang_up(id, talk.world.now)
    talk.run(8.0)
    assert talk.assist.given(id) == ()


def test_another_configurations_knowledge_is_made_ready_beside_the_calls(talk: Talk) -> None:
    config = talk.house.switch.config
    current: list[Mapping[str, tuple[Passage, ...]]] = [config.knowledge]
    library = Library(lambda: replace(config, knowledge=current[0]))
    assert len(library()) == 1
    current[0] = {"service.en.md": (PARCEL, replace(PARCEL, title="Another"))}
    library._change(current[0])  # what its thread does
    library._files = current[0]
    library._change(current[0])
    assert len(library()) == 2


def test_a_call_that_was_put_into_words_is_kept_with_its_review_when_it_is_over(talk: Talk) -> None:
    migrate.upgrade(talk.store)
    customer, agent = talk.legs
    talk.told(said(customer, 1, "mi paquete no ha llegado, esto es una vergüenza", over=True))
    talk.told(rendered(customer, agent, 1, "my parcel has not arrived, this is a disgrace", over=True))
    call = talk.call.id
    talk.house.switch.hang_up(call, talk.world.now)
    talk.run(8.0)
    talk.node.after.start()
    talk.node.after.close()
    found, lines = talk.kept.review(call), talk.kept.lines(call)
    assert found is not None and lines is not None
    assert (found.agent, found.outcome, found.topics) == ("agent0", "unresolved", ("delivery",))
    assert found.moods["customer"].reasons[0] == "vergüenza"
    assert [(each.side, each.low, each.gist) for each in lines] == [("customer", True, True)]
    assert found.summary == "customer: my parcel has not arrived, this is a disgrace"
    assert [each.review.call for each in talk.kept.page(TextFilter(words="disgrace")).items] == [call]


def test_last_words_of_a_call_that_is_over_bring_no_help_and_leave_nothing(talk: Talk) -> None:
    call = talk.call
    talk.house.switch.hang_up(call.id, talk.world.now)
    talk.run(1.0)
    talk.assist.said(
        call, Line(call.id, "customer", 1, 1.0, 2.0, "en", "my parcel has not arrived"), talk.world.now
    )
    assert talk.helps == [] and not talk.assist._calls


# --- the page and the API ---------------------------------------------------------------------------


def test_the_api_shows_what_an_agent_was_told_and_looks_things_up() -> None:
    ask = Client(create_app(Node(), SETTINGS))
    (found,) = ask("GET", "/v1/assist?words=parcel", READ).json()["items"]
    assert (found["kind"], found["title"], found["source"]) == (
        "answer",
        "Where a parcel is",
        "service.en.md",
    )
    assert ask("GET", "/v1/assist?words=nothing", READ).json() == {"items": []}
    assert ask("GET", "/v1/assist", READ).status_code == 422
    assert ask("GET", "/v1/calls/c1/assist", READ).status_code == 403
    assert ask("GET", "/v1/calls/nobody/assist", "writer-token-0123456789").status_code == 404
