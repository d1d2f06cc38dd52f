"""A running node takes another configuration whole or not at all, and goes back to one that ran."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from config.fault import ConfigError
from config.reload import Effect
from engine import applying
from engine.applying import PARTS, Part
from engine.beginning import begin
from engine.history import History, HistoryFault
from engine.operating import OtherVersion, Refused, UnknownVersion
from engine.watching import Settling, print_of, take
from sip.hop import Hop
from sip.message import Request, parse
from tests.config.test_mistakes import MISTAKES, Mistake
from tests.engine.operating_stand import Stand, shipped


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A node for tests that change nothing of it."""
    place = tmp_path_factory.mktemp("lasting")
    stand = Stand(shipped(place / "config"), place / "data")
    yield stand
    stand.close()


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    yield made
    made.close()


# --- mistakes: refused, and nothing changes ---------------------------------------------------------

OF_LINES_AND_ROUTING = {
    "a codec of a line that nobody knows": Mistake(
        *("lines/example.yaml", "codecs: [PCMA, PCMU]", "codecs: [PCMA, GSM]"),
        *("codecs", 'cannot be "GSM"', "`OPUS`"),
    ),
    "a number of a line that leads to no queue": Mistake(
        *("lines/example.yaml", '"+442071838999": {queue: support}', '"+442071838999": {queue: suport}'),
        *('  "+442071838999"', "there is no queue 'suport'", "did you mean 'support'?"),
    ),
    "a rule for numbers whose example is not so": Mistake(
        *("lines/example.yaml", '"+34910601234": "01134910601234"', '"+34910601234": "34910601234"'),
        *('      "+34910601234"', "becomes 01134910601234", "correct the rule or the example"),
    ),
    "a cap below nothing": Mistake(
        *("lines/example.yaml", "max_calls: 30 ", "max_calls: -30 "),
        *("max_calls", "-30: input should be", "from 0"),
    ),
    "a prefix that is taken and barred": Mistake(
        *("lines/example.yaml", 'barred: ["+4470", "+449"]', 'barred: ["+44"]'),
        *("barred", "+44 is in takes as well", "keep one"),
    ),
    "hours that nobody can read": Mistake(
        *("lines/example.yaml", "hours: [mon-fri 07:00-22:00,", "hours: [weekdays,"),
        *("hours", "are no hours", "mon-fri 08:00-18:00"),
    ),
    "a password of a line that is written down": Mistake(
        *("lines/example.yaml", "# credentials:\n", "credentials: {user: isogloss, password: hunter2}\n#\n"),
        *("credentials", "must be a reference", "{env: NAME}"),
    ),
    "a way to redirect that there is not": Mistake(
        *("routing.yaml", "redirects: same-line ", "redirects: follow "),
        *("  redirects", 'cannot be "follow"', "`same-line`"),
    ),
    "a budget that is spent at once": Mistake(
        *("routing.yaml", "budget_s: 12 ", "budget_s: 0.6 "),
        *("  budget_s", "spent before a second line", "write 1 or more"),
    ),
    "a doubt that lasts longer than life": Mistake(
        *("routing.yaml", "doubt_s: 1 ", "doubt_s: 5 "), *("  doubt_s", "5 is over dead_s, 3", "at most 3")
    ),
    "a misspelt weight": Mistake(
        *("routing.yaml", "  cost: 1 ", "  costs: 1 "), *("  costs", "is no setting", "did you mean 'cost'?")
    ),
    "an emergency number of letters": Mistake(
        *("routing.yaml", "emergency_numbers: []", "emergency_numbers: [help]"),
        *("emergency_numbers", "not an emergency number", ""),
    ),
    "a watch that does not let files rest": Mistake(
        *("node.yaml", "settle_s: 2 ", "settle_s: 0 "), *("  settle_s", "0: input should be", "from 0.2")
    ),
    "a number to be kept that leaves nothing to go back to": Mistake(
        *("node.yaml", "kept: 50 ", "kept: 1 "), *("  kept", "1: input should be", "from 2")
    ),
}
OF_OTHER_FILES = (
    "a misspelt setting",
    "a misspelt setting deep inside",
    "a required setting left out",
    "a tab",
    "a colon left out",
    "a star without quotes",
    "yes for true",
    "a negative time",
    "an unknown transport",
    "a country by its name",
    "a name with a space",
    "a secret in a variable that is not set",
    "a secret in a file that is not there",
    "a destination of no kind",
    "an agent in an unknown queue",
    "a queue without agents",
    "a name for two people",
    "a number nobody can dial",
    "a number that leads to no queue",
    "one number in two ways of writing",
    "one code for two things",
    "two listeners on one port",
    "registrations longer than the longest",
    "least over most",
    "a line that lets everybody in",
    "too few ports for the calls",
)
REFUSED = OF_LINES_AND_ROUTING | {name: MISTAKES[name] for name in OF_OTHER_FILES}


@pytest.mark.parametrize("mistake", REFUSED.values(), ids=REFUSED.keys())
def test_a_mistake_is_refused_with_file_line_and_remedy_and_changes_nothing(
    mistake: Mistake, lasting: Stand
) -> None:
    running, plan, kept = lasting.engine.config, lasting.engine.switch.plan, lasting.operating.versions()
    right = (lasting.folder / mistake.file).read_text("utf-8")
    lasting.edit(mistake.file, mistake.old, mistake.new)
    try:
        with pytest.raises(ConfigError) as refused:
            lasting.do(lasting.operating.apply("a test"))
        wrong = (lasting.folder / mistake.file).read_text("utf-8").splitlines()
    finally:
        (lasting.folder / mistake.file).write_text(right, "utf-8")
    fitting = [
        each
        for each in refused.value.faults
        if mistake.problem in each.problem and mistake.remedy in each.remedy and each.remedy
    ]
    assert fitting, [str(each) for each in refused.value.faults]
    # Of two things that do not agree the fault may stand at either; at one of them it stands as it must.
    of_this = [each for each in fitting if each.file == str(lasting.folder / mistake.file)]
    assert any("\n".join(wrong[each.line - 1 :]).startswith(mistake.at) for each in of_this if each.line) or (
        not of_this and all(each.line for each in fitting)
    )
    assert lasting.engine.config is running and lasting.engine.switch.config is running
    assert lasting.engine.switch.plan is plan
    assert lasting.operating.versions() == kept
    assert lasting.operating.health().status == "degraded"


def test_there_are_thirty_kinds_of_mistakes_and_more() -> None:
    assert len(REFUSED) >= 30
    assert {each.file.partition("/")[0].partition(".")[0] for each in REFUSED.values()} >= {
        *("lines", "routing", "node", "sip", "queues", "agents", "numbers")
    }


# --- what a change does -----------------------------------------------------------------------------


def test_what_changed_is_taken_at_once_and_kept_with_who_and_why(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    applied = stand.do(stand.operating.apply("console", "phones ring longer"))
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 25
    assert [change.words for change in applied.plan.changes] == ["queue support: ring_timeout_s: 20 → 25"]
    newest, first = stand.operating.versions()
    assert (newest.number, newest.by, newest.why, newest.how) == (2, "console", "phones ring longer", "apply")
    assert newest.changes == ("queue support: ring_timeout_s: 20 → 25",)
    assert (first.number, first.how) == (1, "start")


def test_a_plan_changes_nothing(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    running = stand.engine.config
    plan = stand.do(stand.operating.plan())
    assert [(each.words, each.effect) for each in plan.changes] == [
        ("queue support: ring_timeout_s: 20 → 25", Effect.NOW)
    ]
    assert stand.engine.config is running and len(stand.operating.versions()) == 1
    assert not (stand.data / "config-history" / "000002").exists()


def test_files_that_say_the_same_are_no_new_version(stand: Stand) -> None:
    applied = stand.do(stand.operating.apply("console"))
    assert applied.version.number == 1 and applied.plan.changes == ()
    assert len(stand.operating.versions()) == 1


def _guessed(stand: Stand, user: str, password: str) -> bool:
    secret = stand.engine.admission.digest.secret_of(user, "")
    return secret is not None and secret.password == password


# what is written -> what is so afterwards, and was not before
TAKEN: dict[str, tuple[str, str, str, Callable[[Stand], object]]] = {
    "calls at once": (
        *("node.yaml", "max_calls: 500", "max_calls: 7"),
        lambda stand: (
            stand.engine.config.node.limits.max_calls == 7 and stand.engine.agent.settings.max_sessions == 56
        ),
    ),
    "calls a second": (
        *("node.yaml", "max_calls_per_s: 50", "max_calls_per_s: 1"),
        lambda stand: (
            (stand.engine.switch.call_rate.take(1.0), stand.engine.switch.call_rate.take(1.0))[1] is False
        ),
    ),
    "strangers": (
        *("sip.yaml", "anonymous_callers: false", "anonymous_callers: true"),
        lambda stand: stand.engine.admission.policy.anonymous_invites,
    ),
    "how long phones register": (
        *("sip.yaml", "max_expires_s: 3600", "max_expires_s: 1800"),
        lambda stand: stand.engine.registrar.policy.max_expires == 1800,
    ),
    "guessing": (
        *("sip.yaml", "first_block_s: 300", "first_block_s: 600"),
        lambda stand: stand.engine.admission.guard.policy.first_block == 600,
    ),
    "codecs": (
        *("media.yaml", "[OPUS, G722, PCMA, PCMU]", "[PCMU]"),
        lambda stand: (
            {each.name for each in stand.engine.workers.capabilities} == {"PCMU", "telephone-event"}
        ),
    ),
    "where a number leads": (
        *("numbers.yaml", '"1004": {agent: wei}', '"1004": {agent: bob}'),
        lambda stand: stand.engine.switch.plan.exact["1004"].destination.name == "bob",  # type: ignore[union-attr]
    ),
    "an agent's queues": (
        *("agents.yaml", "[ventas, support]", "[ventas]"),
        lambda stand: stand.engine.switch.acd.agents["carmen"].queues == ("ventas",),
    ),
    "a new agent": (
        *("agents.yaml", "  bob:\n", "  dora: {password: {generated: true}}\n  bob:\n"),
        lambda stand: (
            "dora" in stand.engine.switch.acd.agents
            and not _guessed(stand, "dora", "")
            and stand.engine.admission.digest.secret_of("dora", "") is not None
            and "dora" in stand.engine.sign_in.agents
        ),
    ),
    "an account that is gone": (
        *("agents.yaml", "  customer:\n", "  guest:\n"),
        lambda stand: stand.engine.admission.digest.secret_of("customer", "") is None,
    ),
    "who hears": (
        *("language.yaml", "processes: 1", "processes: 2"),
        lambda stand: stand.engine.config.language.recogniser.processes == 2 and _hears_as_configured(stand),
    ),
    "where a line's calls come from": (
        *("lines/example.yaml", "enabled: false", "enabled: true"),
        lambda stand: _line_at(stand, "192.0.2.9") == "example",
    ),
}


def _hears_as_configured(stand: Stand) -> bool:
    house = stand.engine.house
    return house is not None and house is stand.engine.switch.speech.ear and house.fits(stand.engine.config)


def _line_at(stand: Stand, host: str) -> str:
    options = (
        b"OPTIONS sip:isogloss.local SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\n\r\n"
    )
    request = parse(options)
    assert isinstance(request, Request)
    verdict = stand.engine.admission.admit(request, Hop("udp", host, 5060), 1.0)
    return verdict.identity.name  # type: ignore[union-attr]


@pytest.mark.parametrize(("file", "old", "new", "so"), TAKEN.values(), ids=TAKEN.keys())
def test_it_is_so_once_it_is_applied_and_no_more_once_it_is_taken_back(
    file: str, old: str, new: str, so: Callable[[Stand], object], lasting: Stand
) -> None:
    right = (lasting.folder / file).read_text("utf-8")
    assert not so(lasting)
    lasting.edit(file, old, new)
    lasting.do(lasting.operating.apply("console", force=True))
    (lasting.folder / file).write_text(right, "utf-8")
    assert so(lasting)
    lasting.do(lasting.operating.rollback(None, "console", force=True))
    assert not so(lasting)


def test_whoever_else_wants_to_know_is_told_of_what_runs(stand: Stand) -> None:
    told: list[Any] = []
    stand.operating.told.append(told.append)
    stand.edit("api.yaml", "  website:\n    token: {generated: true}\n    role: site\n", "")
    stand.edit("api.yaml", "port: 8080", "port: 8081")
    stand.do(stand.operating.apply("console"))
    (config,) = told
    assert set(config.api.tokens) == {"console", "prometheus"}
    assert config.api.port == stand.engine.config.api.port == 0  # a restart has to come first


def test_what_needs_a_restart_waits_for_it_and_is_said_to(stand: Stand) -> None:
    stand.edit("api.yaml", "port: 8080", "port: 8081")
    stand.edit("media.yaml", "port_low: 16384", "port_low: 16386")
    before = stand.engine.config
    applied = stand.do(stand.operating.apply("console"))
    assert {each.effect for each in applied.plan.changes} == {Effect.RESTART}
    assert (stand.engine.config.api, stand.engine.config.media) == (before.api, before.media)
    assert set(stand.operating.status().restart) == {
        *("api.port: 8080 → 8081", "media.port_low: 16384 → 16386")
    }
    stand.do(stand.operating.rollback(None, "console"))
    assert stand.operating.status().restart == ()


def test_prompts_that_are_not_spoken_yet_are_spoken_before(stand: Stand) -> None:
    stand.edit("node.yaml", "language: en ", "language: es ")
    stand.do(stand.operating.apply("console"))
    (config,) = stand.spoken
    assert config.node.language == "es"


# --- all of it, or nothing --------------------------------------------------------------------------


def test_a_part_that_fails_leaves_every_other_as_it_was(stand: Stand) -> None:
    def broken(engine: Any, config: Any, now: float) -> None:
        if config is new:
            raise RuntimeError("a part is broken")

    old = stand.engine.config
    new = replace(old, queues={name: replace(each, wrap_up_s=99) for name, each in old.queues.items()})
    with pytest.raises(RuntimeError, match="a part is broken"):
        applying.tell(stand.engine, old, new, 1.0, (*PARTS, Part("broken", lambda c: c.queues, broken)))
    assert stand.engine.config is old and stand.engine.switch.config is old
    assert {each.spec.wrap_up_s for each in stand.engine.switch.acd.queues.values()} != {99}


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file may grow over `most` bytes in this block."""
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, heard)


@pytest.mark.parametrize("most", [0, 100, 1500])
def test_a_full_disk_refuses_the_change_and_leaves_the_version_that_runs(stand: Stand, most: int) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    running = stand.engine.config
    with full_disk(most), pytest.raises(HistoryFault, match="make room there"):
        stand.do(stand.operating.apply("console"))
    assert stand.engine.config is running
    assert [each.number for each in stand.operating.versions()] == [1]
    assert sorted(path.name for path in (stand.data / "config-history").iterdir()) == [
        *("000001", "current.json")
    ]
    assert stand.do(stand.operating.apply("console")).version.number == 2


def test_a_version_that_was_being_written_when_the_node_died_is_swept_away(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    half = stand.operating.history.draft(stand.folder)  # and the node dies here
    assert half.folder.exists()
    stand.edit("queues.yaml", "ring_timeout_s: 25", "ring_timeout_s: -1")
    again = stand.again()
    assert again.version.number == 1 and again.declared.queues["support"].ring_timeout_s == 20
    assert not half.folder.exists()


def test_another_version_than_expected_is_not_changed(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    with pytest.raises(OtherVersion, match="version 1 runs"):
        stand.do(stand.operating.apply("console", expected=7))
    assert stand.do(stand.operating.apply("console", expected=1)).version.number == 2


def test_two_who_apply_at_once_come_one_after_the_other(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")

    async def both() -> list[Any]:
        wishes = (stand.operating.apply(who, expected=1) for who in ("anna", "ben"))
        return await asyncio.gather(*wishes, return_exceptions=True)

    first, second = stand.do(both())
    assert first.version.number == 2
    assert isinstance(second, OtherVersion)


# --- destinations that would lose their lines -------------------------------------------------------


def test_a_change_that_leaves_a_destination_without_a_line_is_refused_with_its_name(stand: Stand) -> None:
    stand.line("carrier", 'takes: ["+44", "+34"]', at=7)
    stand.line("spare", 'takes: ["+44"]', at=8)
    stand.do(stand.operating.apply("console"))
    running = stand.engine.config
    (stand.folder / "lines" / "carrier.yaml").unlink()
    with pytest.raises(Refused) as refused:
        stand.do(stand.operating.apply("console"))
    assert refused.value.reasons == ("numbers that begin with +34 (ES) would have no line any more",)
    assert stand.engine.config is running and stand.operating.version.number == 2
    forced = stand.do(stand.operating.apply("console", "we leave Spain", force=True))
    assert forced.version.forced and forced.plan.refusals
    assert "carrier" not in stand.engine.config.lines


def test_going_back_is_refused_for_the_same_reason(stand: Stand) -> None:
    stand.line("carrier")
    stand.do(stand.operating.apply("console"))
    with pytest.raises(Refused, match="all numbers outside would have no line"):
        stand.do(stand.operating.rollback(None, "console"))
    assert "carrier" in stand.engine.config.lines


# --- going back -------------------------------------------------------------------------------------


def test_going_back_runs_the_version_before_and_is_a_version_itself(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.do(stand.operating.apply("console"))
    back = stand.do(stand.operating.rollback(None, "console", "agents complain")).version
    assert (back.number, back.how, back.of, back.why) == (3, "rollback", 1, "agents complain")
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 20
    assert "ring_timeout_s: 25" in (stand.folder / "queues.yaml").read_text(), "the files are the operator's"


def test_a_version_is_gone_back_to_although_the_files_are_broken(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.do(stand.operating.apply("console"))
    stand.edit("queues.yaml", "ring_timeout_s: 25", "ring_timeout_s: [")
    assert stand.do(stand.operating.rollback(1, "console")).version.of == 1
    assert stand.engine.switch.acd.queues["support"].spec.ring_timeout_s == 20


def test_there_is_no_going_back_to_what_is_not_kept(stand: Stand) -> None:
    with pytest.raises(UnknownVersion, match="no version before this one"):
        stand.do(stand.operating.rollback(None, "console"))
    with pytest.raises(UnknownVersion, match="there is no version 9"):
        stand.do(stand.operating.rollback(9, "console"))


def test_the_oldest_versions_give_way(stand: Stand) -> None:
    stand.edit("node.yaml", "kept: 50 ", "kept: 3 ")
    for seconds in (21, 22, 23, 24):
        text = (stand.folder / "queues.yaml").read_text("utf-8")
        (stand.folder / "queues.yaml").write_text(
            text.replace(f"ring_timeout_s: {seconds - 1}", f"ring_timeout_s: {seconds}"), "utf-8"
        )
        stand.do(stand.operating.apply("console"))
    assert [each.number for each in stand.operating.versions()] == [5, 4, 3]


def test_a_kept_version_holds_no_secret_and_nobody_else_may_look(stand: Stand) -> None:
    stand.edit("agents.yaml", "Bob\n    password: {generated: true}", "Bob\n    password: {file: bob}")
    (stand.folder / "bob").write_text("hunter2-hunter2")
    stand.do(stand.operating.apply("console"))
    history = stand.data / "config-history"
    kept = [path for path in history.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if "hunter2" in path.read_text("utf-8")]
    assert history.stat().st_mode & 0o077 == 0


# --- what a node starts with ------------------------------------------------------------------------


def test_a_node_that_starts_again_has_what_its_files_say(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    again = stand.again()
    assert again.declared.queues["support"].ring_timeout_s == 25
    assert (again.version.number, again.version.how, again.faults) == (2, "start", [])
    assert stand.again().version.number == 2, "nothing is new"


def test_a_node_that_went_back_starts_again_where_it_was_until_the_files_change(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.do(stand.operating.apply("console"))
    stand.do(stand.operating.rollback(None, "console"))
    again = stand.again()
    assert (again.version.number, again.declared.queues["support"].ring_timeout_s) == (3, 20)
    stand.edit("queues.yaml", "ring_timeout_s: 25", "ring_timeout_s: 26")
    assert stand.again().declared.queues["support"].ring_timeout_s == 26


def test_a_node_that_starts_in_the_middle_of_an_edit_goes_on_with_what_ran(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: ")
    again = stand.again()
    assert again.declared.queues["support"].ring_timeout_s == 20
    assert [fault.path for fault in again.faults] == ["support.ring_timeout_s"]


def test_a_node_that_ran_nothing_yet_does_not_start_with_faults(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "config")
    (folder / "queues.yaml").write_text("support: {}")
    with pytest.raises(ConfigError):
        begin(folder, {}, tmp_path / "data")
    (folder / "node.yaml").write_text("name: [")
    with pytest.raises(ConfigError):
        begin(folder, {})


def test_a_version_of_another_folder_is_not_started_with(stand: Stand, tmp_path: Path) -> None:
    other = shipped(tmp_path / "other")
    (other / "queues.yaml").write_text("support: {}")
    with pytest.raises(ConfigError):
        begin(other, {}, stand.data)


def test_a_node_starts_where_nothing_can_be_kept(tmp_path: Path) -> None:
    folder = shipped(tmp_path / "config")
    (tmp_path / "data").write_text("this is no folder")
    with structlog.testing.capture_logs() as said:
        begun = begin(folder, {}, tmp_path / "data")
    assert begun.version.number == 0 and "support" in begun.declared.queues
    assert [each["log_level"] for each in said] == ["warning"]


def test_what_is_kept_and_cannot_be_read_is_left_out(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    stand.do(stand.operating.apply("console"))
    (stand.data / "config-history" / "000001" / "version.json").write_text("{")
    (stand.data / "config-history" / "notes").mkdir()
    assert [each.number for each in History(stand.data, 50).versions()] == [2]


# --- watching ---------------------------------------------------------------------------------------


def test_files_are_taken_once_they_have_rested(tmp_path: Path) -> None:
    (tmp_path / "node.yaml").write_text("a")
    first = print_of(tmp_path)
    settling = Settling(first)
    (tmp_path / "node.yaml").write_text("ab")
    second = print_of(tmp_path)
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "new.yaml").write_text("")
    third = print_of(tmp_path)
    seen = [
        (first, 0.0),
        (first, 5.0),
        (second, 6.0),
        (second, 7.0),
        (third, 7.5),
        (third, 9.0),
        (third, 9.6),
    ]
    taken = [settling.rested(each, now, 2.0) for each, now in seen]
    assert taken == [False, False, False, False, False, False, True]
    assert not settling.rested(third, 60.0, 2.0), "once for each change"


def test_files_that_changed_before_anybody_looked_are_others(stand: Stand) -> None:
    assert not stand.operating.differs()
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    assert stand.operating.differs()
    stand.do(stand.operating.apply("console"))
    assert not stand.operating.differs()
    stand.do(stand.operating.rollback(None, "console"))
    assert not stand.operating.differs(), "going back is not undone by whoever watches"


def test_what_keeps_watched_files_from_being_taken_is_logged_with_file_and_line(stand: Stand) -> None:
    stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: -1")
    with structlog.testing.capture_logs() as said:
        stand.do(take(stand.operating, "watching", "the files changed"))
    (event,) = said
    assert event["log_level"] == "error"
    assert event["faults"][0].startswith(f"{stand.folder / 'queues.yaml'}:12: support.ring_timeout_s: -1")


def test_watched_files_that_would_do_harm_are_not_taken(stand: Stand) -> None:
    stand.line("carrier")
    stand.do(stand.operating.apply("console"))
    (stand.folder / "lines" / "carrier.yaml").unlink()
    with structlog.testing.capture_logs() as said:
        stand.do(take(stand.operating, "watching", "the files changed"))
    assert "no line any more" in said[0]["why"]
    assert "carrier" in stand.engine.config.lines
