"""Secrets are named in configuration, never written in it: by environment variable, by file, or generated.

A `Secret` never shows its value in a repr, a log line, a diff or an exception; `reveal()` is the only way to
it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_SECRET_BYTES = 16_384


class SecretMissing(Exception):
    """A reference that leads to no value; `remedy` says what to provide."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Secret:
    """source: "env:NAME", "file:PATH" or "generated"; a generated one is empty until it is filled in."""

    source: str
    value: str = field(default="", repr=False)

    @property
    def generated(self) -> bool:
        return self.source == "generated"

    def reveal(self) -> str:
        """The value. Raises SecretMissing for a generated secret that was not filled in yet."""
        if not self.value:
            raise SecretMissing("a generated secret has no value yet", "fill it in with Config.with_secrets")
        return self.value

    def matches(self, offered: str) -> bool:
        """Whether `offered` is the value, compared in constant time."""
        return hmac.compare_digest(self.reveal().encode(), offered.encode())

    def __str__(self) -> str:
        return f"<secret from {self.source}>"


def resolve(reference: object, env: Mapping[str, str], folder: Path) -> Secret:
    """The secret that `{env: NAME}`, `{file: PATH}` or `{generated: true}` leads to. Raises SecretMissing."""
    if not isinstance(reference, Mapping) or len(reference) != 1:
        raise SecretMissing(
            "a secret must be a reference, not a value",
            "write {env: NAME} or {file: PATH}, so that no secret stands in a configuration file",
        )
    kind, name = next(iter(reference.items()))
    if kind == "generated" and name is True:
        return Secret("generated")
    if kind == "env" and isinstance(name, str):
        return _from_env(name, env)
    if kind == "file" and isinstance(name, str):
        return _from_file(folder / name)
    raise SecretMissing(f"{kind!r} with this value leads to no secret", "write {env: NAME} or {file: PATH}")


def _from_env(name: str, env: Mapping[str, str]) -> Secret:
    value = env.get(name, "")
    if not value:
        raise SecretMissing(f"environment variable {name} is not set", f"export {name}=… before the start")
    return Secret(f"env:{name}", value)


def _from_file(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
        value = data.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SecretMissing(
            f"secret file {path} cannot be read ({reason})", "create it, readable by the node's user"
        ) from error
    if not value or len(data) > MAX_SECRET_BYTES:
        raise SecretMissing(
            f"secret file {path} is empty or over {MAX_SECRET_BYTES} bytes", "put the secret alone in it"
        )
    return Secret(f"file:{path}", value)
