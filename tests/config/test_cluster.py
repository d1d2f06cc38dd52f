"""Mistakes in cluster.yaml are refused with file, line and remedy; without the file a node is alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.fault import Fault
from config.load import load

SOUND = """\
redis:
  url: {env: REDIS}
advertise:
  sip: ["sip:203.0.113.10:5060;transport=udp"]
  origin: https://a.example.com
between:
  host: a.example.com
  keys: {k: {env: KEY}}
  key: k
residency:
  eu: {markets: [de, fr], regions: [eu-west, eu-central]}
  fr: {markets: [fr], regions: [eu-west]}
"""
ENV = {"REDIS": "rediss://u:p@redis.example.com:6379/0", "KEY": "k" * 40}
Faults = Callable[..., list[Fault]]


@pytest.fixture
def written(folder: Path) -> Callable[[str, str], None]:
    """A sound cluster.yaml with `old` replaced by `new`."""

    def write(old: str = "", new: str = "") -> None:
        assert old in SOUND
        (folder / "cluster.yaml").write_text(SOUND.replace(old, new, 1) if old else SOUND + new)

    return write


def test_a_folder_without_it_is_that_of_a_node_that_is_alone(folder):
    (folder / "cluster.yaml").unlink()
    assert load(folder, {}).cluster.alone


def test_a_sound_one_is_read_and_shows_no_secret(folder, written):
    written()
    cluster = load(folder, ENV).cluster
    assert not cluster.alone
    assert "u:p" not in repr(cluster) and "kkkk" not in repr(cluster)
    assert cluster.regions_for("de") == {"eu-west", "eu-central"}
    assert cluster.regions_for("fr") == {"eu-west"}
    assert cluster.regions_for("uk") == frozenset()


MISTAKES = {
    "a password written out": (
        "{env: REDIS}",
        "redis://:pw@h",
        "redis.url",
        "must be a reference",
        "{env: NAME}",
    ),
    "no key between nodes": ("  key: k\n", "", "between", "nothing to know each other by", "between.key"),
    "a key that is not there": (
        "  key: k\n",
        "  key: j\n",
        "between.key",
        "there is no key 'j'",
        "between.keys",
    ),
    "a key made up here": (
        "{env: KEY}",
        "{generated: true}",
        "between.keys.k",
        "would not know it",
        "the same on",
    ),
    "no way to this node": (
        "  host: a.example.com\n",
        "",
        "between.host",
        "leads no other node here",
        "address",
    ),
    "every address for one": (
        "host: a.example.com",
        "host: 0.0.0.0",
        "between.host",
        "leads no other",
        "address",
    ),
    "no place for calls": (
        '  sip: ["sip:203.0.113.10:5060;transport=udp"]\n  origin: https://a.example.com\n',
        "  sip: []\n",
        "advertise",
        "cannot be sent to this node",
        "sip, origin",
    ),
    "any origin": ("https://a.example.com", '"*"', "advertise.origin", "is no place to call", "https://"),
    "no SIP address": (
        "sip:203.0.113.10:5060;transport=udp",
        "203.0.113.10",
        "advertise.sip[0]",
        "no SIP address",
        "sip:",
    ),
    "a beat as long as the lease": (
        "redis:\n",
        "lease_s: 0.9\nredis:\n",
        "lease_s",
        "late would lose the node",
        "1.5",
    ),
    "a loss that is noticed late": (
        "redis:\n",
        "lease_s: 5\nredis:\n",
        "lease_s",
        "less than or equal",
        "to 1.8",
    ),
    "a rule for nobody": ("markets: [fr], ", "", "residency.fr", "names no markets", "remove the rule"),
    "a rule for nowhere": (
        ", regions: [eu-west]}",
        "}",
        "residency.fr",
        "names no regions",
        "remove the rule",
    ),
    "rules that exclude each other": (
        "regions: [eu-west]}",
        "regions: [asia]}",
        "residency",
        "nowhere to be",
        "share",
    ),
    "a number's beginning without plus": (
        "redis:\n",
        'near: {prefixes: {"0044": eu}}\nredis:\n',
        "near.prefixes.0044",
        "beginning of a number",
        '"+44"',
    ),
    "a certificate that is not there": (
        "  url: {env: REDIS}\n",
        "  url: {env: REDIS}\n  ca: none.pem\n",
        "redis.ca",
        "is no file",
        "PEM",
    ),
    "a port that is taken": (
        "between:\n",
        "between:\n  port: 8080\n",
        "between.port",
        "is taken by API port",
        "another",
    ),
    "a misspelt setting": ("redis:\n", "lease: 1\nredis:\n", "lease", "is no setting here", "lease_s"),
}


@pytest.mark.parametrize("about", MISTAKES)
def test_a_mistake_is_refused_with_what_to_do(about, folder, faults, written):
    old, new, path, problem, remedy = MISTAKES[about]
    written(old, new)
    (fault,) = faults(**ENV)
    assert fault.file.endswith("cluster.yaml") and fault.line > 0
    assert fault.path == path
    assert problem in fault.problem
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://redis.example.com:6379/0", "in the clear"),
        ("redis://10.0.0.7:6379", "in the clear"),
        ("http://redis.example.com", "no address of a Redis"),
        ("rediss://", "no address of a Redis"),
        ("rediss://host:0", "no address of a Redis"),
        ("rediss://host:99999", "no address of a Redis"),
    ],
)
def test_what_is_no_safe_way_to_redis_is_refused_without_showing_it(folder, faults, written, url, problem):
    written()
    (fault,) = faults(**{**ENV, "REDIS": url})
    assert problem in fault.problem
    assert url not in fault.problem


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "redis://localhost", "redis://[::1]:6379"])
def test_on_this_very_machine_redis_needs_no_tls(folder, written, url):
    written()
    assert not load(folder, {**ENV, "REDIS": url}).cluster.alone


def test_a_key_that_could_be_guessed_is_refused(folder, faults, written):
    written()
    (fault,) = faults(**{**ENV, "KEY": "short"})
    assert "under 32 characters" in fault.problem
