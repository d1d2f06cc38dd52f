"""The shipped dashboard, as Prometheus reckons it: two nodes that share queues are one contact centre."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.project.tree import ROOT

BOARD = json.loads((ROOT / "deploy/grafana/isogloss.json").read_text("utf-8"))
PANELS = {panel["title"]: [each["expr"] for each in panel["targets"]] for panel in BOARD["panels"]}
CHOSEN = {"market": ".*", "queue": ".*"}
MINUTES = 90
Q = 'market="de",queue="q"'
IN_TIME = 'outcome="answered",le="20.0"'

# What both nodes say of the queue is of both: 3 wait, 1 is free and 3 are busy. Of agents each has its own.
# In an hour n1 answered 60 calls, 54 of them in time, each after ten seconds on the whole; n2 lost its 15.
FIGURES = {
    **{
        f'isogloss_queue_{what}{{instance="{node}",{Q}}}': f"{value}x{MINUTES}"
        for node in ("n1", "n2")
        for what, value in (("waiting", 3), ("agents_available", 1), ("agents_busy", 3))
    },
    'isogloss_agents{instance="n1",state="talking"}': f"3x{MINUTES}",
    'isogloss_agents{instance="n2",state="talking"}': f"2x{MINUTES}",
    'isogloss_agents{instance="n1",state="logged_out"}': f"7x{MINUTES}",
    'isogloss_agents{instance="n2",state="logged_out"}': f"7x{MINUTES}",
    f'isogloss_call_wait_seconds_bucket{{instance="n1",{Q},{IN_TIME}}}': f"0+0.9x{MINUTES}",
    f'isogloss_call_wait_seconds_count{{instance="n1",{Q},outcome="answered"}}': f"0+1x{MINUTES}",
    f'isogloss_call_wait_seconds_sum{{instance="n1",{Q},outcome="answered"}}': f"0+10x{MINUTES}",
    f'isogloss_call_wait_seconds_count{{instance="n1",{Q},outcome="abandoned"}}': f"0+0x{MINUTES}",
    f'isogloss_call_wait_seconds_bucket{{instance="n2",{Q},{IN_TIME}}}': f"0x{MINUTES}",
    f'isogloss_call_wait_seconds_count{{instance="n2",{Q},outcome="answered"}}': f"0x{MINUTES}",
    f'isogloss_call_wait_seconds_sum{{instance="n2",{Q},outcome="answered"}}': f"0x{MINUTES}",
    f'isogloss_call_wait_seconds_count{{instance="n2",{Q},outcome="abandoned"}}': f"0+0.25x{MINUTES}",
    f'isogloss_call_talk_seconds_sum{{instance="n1",{Q}}}': f"0+90x{MINUTES}",
    f'isogloss_call_talk_seconds_count{{instance="n1",{Q}}}': f"0+1x{MINUTES}",
    f'isogloss_call_hold_seconds_sum{{instance="n1",{Q}}}': f"0+20x{MINUTES}",
    'isogloss_call_wrap_up_seconds_sum{instance="n2",queue="q"}': f"0+15x{MINUTES}",
    'isogloss_call_talk_seconds_sum{instance="n1",market="us",queue="other"}': f"0+60x{MINUTES}",
    'isogloss_call_talk_seconds_count{instance="n1",market="us",queue="other"}': f"0+1x{MINUTES}",
    'isogloss_call_hold_seconds_sum{instance="n1",market="us",queue="other"}': f"0x{MINUTES}",
    f'isogloss_call_mood_ratio_sum{{instance="n1",{Q}}}': f"0+0.25x{MINUTES}",
    f'isogloss_call_mood_ratio_count{{instance="n1",{Q}}}': f"0+1x{MINUTES}",
}
OF_Q, OF_OTHER = '{queue="q"}', '{queue="other"}'
WANTED: dict[str, dict[str, float]] = {
    "Callers who wait": {OF_Q: 3},
    "Agents": {'{state="talking"}': 5, '{state="logged_out"}': 7},
    "Service level of an hour: answered within 20 s": {OF_Q: 0.72},  # 54 of 75, not (0.9 + 0) / 2
    "Wait until answered, mean (ASA)": {OF_Q: 10},
    "Talk, hold and wrap-up a call (AHT)": {OF_Q: 125, OF_OTHER: 60},  # nobody wraps up the other's calls
    "Occupancy": {OF_Q: 0.75},
    "Abandoned": {OF_Q: 0.2},
    "Mood of customers at the end, -1 to 1": {OF_Q: -0.5},
}


def filled(expression: str, chosen: dict[str, str]) -> str:
    for name, value in chosen.items():
        expression = expression.replace(f"${name}", value)
    return expression


def reckoned(expression: str, wanted: dict[str, float]) -> dict[str, object]:
    samples = [{"labels": labels, "value": value} for labels, value in wanted.items()]
    rounded = f"round({expression}, 0.001)"
    return {"expr": rounded, "eval_time": f"{MINUTES}m", "exp_samples": samples}


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed"
)
def test_what_two_nodes_say_is_counted_once_and_weighed_by_calls(tmp_path: Path) -> None:
    cases = [reckoned(filled(PANELS[title][0], CHOSEN), wanted) for title, wanted in WANTED.items()]
    talks = PANELS["Talk, hold and wrap-up a call (AHT)"][0]
    cases.append(reckoned(filled(talks, {"market": "us", "queue": ".*"}), {OF_OTHER: 60}))
    known = {title: filled(each, CHOSEN) for title, many in PANELS.items() for each in many}
    cases += [  # Prometheus understands all the others, too, of which there is nothing here
        {"expr": f"absent({expression})", "eval_time": "0m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for title, expression in known.items()
        if not re.search(r"isogloss_(queue|agents|call_)", expression)
    ]
    series = [{"series": each, "values": values} for each, values in FIGURES.items()]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": cases}
    file = tmp_path / "board.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_of_all_nodes_is_never_added_up() -> None:
    for title, expressions in PANELS.items():
        for each in expressions:
            summed = re.search(r"(sum|avg|count)( by \([^)]*\))? \((\w+\()?isogloss_(queue|nodes)", each)
            assert summed is None, title


def test_the_board_is_narrowed_by_market_and_queue() -> None:
    asked = {each["name"]: each for each in BOARD["templating"]["list"]}
    assert list(asked) == ["source", "market", "queue"] and "$market" in asked["queue"]["query"]
    for expression in (each for many in PANELS.values() for each in many):
        for metric in re.findall(r"isogloss_(?:queue|call|leg)_[a-z_]+(\{[^}]*\})?", expression):
            assert 'queue=~"$queue"' in metric or "concealed" in expression, expression


def test_panels_stand_beside_and_below_each_other() -> None:
    places = [tuple(panel["gridPos"][each] for each in "xywh") for panel in BOARD["panels"]]
    assert len(set(places)) == len(places) and {each[0] for each in places} == {0, 12}
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(places)
