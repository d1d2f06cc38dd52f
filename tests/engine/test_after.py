"""What becomes of calls when they are over: rules, topics, outcome, summary; all of them, and none waits."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from config.load import SHIPPED, load
from engine.after import quality
from engine.after.desk import DAY_S, After, Terms
from engine.after.endpoint import Endpoint
from engine.after.facts import Facts, Hold, says
from engine.after.minutes import Minutes
from engine.after.outcome import outcome
from engine.after.review import moods
from engine.after.summary import summary
from engine.after.topics import of_language, topics
from engine.events import CallHeld, CallResumed, CallWrappedUp, Side
from engine.speech_events import MoodTurned
from engine.store import database, migrate
from engine.store.errors import StoreUnavailable
from engine.store.transcripts import Mark, Review, Said, TextFilter, Transcripts
from media.speech.io.lexica import languages, shipped
from media.speech.transcript import Line
from tests.engine.store_samples import T0, record


class Anything(dict[str, str]):
    """Whatever is filled in."""

    def __missing__(self, name: str) -> str:
        return "Alice"


ANY = Anything()
GREET = ("good morning, how can I help you",)
HOLD = ("may I put you on hold for a moment",)
CALL = [
    ("agent", 2.0, 5.0, "Good morning, this is Alice, how can I help you?"),
    ("customer", 5.5, 9.0, "My parcel has not arrived and I am really annoyed"),
    ("agent", 9.5, 12.0, "I am sorry about the parcel. May I put you on hold for a moment?"),
    ("agent", 40.0, 44.0, "Thank you for waiting, the parcel is in Leeds and comes tomorrow"),
    ("customer", 44.5, 47.0, "Oh brilliant, thank you so much"),
    ("agent", 47.5, 50.0, "Is there anything else I can do for you?"),
    ("customer", 50.5, 52.0, "No, that is all, you have been very helpful"),
]


def lines(said: list[tuple[str, float, float, str]], language: str = "en-GB") -> list[Line]:
    return [Line("c1", *each[:1], at, *each[1:3], language, each[3]) for at, each in enumerate(said)]


def facts(said: list[tuple[str, float, float, str]] | None = None, **changes: object) -> Facts:
    known = {
        "connected": 1.0,
        "ended": 53.0,
        "holds": (Hold("agent", 12.5, 39.0),),
        "language": "en-GB",
        "phrases": {"greet": GREET, "hold": HOLD},
        "required": {"close": ("is there anything else I can do",)},
        "reads": "en-GB",
    }
    return Facts(lines(CALL if said is None else said), **{**known, **changes})  # type: ignore[arg-type]


def judged(of: Facts) -> dict[str, Mark]:
    return {each.rule: each for each in quality.marks(of)}


def test_a_good_call_passes_every_rule() -> None:
    marks = judged(facts())
    assert {name: each.passed for name, each in marks.items()} == dict.fromkeys(marks, True)
    assert list(marks) == ["greeting", "hold", "talk_over", "dead_air", "required"]
    assert quality.score(list(marks.values())) == 100.0


def test_who_does_not_greet_is_told_what_was_missing() -> None:
    mark = judged(facts([("agent", 2.0, 3.0, "Yes?"), *CALL[1:]]))["greeting"]
    assert (mark.passed, mark.quote, mark.missing) == (False, "Yes?", GREET)


def test_a_greeting_that_comes_late_is_none() -> None:
    late = [(side, begin + 30, end + 30, text) for side, begin, end, text in CALL]
    assert judged(facts(late))["greeting"].passed is False


def test_a_hold_is_announced_and_short() -> None:
    assert judged(facts([CALL[0], CALL[1], *CALL[3:]]))["hold"].missing == HOLD
    bearing = [*CALL[:2], ("agent", 9.5, 12.0, "Bear with me, please"), *CALL[3:]]
    assert judged(facts(bearing))["hold"].passed is True
    mark = judged(facts(holds=(Hold("agent", 12.5, 200.0),)))["hold"]
    assert (mark.passed, mark.seconds) == (False, 187.5)
    assert judged(facts(holds=(Hold("customer", 12.5, 300.0),)))["hold"].passed is None


def test_talking_over_the_customer_counts_for_who_began_it() -> None:
    over = [*CALL[:2], ("agent", 6.0, 12.0, "Let me just stop you there"), *CALL[3:]]
    mark = judged(facts(over))["talk_over"]
    assert (mark.passed, mark.seconds, mark.quote) == (False, 3.0, "Let me just stop you there")
    interrupted = [*CALL[:2], ("customer", 9.6, 12.0, "and nobody calls me"), *CALL[2:]]
    assert judged(facts(interrupted))["talk_over"].passed is True


def test_silence_counts_but_not_on_hold() -> None:
    mark = judged(facts(holds=()))["dead_air"]
    assert (mark.passed, mark.seconds) == (False, 28.0)
    assert mark.quote.startswith("I am sorry about the parcel")


def test_what_the_market_requires_is_said_in_the_markets_language_or_translated_into_it() -> None:
    assert judged(facts(CALL[:5]))["required"].missing == ("is there anything else I can do",)
    spoken = Line("c1", "agent", 9, 47.5, 50.0, "es-ES", "¿Algo más?", CALL[5][3])
    of = facts(CALL[:5])
    assert judged(Facts(**{**_fields(of), "lines": [*of.lines, spoken]}))["required"].passed is True


def _fields(of: Facts) -> dict[str, object]:
    return {name: getattr(of, name) for name in Facts.__slots__}


def test_a_call_of_which_nothing_was_written_down_is_judged_by_its_holds_alone() -> None:
    marks = judged(facts([]))
    assert {name for name, each in marks.items() if each.passed is not None} == {"hold"}
    assert quality.score(list(marks.values())) == 100.0
    assert quality.marks(facts([], connected=None)) == () and quality.score([]) is None


@pytest.mark.parametrize(
    ("text", "phrase", "language", "said"),
    [
        ("well good morning how may I help you today", GREET[0], "en", True),
        ("good evening", GREET[0], "en", False),
        ("您好，很高兴为您服务", "很高兴为您服务", "zh-CN", True),
        ("喂，什么事", "很高兴为您服务", "zh-CN", False),
        ("hello this is Alice", "hello this is {agent}", "en", True),
        ("", "", "en", False),
    ],
)
def test_a_phrase_counts_when_most_of_it_was_said(text: str, phrase: str, language: str, said: bool) -> None:
    assert says(text, phrase, language) is said


@pytest.mark.parametrize(
    ("said", "changes", "came"),
    [
        (CALL, {}, "resolved"),
        (CALL[:2], {}, "unresolved"),
        ([*CALL[:2], ("agent", 10.0, 12.0, "We will call you back within 24 hours")], {}, "follow_up"),
        (CALL, {"chosen": "sold"}, "sold"),
        (CALL, {"reason": "transferred"}, "transferred"),
        ([], {"connected": None}, "unanswered"),
        ([], {}, "unknown"),
    ],
)
def test_what_came_of_a_call(
    said: list[tuple[str, float, float, str]], changes: dict[str, object], came: str
) -> None:
    assert outcome(facts(said, **changes), shipped) == came


def test_every_language_that_has_a_lexicon_has_topics() -> None:
    (names,) = {of_language(language).names for language in languages()}
    assert names[-2:] == ("later", "wait")
    assert of_language("../en").names == ()


@pytest.mark.parametrize(
    ("text", "language", "about"),
    [
        ("My invoice is wrong and I want a refund", "en-GB", {"billing", "refund"}),
        ("我要投诉你们的快递", "zh-CN", {"complaint", "delivery"}),
        ("الفاتورة غلط", "ar-SA", {"billing"}),
        ("解約したいのですが", "ja-JP", {"cancellation"}),
        ("Kie estas mia pako?", "eo", set()),
    ],
)
def test_topics_are_found_in_every_language(text: str, language: str, about: set[str]) -> None:
    assert set(topics(lines([("customer", 0.0, 3.0, text)], language))) == about


def test_a_summary_is_of_the_calls_own_sentences_in_the_order_they_were_said() -> None:
    told = summary(lines(CALL), "en", shipped).splitlines()
    assert len(told) == 4 and "customer: My parcel has not arrived and I am really annoyed" in told
    texts = [each[3] for each in CALL]
    places = [texts.index(each.partition(": ")[2]) for each in told]
    assert places == sorted(places)
    for little in ([], [("agent", 0.0, 1.0, "Yes?")]):
        assert summary(lines(little), "en", shipped) == ""


def test_a_summary_is_in_the_readers_language_where_it_was_translated() -> None:
    line = Line("c1", "customer", 1, 0.0, 3.0, "es-ES", "El paquete no ha llegado", "The parcel has not come")
    assert summary([line], "en-GB", shipped) == "customer: The parcel has not come"


def test_a_summary_of_a_very_long_call_is_made_in_bounded_work() -> None:
    said = [("agent", float(at), at + 0.5, f"word{at} and the parcel number {at % 7}") for at in range(3000)]
    assert len(summary(lines(said), "en", shipped).splitlines()) == 4


def test_moods_of_a_call_are_told_with_the_words_that_made_them() -> None:
    felt = moods("c1", lines(CALL), shipped)
    assert felt["customer"].worst < -0.2 < 0.2 < felt["customer"].last
    assert "annoyed" in felt["customer"].reasons


# --- the desk ---------------------------------------------------------------------------------------


class Stand:
    """After, over a real store; lines are told to its minutes as the engine does."""

    def __init__(self, folder: Path, endpoint: Endpoint | None = None, **terms: object) -> None:
        engine = database.connect(f"sqlite:///{folder}/isogloss.db")
        migrate.upgrade(engine)
        self.kept = Transcripts(engine)
        self.minutes = Minutes()
        self.after = After(
            self.kept,
            self.minutes,
            lambda now: T0 + now,
            lexica=shipped,
            reads=lambda agent: "en-GB",
            endpoint=lambda: endpoint,
            terms=lambda: Terms(settle_s=3600.0, **terms),  # type: ignore[arg-type]
        )

    def call(self, call: str = "c1", at: float = T0 + 60.0, words: bool = True) -> None:
        for each in lines(CALL) if words else ():
            self.minutes.put(each._replace(call=call))
        self.after.notice(CallHeld(at=T0 + 12.5, call=call, by=Side.AGENT))
        self.after.notice(CallResumed(at=T0 + 39.0, call=call, by=Side.AGENT))
        self.after.notice(record(call, at, offered_at=T0, connected_at=T0 + 1.0, market="en-GB"))

    def finish(self) -> None:
        self.after.start()
        self.after.close()


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_a_call_that_is_over_is_reviewed_and_can_be_found(stand: Stand) -> None:
    stand.call()
    stand.after.notice(CallWrappedUp(at=T0 + 61, call="c1", agent="alice", outcome="sold", notes=""))
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None
    assert (found.outcome, found.topics[0], found.score) == ("sold", "delivery", 100.0)
    (hold,) = [each for each in found.marks if each.rule == "hold"]
    assert hold.seconds == 26.5
    assert [each.review.call for each in stand.kept.page(TextFilter(words="Leeds")).items] == ["c1"]
    assert stand.minutes.lines("c1") == [] and (stand.after.done, stand.after.lost) == (1, 0)


def test_what_an_agent_chooses_later_takes_the_place_of_what_rules_said(stand: Stand) -> None:
    stand.call()
    stand.finish()
    stand.after._closing = False
    stand.after.notice(CallWrappedUp(at=T0 + 90, call="c1", agent="alice", outcome="sold", notes=""))
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None and found.outcome == "sold"


def test_a_voice_that_was_heard_counts_as_well_as_words(stand: Stand) -> None:
    turn = MoodTurned(at=T0 + 9, call="c1", side="customer", level="upset", score=-0.9, worse=True)
    stand.after.notice(turn)
    stand.call()
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None and found.moods["customer"].worst == -0.9


@pytest.mark.parametrize("name", sorted(load(SHIPPED, {}).markets))
def test_an_agent_who_says_what_her_market_gives_her_passes_all_rules(name: str) -> None:
    market = load(SHIPPED, {}).markets[name]
    filled = {occasion: ways[0].format_map(ANY) for occasion, ways in market.phrases.items()}
    told = [
        ("agent", 2.0, 6.0, filled["greet"]),
        ("customer", 6.5, 9.0, "…"),
        ("agent", 9.5, 12.0, filled["hold"]),
        ("agent", 40.0, 44.0, filled["back"]),
        ("customer", 44.5, 47.0, "…"),
        ("agent", 47.5, 50.0, filled["close"]),
    ]
    said = lines(told, market.language)
    of = Facts(
        said,
        1.0,
        51.0,
        holds=(Hold("agent", 12.5, 39.0),),
        language=market.language,
        phrases=market.phrases,
        required=market.required,
    )
    assert {each.rule: (each.passed, each.missing) for each in quality.marks(of) if not each.passed} == {}


def test_what_was_said_outlives_the_node(tmp_path: Path) -> None:
    lost = Stand(tmp_path)
    for each in lines(CALL):
        lost.minutes.put(each)
    lost.after._draft(1000.0)
    assert lost.kept.page(TextFilter()).items == ()
    back = Stand(tmp_path)
    back.after.notice(record("c1", T0 + 60, offered_at=T0, connected_at=T0 + 1.0))
    back.finish()
    kept, found = back.kept.lines("c1"), back.kept.review("c1")
    assert kept is not None and found is not None
    assert [(each.begin, each.text) for each in kept] == [(begin, text) for _, begin, _, text in CALL]
    assert found.outcome == "resolved"
    assert [each.review.call for each in back.kept.page(TextFilter(words="Leeds")).items] == ["c1"]


def test_words_that_come_after_all_was_kept_change_nothing(stand: Stand) -> None:
    stand.call()
    stand.finish()
    assert not stand.minutes.put(lines(CALL)[0])
    stand.after._draft(1000.0)
    kept = stand.kept.lines("c1")
    assert kept is not None and len(kept) == len(CALL)


def test_rules_hold_calls_to_what_the_operator_says(tmp_path: Path) -> None:
    stand = Stand(tmp_path, quality=quality.Terms(hold_s=20.0))
    stand.call()
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None and {each.rule: each.passed for each in found.marks}["hold"] is False


def test_every_call_has_a_review_with_words_or_without(stand: Stand) -> None:
    for at in range(20):
        stand.call(f"c{at}", T0 + 60 + at, words=at % 2 == 0)
    stand.finish()
    assert len(stand.kept.page(TextFilter(), limit=50).items) == 20
    assert len(stand.kept.page(TextFilter(written=True), limit=50).items) == 10


def test_a_node_that_keeps_no_words_keeps_the_marks(tmp_path: Path) -> None:
    stand = Stand(tmp_path, transcripts=False)
    stand.call()
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None and found.score == 100.0 and stand.kept.lines("c1") is None
    assert found.summary == "" and not any(each.quote for each in found.marks)
    assert found.moods["customer"].reasons == ()


def test_a_store_that_is_away_costs_reviews_which_are_counted_and_nothing_else(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.after._transcripts = Transcripts(database.connect(f"sqlite:///{tmp_path}/never-made.db"))
    stand.call()
    stand.finish()
    assert stand.after.lost == 1 and "without a review" in stand.after.check().detail


def test_a_store_that_comes_back_after_long_has_every_review(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.after.desk.RETRY_S", 0.0)
    away, keep = iter(range(40)), stand.kept.keep
    health: list[str] = []

    def kept(made: Review, said: Sequence[Said]) -> None:
        if next(away, None) is not None:
            health.append(stand.after.check().detail)
            raise StoreUnavailable("restarting")
        keep(made, said)
        if made.call == "c2":
            kept_both.set()

    kept_both = threading.Event()
    monkeypatch.setattr(stand.kept, "keep", kept)
    stand.after.terms = lambda: Terms(settle_s=0.0)
    stand.call("c1")
    stand.call("c2")
    stand.after.start()
    assert kept_both.wait(10.0)
    stand.after.close()
    assert stand.after.lost == 0 and health[-1] == "reviews wait for the store"
    assert stand.kept.review("c1") is not None and stand.kept.review("c2") is not None
    assert stand.after.check().detail == ""


def test_what_is_too_old_is_erased(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.call()
    stand.finish()
    stand.after.terms = lambda: Terms(days=30.0)
    stand.after.clean(T0 + 29 * DAY_S)
    assert stand.kept.lines("c1") is not None
    stand.after.clean(T0 + 31 * DAY_S)
    assert stand.kept.lines("c1") is None and stand.kept.review("c1") is not None


class Model(http.server.BaseHTTPRequestHandler):
    """An endpoint of chat completions that answers what it was told to."""

    answer: bytes = b""
    status: ClassVar[int] = 200
    asked: ClassVar[dict[str, object]] = {}
    followed: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Model.followed.append(self.path)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        Model.asked = {"path": self.path, "key": self.headers["Authorization"]}
        Model.asked |= json.loads(self.rfile.read(length))
        self.send_response(Model.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(Model.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Endpoint(f"http://127.0.0.1:{server.server_port}/v1", "small", "hunter2", timeout_s=5.0)
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_may_write_the_summary(tmp_path: Path, endpoint: Endpoint) -> None:
    Model.answer = json.dumps({"choices": [{"message": {"content": " A parcel was found. "}}]}).encode()
    stand = Stand(tmp_path, endpoint)
    stand.call()
    stand.finish()
    found = stand.kept.review("c1")
    assert found is not None and (found.summary, found.by) == ("A parcel was found.", "small")
    assert Model.asked["path"] == "/v1/chat/completions" and Model.asked["key"] == "Bearer hunter2"
    assert "My parcel has not arrived" in str(Model.asked["messages"])


@pytest.mark.parametrize("answer", [b"", b"not JSON", b'{"choices": []}', b'{"choices": 1}', b"x" * 200_000])
def test_an_endpoint_that_answers_nonsense_is_done_without(endpoint: Endpoint, answer: bytes) -> None:
    Model.answer = answer
    assert endpoint.summary(lines(CALL), "en") == ""


def test_an_endpoint_that_sends_elsewhere_is_not_followed_with_the_key(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "status", 302)
    assert endpoint.summary(lines(CALL), "en") == "" and Model.followed == []


@pytest.mark.parametrize(("url", "key"), [("file:///etc/passwd", ""), ("http://127.0.0.1:1/v1", "a\nb")])
def test_an_endpoint_that_cannot_be_asked_is_done_without(url: str, key: str) -> None:
    assert Endpoint(url, "small", key).summary(lines(CALL), "en") == ""


def test_an_endpoint_that_is_not_there_is_done_without() -> None:
    assert Endpoint("http://127.0.0.1:1/v1", "small").summary(lines(CALL), "en") == ""
