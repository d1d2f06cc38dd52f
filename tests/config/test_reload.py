"""What would change between two configurations, in words."""

from __future__ import annotations

import pytest

from config.load import SHIPPED, load
from config.reload import Effect, plan


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
            "line example: enabled: false → true (at once, calls in progress included)",
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
