"""Glossaries as files: what is read of them, and what is refused with its line."""

from __future__ import annotations

import pytest

from media.speech import glossary
from media.speech.glossary import GlossaryFault, read
from media.speech.market import Forms, Term

CSV = """\
term,en,es,es.plural,es.gender,es.also,es-MX
# a comment
loan,loan,préstamo,préstamos,m,crédito|empréstito,

rate,"rate, yearly",tipo,,,,tasa
"""
TBX = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">
<martif type="TBX"><text><body>
<termEntry id="c1"><descrip type="subjectField">bank</descrip>
 <langSet xml:lang="en"><tig><term>loan</term></tig></langSet>
 <langSet xml:lang="de">
  <tig><term>Darlehen</term><termNote type="grammaticalGender">neuter</termNote></tig>
  <tig><term>Kredit</term><termNote type="administrativeStatus">deprecatedTerm-admn-sts</termNote></tig>
 </langSet>
</termEntry></body></text></martif>
"""
TBX_NEW = """\
<tbx style="dca" type="TBX-Basic" xmlns="urn:iso:std:iso:30042:ed-2"><text><body>
<conceptEntry id="k"><langSec xml:lang="es-MX"><termSec><term>factura</term></termSec>
<termSec><term>facturas</term><termNote type="grammaticalNumber">plural</termNote></termSec>
</langSec></conceptEntry></body></text></tbx>
"""


def faults(data: str, name: str) -> list[GlossaryFault]:
    return read(data.encode(), name)[1]


def test_a_column_is_a_language_a_region_or_something_about_its_word():
    terms, wrong = read(CSV.encode("utf-8-sig"), "service.csv")
    assert wrong == []
    assert terms == [
        Term(
            "loan",
            {
                "en": Forms("loan"),
                "es": Forms("préstamo", "préstamos", "m", "", ("crédito", "empréstito")),
            },
        ),
        Term("rate", {"en": Forms("rate, yearly"), "es": Forms("tipo"), "es-MX": Forms("tasa")}),
    ]


def test_tbx_of_both_editions_is_read():
    terms, wrong = read(TBX.encode(), "bank.tbx")
    assert wrong == []
    assert terms == [Term("c1", {"en": Forms("loan"), "de": Forms("Darlehen", "", "n", "", ("Kredit",))})]
    terms, wrong = read(TBX_NEW.encode(), "bank.xml")
    assert (terms, wrong) == ([Term("k", {"es-MX": Forms("factura", "facturas")})], [])


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("en,es\nloan,préstamo\n", 1, "does not begin with the column `term`"),
        ("term,spanish\n", 1, "'spanish' is no column"),
        ("term,es,es.colour\n", 1, "is no column"),
        ("term,es,es\n", 1, "is there twice"),
        ("term,es.plural\n", 1, "has no column es"),
        ("term,es\nloan,préstamo\nloan,crédito\n", 3, "'loan' is there twice"),
        ("term,es\nloan,\n", 2, "'loan' is in no language"),
        ("term,es\nloan,a,b\n", 2, "more values than there are columns"),
        ("term,es,es.gender\nloan,préstamo,x\n", 2, "'x' is no gender"),
        ("term,es\nloan," + "a" * 500 + "\n", 2, "value without end"),
        ('term,es\nloan,"a" b\n', 2, "is not CSV"),
    ],
)
def test_a_mistake_in_csv_is_told_with_its_line(text: str, line: int, problem: str):
    [fault] = faults(text, "a.csv")
    assert fault.line == line and problem in fault.problem and fault.remedy


def test_xml_that_attacks_its_reader_is_refused():
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    assert "declares entities" in faults(bomb, "a.tbx")[0].problem
    outside = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert "declares entities" in faults(outside, "a.tbx")[0].problem
    assert "nested too deep" in faults("<a>" * 100, "a.tbx")[0].problem


def test_what_is_broken_or_empty_or_something_else_is_told():
    assert "is not XML" in faults("<tbx><a></tbx>", "a.tbx")[0].problem
    assert "has no concepts" in faults("<tbx></tbx>", "a.tbx")[0].problem
    assert "neither CSV nor TBX" in faults("", "a.txt")[0].problem
    assert "UTF-8" in read(b"term,\xff\n", "a.csv")[1][0].problem


def test_a_glossary_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    assert "bytes" in read(bytes(glossary.MAX_BYTES + 1), "a.csv")[1][0].problem
    monkeypatch.setattr(glossary, "MAX_TERMS", 2)
    terms, wrong = read(b"term,en\na,a\nb,b\nc,c\nd,d\n", "a.csv")
    assert len(terms) == 2 and len(wrong) == 1 and wrong[0].line == 4
