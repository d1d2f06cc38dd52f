"""The configuration from the console: a file is edited wrongly and rightly, compared, applied, put back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from config.load import SHIPPED
from engine.console import acts, pages
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Place, Told
from engine.console.markup import text_of
from engine.console.views.config import ConfigFile, Step
from engine.editing import MOST_BYTES, NEW, draft, drafts, read, write
from tests.engine.access.stand import run
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, VIEWER, look
from tests.engine.console.test_screen import Browser
from tests.engine.operating_stand import Stand, shipped

HERE = "/console/config?file=queues.yaml&at=support"


class Editor:
    def __init__(self, folder: Path) -> None:
        self.stand = Stand(shipped(folder / "config"), folder / "data")
        self.loaded: Any = None

    def desk(self, who: Principal = OPERATOR) -> Desk:
        made = Desk(BusyNode(), None, time.time, self.stand.operating)  # type: ignore[arg-type]
        return made.of(who)

    def load(self, address: str = HERE, who: Principal = OPERATOR) -> Any:
        self.loaded = run(acts.configuration(self.desk(who), Place.of(address), self.loaded))
        return self.loaded

    def act(self, name: str, /, address: str = HERE, **given: str) -> Told:
        _, act = pages.CONFIG.acts[name]
        told = run(act(self.desk(), OPERATOR, Place.of(address), given))
        self.loaded = told.keep if told.keep is not None else self.loaded
        return told

    def save(self, old: str, new: str) -> Told:
        text = self.loaded.editing
        assert old in text.text
        return self.act("save", text=text.text.replace(old, new), digest=text.digest)

    def drawn(self, address: str = HERE, **more: Any) -> str:
        at = look(address, loaded=self.loaded, **more)
        return Markup("").join(view(at) for view in pages.CONFIG.parts.values())


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    made = Editor(tmp_path)
    yield made
    made.stand.close()


def test_a_file_that_is_too_long_is_refused_and_not_cut(editor: Editor) -> None:
    editor.load()
    before = editor.loaded.editing

    async def story() -> None:
        browser = Browser(address=HERE)
        browser.screen._desk = replace(browser.desk, operating=editor.stand.operating)
        browser.screen.act("save", {"text": "#" * (MOST_BYTES + 9), "digest": before.digest})
        await browser.rest()
        assert "48 KiB" in browser.text("note")

    run(story())
    assert read(editor.stand.operating.folder, before.name) == before


def test_a_file_is_edited_wrongly_then_rightly_and_put_back(editor: Editor) -> None:
    editor.load()
    assert "ring_timeout_s: 20" in editor.drawn() and 'data-line="1"' not in editor.drawn()
    told = editor.save("ring_timeout_s: 20", "ring_timeuot_s: 20")
    assert (told.key, told.values) == ("config.edit.faulty", {"n": 1})
    assert "did you mean" in text_of(editor.drawn()) and 'data-here="line"' in editor.drawn()
    assert editor.act("plan").key == "config.faulty", "and nothing runs otherwise"
    assert editor.save("ring_timeuot_s: 20", "ring_timeout_s: 25").key == "config.edit.sound"
    editor.act("plan")
    assert editor.loaded.step is Step.PLANNED and "20 → 25" in text_of(editor.drawn())
    assert editor.act("apply", why="longer", expected="1").key == "config.done"
    assert editor.loaded.editing is not None and editor.loaded.status.version.number == 2
    editor.save("ring_timeout_s: 25", "ring_timeout_s: 30")
    assert editor.act("restore").key == "config.edit.back"
    assert "ring_timeout_s: 25" in editor.loaded.editing.text


def test_what_somebody_else_wrote_meanwhile_is_told(editor: Editor) -> None:
    editor.load()
    editor.stand.edit("queues.yaml", "ring_timeout_s: 20", "ring_timeout_s: 21")
    assert editor.save("ring_timeout_s: 20", "ring_timeout_s: 22").key == "config.edit.meanwhile"
    before = editor.loaded
    assert editor.load().editing == before.editing, "what is typed is not written over by looking again"


NEW_LINE = "/console/config?new=telecom-b&like=lines/gateway.yaml"


def test_a_line_is_begun_like_another_applied_removed_and_had_back(editor: Editor) -> None:
    editor.load(NEW_LINE)
    begun, folder = editor.loaded.editing, editor.stand.operating.folder
    assert (begun.name, begun.digest) == ("lines/telecom-b.yaml", "") and "gateway" in begun.text
    assert 'data-do="remove"' not in editor.drawn(NEW_LINE) and not (folder / begun.name).exists()
    text = begun.text.replace("enabled: false", "enabled: true")
    told = editor.act("save", NEW_LINE, text=text, digest=begun.digest)
    assert told.key == "config.edit.sound" and read(folder, begun.name).text == text
    assert editor.act("save", NEW_LINE, text="x: 1", digest=begun.digest).key == "config.edit.meanwhile"
    assert 'data-do="restore"' not in editor.drawn(NEW_LINE), "no version has it yet"
    editor.act("plan", NEW_LINE)
    assert editor.act("apply", NEW_LINE, expected="1").key == "config.done"
    assert "telecom-b" in editor.stand.engine.config.lines
    editor.load(NEW_LINE)
    assert all(f'data-do="{act}"' in editor.drawn(NEW_LINE) for act in ("remove", "restore"))
    told = editor.act("remove", NEW_LINE, digest=editor.loaded.editing.digest)
    assert (told.key, told.to) == ("config.edit.removed", "/console/config") and not (
        folder / begun.name
    ).exists()
    assert "telecom-b" in editor.stand.engine.config.lines, "what runs goes on"
    again = f"/console/config?file={begun.name}"
    editor.loaded = None
    editor.load(again)
    assert editor.loaded.removed == (begun.name,) and "(removed)" in editor.drawn(again)
    assert (editor.loaded.editing.text, editor.loaded.editing.digest) == (text, "")
    assert editor.act("save", again, text=text, digest="").key == "config.edit.sound"
    assert editor.loaded.removed == () and read(folder, begun.name).text == text


def test_what_was_removed_is_what_the_version_has_that_runs(editor: Editor) -> None:
    """Also where somebody else takes another version meanwhile, and the page stays open."""
    operating, name = editor.stand.operating, "lines/telecom-b.yaml"
    text = draft(operating.folder, name, SHIPPED, "lines/gateway.yaml").text
    write(operating.folder, name, text, NEW)
    run(operating.apply("others"))
    (operating.folder / name).unlink()
    assert editor.load().removed == (name,)
    run(operating.rollback(1, "others"))
    assert editor.load().removed == ()
    run(operating.rollback(2, "others"))
    assert editor.load().removed == (name,)


@pytest.mark.parametrize("like", drafts(SHIPPED))
def test_whatever_one_may_begin_as_is_sound(editor: Editor, like: str) -> None:
    address = f"/console/config?new=another&like={like}"
    editor.load(address)
    text = editor.loaded.editing
    assert editor.act("save", address, text=text.text, digest=text.digest).key == "config.edit.sound", like


@pytest.mark.parametrize("asked", [
    "new=../node&like=lines/ims.yaml", "new=a&like=../node.yaml", "new=a&like=node.yaml", "new=a",
    "new=a b&like=lines/ims.yaml", "new=a&like=lines/example.yaml",
])  # fmt: skip
def test_nothing_else_is_begun(editor: Editor, asked: str) -> None:
    address = f"/console/config?{asked}"
    before = sorted(editor.stand.operating.folder.rglob("*"))
    editor.load(address)
    assert editor.loaded.editing is None and editor.loaded.unread
    if "new=a&" not in asked or "lines/" not in asked:
        assert editor.act("save", address, text="x: 1", digest="").key == "config.edit.failed"
    assert sorted(editor.stand.operating.folder.rglob("*")) == before


def test_people_and_queues_are_not_removed_from_here(editor: Editor) -> None:
    editor.load()
    assert 'data-do="remove"' not in editor.drawn()


@pytest.mark.parametrize("name", ["api.yaml", "../../etc/passwd", "nothing.yaml"])
def test_files_about_the_machine_are_not_edited_from_here(editor: Editor, name: str) -> None:
    address = f"/console/config?file={name}"
    editor.load(address)
    assert editor.loaded.editing is None and "<textarea" not in editor.drawn(address)
    assert editor.act("save", address, text="x", digest="").key == "config.edit.failed"
    assert editor.act("restore", address).key == "config.edit.failed"
    assert "api.yaml" not in editor.loaded.files


def test_who_may_only_look_is_shown_no_file(editor: Editor) -> None:
    editor.load(who=VIEWER)
    assert editor.loaded.files == () and editor.loaded.editing is None
    assert "<textarea" not in editor.drawn(who=VIEWER)


def test_agents_queues_and_lines_lead_to_where_they_are_written() -> None:
    for address, page, there in (
        ("/console/agents/emre", pages.AGENTS, "file=agents.yaml&amp;at=emre"),
        ("/console/queues/support", pages.QUEUES, "file=queues.yaml&amp;at=support"),
        ("/console/lines/singtel", pages.LINES, "file=lines%2Fsingtel.yaml"),
    ):
        assert there in page.parts["head"](look(address)), address
        assert there not in page.parts["head"](look(address, who=VIEWER)), address


@pytest.mark.parametrize("code", ["en", "es", "zh", "ar"])
def test_the_editor_is_drawn_in_every_language(editor: Editor, code: str) -> None:
    editor.load()
    editor.save("ring_timeout_s: 20", "ring_timeout_s: </textarea><script>alert(1)</script>")
    made = editor.drawn(say=code)
    assert "<script>" not in made and made.count("</textarea>") == 1
    editor.loaded = replace(editor.loaded, editing=None, unread="gone")
    assert isinstance(editor.loaded, ConfigFile) and "gone" in editor.drawn(say=code)
