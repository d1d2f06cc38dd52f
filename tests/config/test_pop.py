"""Templates of pages for calls: a page of the operator's, whatever a call brings along."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from config.pop import _template


@pytest.mark.parametrize(
    "text", ["", "https://crm.example.com/a?n={number}", "http://10.0.0.7/{call}/{name}"]
)
def test_a_page_with_values_of_the_call_is_taken(text: str) -> None:
    assert _template(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert({number})",
        "https://{name}/",
        "https://crm.{market}.example.com/",
        "//crm.example.com/{number}",
        "https://crm.example.com/{colour}",
        "https://crm.example.com/{number!r}",
        "https://crm.example.com/{number:>9}",
        "https://crm.example.com/{number.__class__}",
        "https://crm.example.com/{}",
        "https://crm.example.com/{number",
        "https://crm.example.com/<script>",
    ],
)
def test_what_could_lead_elsewhere_is_a_mistake(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        _template(text)
