"""What would change between two configurations, in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.fault import ConfigError
from config.load import SHIPPED, data_dir, load
from config.reload import Effect, plan, taken


@pytest.fixture
def changes(folder, edit):
    """The words for what an edit of one file changes."""

    def words(file: str, old: str, new: str, **env: str) -> list[str]:
        before = load(folder, env)
        edit(file, old, new)
        return [str(change) for change in plan(before, load(folder, env))]

    return words


def test_nothing_changed_is_nothing_said():
    assert plan(load(SHIPPED, {}), load(SHIPPED, {})) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "queues.yaml",
            "ring_timeout_s: 20",
            "ring_timeout_s: 25",
            "queue support: ring_timeout_s: 20 → 25 (at once, calls in progress included)",
        ),
        (
            "queues.yaml",
            "{announce: overloaded}",
            '{uri: "sip:night@example.com"}',
            "queue support: overflow: announcement overloaded → sip:night@example.com "
            "(at once, calls in progress included)",
        ),
        (
            "queues.yaml",
            '  leave_key: "*" ',
            '  leave_key: "" ',
            "queue support: leave_key: * → nothing (at once, calls in progress included)",
        ),
        (
            "agents.yaml",
            "[ventas, support]",
            "[ventas, zhichi]",
            "agent carmen joins zhichi, leaves support (at once, calls in progress included)",
        ),
        (
            "agents.yaml",
            "[ventas, support]",
            "[support, ventas]",
            "agent carmen has the same queues in another order (at once, calls in progress included)",
        ),
        (
            "agents.yaml",
            "  customer:",
            "  guest:",
            "user customer is removed (at once, calls in progress included)",
        ),
        ("agents.yaml", "  customer:", "  guest:", "user guest is new (at once, calls in progress included)"),
        (
            "numbers.yaml",
            '"1004": {agent: wei}',
            '"1004": {agent: bob}',
            "number 1004 leads to agent bob (was: agent wei) (with the next call)",
        ),
        (
            "numbers.yaml",
            '  "1004": {agent: wei}\n',
            "",
            "number 1004 leads nowhere any more (was: agent wei) (with the next call)",
        ),
        (
            "numbers.yaml",
            "prefixes: {}",
            'prefixes: {"+44": {uri: "sip:{number}@gw"}}',
            "number +44… leads to sip:{number}@gw, for agents (with the next call)",
        ),
        ("sip.yaml", "port: 5061", "port: 5062", None),
        (
            *("media.yaml", "[OPUS, G722, PCMA, PCMU]", "[PCMU]"),
            "media.codecs: OPUS, G722, PCMA, PCMU → PCMU (with the next call)",
        ),
        ("api.yaml", "docs: true", "docs: false", "api.docs: true → false (after a restart)"),
        (
            "node.yaml",
            "max_calls: 500",
            "max_calls: 400",
            "node.limits.max_calls: 500 → 400 (at once, calls in progress included)",
        ),
        (
            "lines/example.yaml",
            "enabled: false",
            "enabled: true",
            "line example: is used (with the next call)",
        ),
    ],
)
def test_a_change_is_said_in_words_with_when_it_is_felt(changes, file, old, new, said):
    words = changes(file, old, new)
    if said is None:
        assert len(words) == 1
        assert words[0].startswith("sip.listen: ")
        assert words[0].endswith("tls 0.0.0.0 5062, wss 0.0.0.0 7443 (after a restart)")
    else:
        assert said in words


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_calls: 30 ", "max_calls: 60 ", "up to 60 calls instead of 30"),
        ("max_calls: 30 ", "max_calls: 0 ", "up to any number of calls instead of 30"),
        ("max_calls_per_s: 5", "max_calls_per_s: 6", "up to 6 calls sent a second instead of 5"),
    ],
)
def test_what_operators_change_most_is_said_in_a_sentence(changes, old, new, said):
    assert changes("lines/example.yaml", old, new) == [f"line example: {said} (with the next call)"]


def test_what_needs_a_restart_is_not_taken_and_everything_else_is(folder, edit):
    before = load(folder, {})
    edit("node.yaml", "name: isogloss-1", "name: isogloss-2")
    edit("node.yaml", "max_calls: 500", "max_calls: 400")
    edit("media.yaml", "port_low: 16384", "port_low: 16386")
    edit("media.yaml", "[OPUS, G722, PCMA, PCMU]", "[PCMU]")
    edit("api.yaml", "port: 8080", "port: 8081")
    edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    new = load(folder, {})
    runs = taken(before, new)
    assert (runs.node.name, runs.node.limits.max_calls) == ("isogloss-1", 400)
    assert (runs.media.port_low, runs.media.codecs) == (16384, ("PCMU",))
    assert (runs.api, runs.queues, runs.specs) == (before.api, new.queues, new.specs)
    assert {change.effect for change in plan(runs, new)} == {Effect.RESTART}
    assert {change.effect for change in plan(before, runs)} == {Effect.NOW, Effect.NEXT_CALL}


def test_a_copy_of_the_files_is_read_in_their_place_and_faults_name_the_files(folder, edit, tmp_path):
    edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("prompts"))
    edit("queues.yaml", "ring_timeout_s: 25", "ring_timeout_s: -1")
    assert load(folder, {}, kept).queues["support"].ring_timeout_s == 25
    (kept / "sip.yaml").write_text("domain: {}\n")
    with pytest.raises(ConfigError) as refused:
        load(folder, {}, kept)
    assert {fault.file for fault in refused.value.faults} == {str(folder / "sip.yaml")}


def test_where_a_node_keeps_its_data_is_known_although_other_files_are_wrong(folder, edit):
    edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: -1")
    assert data_dir(folder) == Path("var")
    edit("node.yaml", "data_dir: var", "data_dir: [")
    assert data_dir(folder) is None


def test_a_changed_secret_is_told_but_never_shown(folder, edit):
    edit("agents.yaml", "Bob\n    password: {generated: true}", "Bob\n    password: {env: BOB}")
    before, after = load(folder, {"BOB": "old-secret"}), load(folder, {"BOB": "new-secret"})
    assert [change.words for change in plan(before, after)] == ["agent bob: password is another"]


def test_several_changes_come_in_the_order_of_the_files(folder, edit):
    before = load(folder, {})
    edit("numbers.yaml", '"1004": {agent: wei}', '"1004": {agent: bob}')
    edit("node.yaml", "level: info", "level: debug")
    edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 25")
    found = plan(before, load(folder, {}))
    assert [change.path for change in found] == [
        "node.log.level",
        "queues.support.ring_timeout_s",
        "numbers.1004",
    ]
    assert [change.effect for change in found] == [Effect.NOW, Effect.NOW, Effect.NEXT_CALL]
