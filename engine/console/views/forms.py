"""Fields of forms: a label, what is to be filled in, what it is for, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from engine.console.language import Words
from engine.console.markup import Content, tag
from engine.console.views.pieces import icon


@dataclass(frozen=True, slots=True)
class Form:
    """say: the words. id: no other form's on the page. faults: what is wrong, by field: a key, or words as
    they are. given: what was filled in before, to be there again. form: of the fields, where they stand
    outside of it.
    """

    say: Words
    id: str
    faults: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str, otherwise: str = "") -> str:
        return self.given.get(name, otherwise)

    def text(
        self,
        name: str,
        label: str,
        value: str = "",
        *,
        more: str = "",
        kind: str = "text",
        **attributes: Any,
    ) -> Markup:
        box = tag(
            "input",
            id=f"{self.id}-{name}",
            name=name,
            type=kind,
            value=self.value(name, value) if kind != "password" else None,
            **self._marks(name, more),
            **attributes,
        )
        return self._field(name, label, box, more)

    def secret(self, name: str, label: str, complete: str, more: str = "", **attributes: Any) -> Markup:
        """A password. complete: what a browser may fill in there. It is never sent back."""
        return self.text(
            name, label, more=more, kind="password", autocomplete=complete, maxlength=256, **attributes
        )

    def choice(
        self, name: str, label: str, options: Iterable[tuple[str, str]], value: str = "", *, more: str = ""
    ) -> Markup:
        chosen = self.value(name, value)
        told = [tag("option", words, value=key, selected=key == chosen) for key, words in options]
        box = tag("select", told, id=f"{self.id}-{name}", name=name, **self._marks(name, more))
        return self._field(name, label, box, more)

    def several(
        self,
        name: str,
        label: str,
        options: Sequence[tuple[str, Content]],
        values: Iterable[str],
        *,
        more: str = "",
    ) -> Markup:
        """Any of these, each to be ticked; they are sent as one field, a line each."""
        chosen = set(self.given[name].split("\n")) if name in self.given else set(values)
        boxes = [
            tag(
                "label",
                tag("input", type="checkbox", name=name, value=key, checked=key in chosen),
                tag("span", words),
                class_="check",
                data_key=key,
            )
            for key, words in options
        ]
        marks = self._marks(name, more)
        legend = tag("legend", label)
        inner = tag("div", boxes, class_="checks")
        return tag(
            "fieldset",
            legend,
            self._more(name, more),
            inner,
            self._fault(name),
            class_="field wide",
            aria_describedby=marks["aria_describedby"],
        )

    def _marks(self, name: str, more: str) -> dict[str, str | None]:
        ids = [*([f"{self.id}-{name}-more"] if more else [])]
        if name in self.faults:
            ids.append(f"{self.id}-{name}-fault")
        return {
            "aria_invalid": "true" if name in self.faults else None,
            "aria_describedby": " ".join(ids) or None,
        }

    def _field(self, name: str, label: str, box: Markup, more: str) -> Markup:
        named = tag("label", label, for_=f"{self.id}-{name}")
        return tag(
            "div", named, box, self._more(name, more), self._fault(name), class_="field", data_key=name
        )

    def _more(self, name: str, more: str) -> Markup | None:
        return tag("p", more, id=f"{self.id}-{name}-more", class_="soft small") if more else None

    def _fault(self, name: str) -> Markup | None:
        fault = self.faults.get(name)
        if fault is None:
            return None
        words = self.say.known(fault, fault)
        return tag(
            "p", icon("warning"), tag("span", words), id=f"{self.id}-{name}-fault", class_="field-fault"
        )


def secret(words: str, label: str, copy: str) -> Markup:
    """Something that is shown this once, to be copied."""
    shown = tag("code", words, id="secret", dir="ltr")
    button = tag("button", copy, type="button", data_here="copy", data_copies="secret")
    return tag(
        "div", tag("p", label, class_="strong"), tag("div", shown, button, class_="row"), class_="secret"
    )
