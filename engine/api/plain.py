"""What bodies of the API are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, StringConstraints

# Text from outside: no control characters, which no name has and a database may choke on.
PLAIN = r"^[^\x00-\x1f\x7f]*$"
Plain = Annotated[str, StringConstraints(max_length=256, pattern=PLAIN)]

AT = "2026-03-02T09:15:04.250000Z"
MADE_UP = "Sound that was made up for what was missing, where the leg was rendered: ms."


def example(**values: Any) -> ConfigDict:
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [values]})
