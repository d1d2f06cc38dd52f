"""The operators' reference, docs/configuration.md, written from the schema so that it cannot fall behind.

python -m config.reference            prints it
python -m config.reference --write    writes it to docs/configuration.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from config.cluster import ClusterSettings
from config.form import FormSettings
from config.hook import HookSettings
from config.language import LanguageSettings
from config.line import LineSettings
from config.market import MarketSettings
from config.media import MediaSettings
from config.node import NodeSettings
from config.numbers import Numbers
from config.outline import Setting, settings_of
from config.people import People
from config.queue import QueueSettings
from config.routing import RoutingSettings
from config.service import ApiSettings, StoreSettings
from config.signalling import SipSettings

PAGE = Path(__file__).parent.with_name("docs") / "configuration.md"

INTRODUCTION = """\
# Configuration

A node reads one folder of YAML files, `config/` unless it is told another. Values are checked when they are
read: `isogloss check DIR` names every mistake by file and line and says what to do about it. A name that
means nothing is a mistake too, so a misspelt setting is never without effect in silence. How a running node
takes other files: [operating.md](operating.md).

This page is written from the schema by `python -m config.reference --write`.

**Values.** Names ending in `_s` are seconds, in `_ms` milliseconds. Names of nodes, queues and people are
lower-case letters, digits, `_`, `-` and `.`. Countries are two capital letters of ISO 3166, languages their
codes (`en`, `es`, `zh`), networks in CIDR (`192.0.2.0/24`). YAML takes `+44…`, `1001` and `*45` for something
else than text: put them in quotes. Files are named relative to the folder, `data_dir` relative to where the
node is started.

**Destinations** are one of `{queue: NAME}`, `{agent: NAME}`, `{uri: "sip:user@host"}`, `{announce: PROMPT}`
and `{echo: true}`, where callers hear themselves. In a URI, `{number}` stands for the number dialled. Prompts
are named as in `prompts/<language>.yaml`.

**Secrets** are references, never values: `{env: NAME}` for an environment variable, `{file: PATH}` for a file
that holds the secret alone. `{generated: true}` lets the node make one up at its first start and keep it
under `data_dir/secrets`; it is meant for trying out.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the configuration. `entry` is how its blocks are headed, where it holds several by name."""

    file: str
    about: str
    block: type
    entry: str = ""


PAGES = (
    Page("node.yaml", "Who the node is and what it takes on.", NodeSettings),
    Page("sip.yaml", "Where SIP is spoken, with whom, and within which limits.", SipSettings),
    Page("media.yaml", "RTP ports, codecs and digits.", MediaSettings),
    Page("api.yaml", "The HTTP API.", ApiSettings),
    Page("store.yaml", "Where what happened is kept.", StoreSettings),
    Page("queues.yaml", "A block for each queue, under its name.", QueueSettings, "NAME"),
    Page("agents.yaml", "Who has a phone here, under their SIP user names.", People),
    Page("numbers.yaml", "What a dialled number leads to.", Numbers),
    Page("routing.yaml", "How lines are chosen, and when the next is tried.", RoutingSettings),
    Page("cluster.yaml", "Several nodes as one.", ClusterSettings),
    Page(
        "language.yaml",
        "Who hears, translates and speaks. How it works: [language](language.md).",
        LanguageSettings,
    ),
    Page(
        "hooks.yaml",
        "Who is told what happens, a block for each, under its name. How: [integrating](integrating.md).",
        HookSettings,
        "NAME",
    ),
    Page(
        "forms.yaml",
        "By what supervisors judge calls, a block for each form, under its name. How: "
        "[supervising](supervising.md).",
        FormSettings,
        "NAME",
    ),
    Page(
        "markets/NAME.yaml",
        "One file for each market: whose language, words and customs count, and what agents are offered to "
        "say. A folder without markets has those that are shipped. A call's `market` is one of these by its "
        "name or country (`mx` for es-MX); any other name has the file of the reader's language.",
        MarketSettings,
    ),
    Page(
        "lines/NAME.yaml",
        "One file for each line (trunk); its name is the line's. How they work: [lines](lines.md).",
        LineSettings,
    ),
)


def reference() -> str:
    """The whole page in Markdown."""
    return "\n".join([INTRODUCTION, *(line for page in PAGES for line in _page(page))])


def _page(page: Page) -> Iterator[str]:
    yield f"## {page.file}\n"
    yield f"{page.about}\n"
    yield "| setting | what it is | value | default |"
    yield "|---|---|---|---|"
    yield from _rows(page.block, f"{page.entry}." if page.entry else "")
    yield ""


def _rows(block: type, prefix: str) -> Iterator[str]:
    for setting in settings_of(block).values():
        below, kind = setting.block, setting.words
        name = f"{prefix}{setting.name}"
        if below is None:
            yield f"| `{name}` | {setting.help} | {kind} | {_default(setting)} |"
        elif kind.startswith("list of"):
            yield f"| `{name}` | {setting.help} | list of blocks | {_default(setting)} |"
            yield from _rows(below, f"{name}[].")
        elif " by " in kind:
            yield f"| `{name}` | {setting.help} | blocks by name | {_default(setting)} |"
            yield from _rows(below, f"{name}.NAME.")
        else:
            yield f"| `{name}` | {setting.help} | block | |"
            yield from _rows(below, f"{name}.")


def _default(setting: Setting) -> str:
    return "*required*" if setting.required else _said(setting.default)


def _said(value: Any) -> str:
    match value:
        case None | "" | () | {}:
            return "none"
        case bool():
            return "`true`" if value else "`false`"
        case StrEnum():
            return f"`{value.value}`"
        case float():
            return f"`{value:.10g}`"
        case tuple():
            return f"`[{', '.join(map(str, value))}]`"
        case _:
            return f"`{value}`"


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        PAGE.write_text(reference(), "utf-8")
        return 0
    if arguments:
        sys.stderr.write("usage: python -m config.reference [--write]\n")
        return 2
    sys.stdout.write(reference())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
