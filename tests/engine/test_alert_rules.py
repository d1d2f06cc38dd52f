"""The shipped alert rules, as Prometheus itself reckons them: what fires of which figures, and what is then
left out because it follows.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.project.tree import ROOT

RULES = ROOT / "deploy/prometheus/alerts.yml"
MINUTES = 40

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed"
)

# name: (figures by series, as promtool writes them: begin + step x minutes), alerts that fire in the end
Case = tuple[Mapping[str, str], set[str]]
STAFFED = {
    'isogloss_queue_agents_available{instance="n",queue="q"}': "0x40",
    'isogloss_queue_agents_busy{instance="n",queue="q"}': "2x40",
}
WAITING = {
    'isogloss_queue_waiting{instance="n",queue="q"}': "3x40",
    'isogloss_queue_longest_wait_seconds{instance="n",queue="q"}': "400x40",
    'isogloss_queue_service_level_ratio{instance="n",queue="q"}': "0.5x40",
}


def calls(reason: str, a_minute: int) -> dict[str, str]:
    return {f'isogloss_calls_total{{instance="n",queue="q",reason="{reason}"}}': f"0+{a_minute}x40"}


def uses(outcome: str, a_minute: int) -> dict[str, str]:
    return {f'isogloss_line_uses_total{{instance="n",line="l",outcome="{outcome}"}}': f"0+{a_minute}x40"}


def check(name: str, level: int) -> dict[str, str]:
    return {f'isogloss_check_level{{instance="n",check="{name}"}}': f"{level}x40"}


def legs(what: str, low: str, high: str, share_low: int) -> dict[str, str]:
    """A histogram of two bounds: so many of ten a minute are below the first, the rest below the second."""
    name = f'isogloss_leg_{what}_bucket{{instance="n",side="agent",le='
    return {
        f'{name}"{low}"}}': f"0+{share_low}x40",
        f'{name}"{high}"}}': "0+10x40",
        f'{name}"+Inf"}}': "0+10x40",
    }


def words(spoken: str) -> dict[str, str]:
    name = f'isogloss_asr_latency_seconds_bucket{{instance="n",language="{spoken}",queue="q",le='
    return {f'{name}"3.0"}}': "0+5x40", f'{name}"5.0"}}': "0+10x40", f'{name}"+Inf"}}': "0+10x40"}


def node(state: str, count: int) -> dict[str, str]:
    return {f'isogloss_nodes{{instance="n",job="isogloss",state="{state}"}}': f"{count}x40"}


DOWN = {'up{instance="m",job="isogloss"}': "0x40"}
CASES: dict[str, Case] = {
    "a node at rest": (
        STAFFED | calls("completed", 10) | uses("answered", 9) | check("journal", 0) | node("gone", 0),
        set(),
    ),
    "a queue that is slow": (WAITING | STAFFED, {"ServiceLevelLow", "LongestWait"}),
    "a queue that nobody serves is that alone": (
        WAITING | dict.fromkeys(STAFFED, "0x40"),
        {"QueueUnstaffed"},
    ),
    "calls that break off": (calls("completed", 9) | calls("media_lost", 1), {"CallsDrop"}),
    "callers who gave up broke nothing off": (calls("completed", 5) | calls("abandoned", 5), set()),
    "too few calls to say so": ({next(iter(calls("media_lost", 1))): "0+0.5x40"}, set()),
    "legs that sound bad": (legs("mos", "3.0", "4.4", 5), {"SoundPoor"}),
    "loss": (legs("loss_ratio", "0.02", "0.2", 6), {"LossHigh"}),
    "loss that is heard is told once": (
        legs("loss_ratio", "0.02", "0.2", 6) | legs("mos", "3.0", "4.4", 5),
        {"SoundPoor"},
    ),
    "texts that come late": (words("de"), {"WordsLate"}),
    "texts that come late because speech is short": (words("de") | check("speech", 1), {"SpeechShort"}),
    "a line whose calls fail": (uses("answered", 2) | uses("failed", 8), {"LineFails"}),
    "a line that is given none has failed": (
        uses("failed", 8) | {'isogloss_line_share_ratio{instance="n",line="l"}': "0x40"},
        {"LineGivenNoCalls"},
    ),
    "talks that break off on a line": (uses("answered", 8) | uses("dropped", 2), {"LineDrops"}),
    "a node that is down": (DOWN | node("gone", 1), {"NodeDown"}),
    "a node that others do not see": (node("gone", 1), {"NodeLost"}),
    "a store that fails": (
        {'isogloss_journal_spilled_bytes{instance="n"}': "9000x40"}
        | check("journal", 1) | check("audit", 1) | check("reviews", 1),
        {"JournalBehind"},
    ),
    "an audit log by itself": (check("journal", 0) | check("audit", 2), {"AuditBroken"}),
    "media without workers": (check("media", 2), {"PartFailing"}),
    "a gate that restarts": (check("browsers", 1), {"PartDegraded"}),
    "a node that stops is no fault": (check("calls", 2), set()),
    "a disk": (
        {
            'isogloss_disk_free_bytes{instance="n",folder="data"}': "5000000000x40",
            'isogloss_disk_size_bytes{instance="n",folder="data"}': "100000000000x40",
        }
        | check("disk", 1),
        {"DiskNearlyFull"},
    ),
    "a large disk has room in less than a tenth": (
        {
            'isogloss_disk_free_bytes{instance="n",folder="data"}': "500000000000x40",
            'isogloss_disk_size_bytes{instance="n",folder="data"}': "10000000000000x40",
        },
        set(),
    ),
    "a certificate": (
        {'isogloss_certificate_left_seconds{instance="n",use="sip"}': "604800x40"} | check("certificates", 1),
        {"CertificateEnds"},
    ),
    "a hook that is behind": (
        {'isogloss_hook_oldest_seconds{instance="n",hook="crm"}': "1200x40"} | check("hooks", 1),
        {"HookBehind"},
    ),
    "a wave of sources": (
        {'isogloss_sip_sources_turned_away_total{instance="n",how="blocked"}': "0+5x40"},
        {"SourcesTurnedAway"},
    ),
    "one who forgot a password": (
        {'isogloss_sip_sources_turned_away_total{instance="n",how="blocked"}': "0+0.1x40"},
        set(),
    ),
}  # fmt: skip


def run_of(cases: Mapping[str, Case]) -> dict[str, object]:
    """One run of promtool's for all of them, each as an instance of its own."""
    names = {name: f"n{number}" for number, name in enumerate(cases)}
    return {
        "name": ", ".join(cases),
        "interval": "1m",
        "input_series": [
            {"series": series.replace('"n"', f'"{names[name]}"'), "values": values}
            for name, (figures, _) in cases.items()
            for series, values in figures.items()
        ],
        "promql_expr_test": [
            {
                "expr": f'group by (alertname) (ALERTS{{alertstate="firing",instance=~"{names[name]}|m|"}})',
                "eval_time": f"{MINUTES}m",
                "exp_samples": [{"labels": f'{{alertname="{each}"}}', "value": 1} for each in sorted(wanted)],
            }
            for name, (_, wanted) in cases.items()
        ],
    }


def test_what_is_wrong_is_told_and_what_follows_from_it_is_not(tmp_path: Path) -> None:
    alone = [name for name, (figures, _) in CASES.items() if any("job=" in each for each in figures)]
    together = {name: case for name, case in CASES.items() if name not in alone}
    tests = [run_of(together), *(run_of({name: CASES[name]}) for name in alone)]  # some are of all nodes
    file = tmp_path / "rules.test.yml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(whole), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_seen_to_fire_or_needs_no_more_than_one_figure() -> None:
    rules = {
        rule["alert"]: rule["expr"]
        for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]
        for rule in group["rules"]
    }
    fired = set().union(*(wanted for _, wanted in CASES.values()))
    assert fired <= set(rules)
    assert all(" unless " not in rules[name] and " and " not in rules[name] for name in set(rules) - fired)
