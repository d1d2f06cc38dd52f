"""Every setting is documented, in the reference and in the file an operator edits."""

from __future__ import annotations

import re

import pytest

from config.load import FILES, SHIPPED
from config.outline import find, settings_of
from config.reference import PAGE, PAGES, main, reference
from config.signalling import SipSettings


def every_setting(block):
    for setting in settings_of(block).values():
        yield block, setting
        if setting.block is not None:
            yield from every_setting(setting.block)


SETTINGS = [(page, block, setting) for page in PAGES for block, setting in every_setting(page.block)]
IDS = [f"{page.file}-{block.__name__}.{setting.name}" for page, block, setting in SETTINGS]


@pytest.mark.parametrize(("page", "block", "setting"), SETTINGS, ids=IDS)
def test_every_setting_has_a_sentence_and_stands_in_the_shipped_file(page, block, setting):
    assert re.fullmatch(r"[A-Z`].{8,}\.", setting.help), f"{setting.name}: {setting.help!r}"
    file = page.file.replace("lines/NAME", "lines/example").replace("markets/NAME", "markets/en-US")
    written = (SHIPPED / file).read_text("utf-8")
    assert re.search(rf"\b{setting.name}\b", written), (
        f"{setting.name} is neither set nor mentioned in {file}"
    )


def test_every_file_has_its_heading():
    assert [page.file.removesuffix(".yaml") for page in PAGES] == [*FILES, "markets/NAME", "lines/NAME"]
    for page in PAGES:
        assert f"\n## {page.file}\n" in reference()


def test_the_reference_in_docs_is_the_one_the_schema_writes():
    remedy = "run: python -m config.reference --write"
    assert PAGE.read_text("utf-8") == reference(), remedy


def test_the_reference_can_be_printed(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == reference()
    assert main(["--help"]) == 2


def test_a_setting_is_found_past_indices_and_names():
    port = find(SipSettings, ("listen", 1, "port"))
    assert port is not None
    assert (port.name, port.words) == ("port", "port from 1 to 65,535")
    assert find(SipSettings, ("nothing",)) is None
