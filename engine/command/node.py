"""The node that is asked, by its API: where it is, and the token that is shown to it.

Both are told by flags, else by the environment, else found out: `data_dir/running.json` says where a node of
this folder runs, and the configuration has an operator's token. That one is shown to a node on this machine
alone: whoever names another host has to name a token for it, too. A token is never taken from a flag, for
other users of the machine see those.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from engine.command.fault import NotDone, Told, Unreachable

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from config.glance import Glance

API, TOKEN, TOKEN_FILE = "ISOGLOSS_API", "ISOGLOSS_API_TOKEN", "ISOGLOSS_API_TOKEN_FILE"
PATIENCE_S = 120.0  # prompts may have to be spoken
SILENCE_S = 45.0  # of a stream that gives a sign of life every 15 s
MOST_BYTES = 256 * 1024 * 1024  # of one answer
MOST_TOKEN = 4096
PAGE = 1000  # items; the most that the API gives at once

Query = Mapping[str, Any]


class Node:
    """The one that runs from this folder, or the one that was named. Raises Unreachable, NotDone."""

    def __init__(self, options: argparse.Namespace) -> None:
        named = options.api or os.environ.get(API, "")
        given, self.source = _given_token(options)
        if named and not given and not _here(named):
            raise Unreachable(
                f"the configuration's own token is not shown to another machine; set {TOKEN} or name a "
                f"--token-file for {named}"
            )
        self.base, self._token = named.rstrip("/"), given
        if not (named and given):
            seen = _seen(options.config, options.data)
            self.base = self.base or _found(seen)
            if not given:
                self._token, self.source = _own_token(seen), "the configuration"
        self._opener = urllib.request.build_opener(
            _NoRedirect, *([urllib.request.ProxyHandler({})] if _here(self.base) else [])
        )

    # --- asking -----------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
    ) -> Any:
        answer = self.fetch(method, path, body, headers, query)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise Unreachable(f"{self.base} is no node's API: it does not answer with JSON") from error

    def fetch(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
    ) -> bytes:
        """The answer as it came."""
        with self._open(method, path, body, headers, query, PATIENCE_S) as answer:
            try:
                content: bytes = answer.read(MOST_BYTES + 1)
            except (OSError, HTTPException) as error:
                raise self._nobody(error) from error
        if len(content) > MOST_BYTES:
            raise Unreachable(f"the answer of {self.base} is longer than {MOST_BYTES} bytes")
        return content

    def change(self, path: str, wish: Told, status: Told) -> Told:
        """Once, and only where what runs is what was looked at."""
        headers = {"If-Match": f'"{status["version"]["number"]}"', "Idempotency-Key": uuid4().hex}
        answer: Told = self.ask("POST", path, wish, headers)
        return answer

    def pages(self, path: str, query: Query | None = None) -> Iterator[Told]:
        """Every item of a list."""
        wanted: dict[str, Any] = {**(query or {}), "limit": PAGE}
        while True:
            page = self.ask("GET", path, query=wanted)
            yield from page["items"]
            if not page.get("next"):
                return
            wanted["cursor"] = page["next"]

    def stream(self, path: str, query: Query, last: str) -> HTTPResponse:
        """A stream of events that is open until somebody ends it. last: the id that was had last."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        return self._open("GET", path, None, headers, query, SILENCE_S)

    def _open(
        self,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str] | None,
        query: Query | None,
        patience_s: float,
    ) -> HTTPResponse:
        wanted = {name: value for name, value in (query or {}).items() if value not in (None, "", ())}
        tail = f"?{urllib.parse.urlencode(wanted, doseq=True)}" if wanted else ""
        try:
            asked = urllib.request.Request(
                self.base + path + tail,
                data=None if body is None else json.dumps(body).encode(),
                headers={
                    "Authorization": f"Bearer {self._token}",
                    **({} if body is None else {"Content-Type": "application/json"}),
                    **(headers or {}),
                },
                method=method,
            )
            answer: HTTPResponse = self._opener.open(asked, timeout=patience_s)
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from error
        except (OSError, HTTPException, ValueError) as error:
            raise self._nobody(error) from error
        return answer

    def _nobody(self, error: Exception) -> Unreachable:
        reason = getattr(error, "reason", None) or error
        said = getattr(reason, "strerror", None) or reason
        return Unreachable(
            f"no node answers at {self.base} ({said}); start one with `isogloss serve`, or say where it is "
            f"by --api or {API}"
        )

    def _refusal(self, error: urllib.error.HTTPError) -> NotDone:
        with error:
            try:
                problem = dict(json.loads(error.read(MOST_BYTES)))
            except (ValueError, TypeError, OSError, HTTPException):
                problem = {"status": error.code, "detail": f"{self.base} answered {error.code}"}
        if 300 <= error.code < 400:
            where = error.headers.get("Location", "elsewhere")
            problem["detail"] = f"{self.base} leads on to {where}; name that address by --api or {API}"
        more = ""
        if error.code == 401:
            more = f"the token is from {self.source}: name another by --token-file or {TOKEN}"
        elif error.code == 403:
            more = f"docs/access.md says which role may; the token is from {self.source}"
        return NotDone(problem, more)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is not followed: the token would go along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage,
        newurl: str,
    ) -> None:  # fmt: skip
        return None


# --- finding it -----------------------------------------------------------------------------------


def _given_token(options: argparse.Namespace) -> tuple[str, str]:
    """The token that was named, "" for none; and by what. Raises Unreachable."""
    file = options.token_file or (Path(os.environ[TOKEN_FILE]) if os.environ.get(TOKEN_FILE) else None)
    if file is not None and (options.token_file or not os.environ.get(TOKEN)):
        try:
            with file.open("rb") as opened:
                found = opened.read(MOST_TOKEN).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unreachable(f"the token's file {file} cannot be read ({error})") from error
        if not found or not _is_token(found):
            raise Unreachable(f"the token's file {file} holds no token; put the token alone in it")
        return found, str(file)
    found = os.environ.get(TOKEN, "").strip()
    if not _is_token(found):  # what is wrong with it would be told with it
        raise Unreachable(f"{TOKEN} holds no token; set it to the token alone")
    return found, TOKEN


def _is_token(text: str) -> bool:
    """Whether it goes into a header."""
    return text.isascii() and text.isprintable()


def _found(seen: Glance) -> str:
    """Where a node of these files is. Raises Unreachable."""
    from engine.running import Running

    found = Running(seen.data_dir).look() if seen.data_dir is not None else None
    if found is not None and found.api:
        return found.api
    if seen.api is None or not seen.api.enabled:
        raise Unreachable(
            f"where the node is cannot be told from these files; name --api or --data, or set {API}"
        )
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(seen.api.address, seen.api.address)
    return f"http://{f'[{host}]' if ':' in host else host}:{seen.api.port}"


def _here(base: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        host = urllib.parse.urlsplit(base).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seen(folder: Path, data: Path | None) -> Glance:
    """The files, or where they have faults the version that runs: who may ask the node, and where it is."""
    from config.glance import Glance, glance

    found = glance(folder, os.environ)
    where = data or found.data_dir
    if where is not None and found.api is None:
        from engine.history import History

        history = History(where, kept=1)
        current = history.current()
        if current is not None:
            found = glance(folder, os.environ, history.texts(current.number))
    return Glance(where, found.api)


def _own_token(seen: Glance) -> str:
    """An operator's, as configured or as the node made it up. Raises Unreachable."""
    from config.service import ApiRole

    for name, each in seen.api.tokens.items() if seen.api is not None else ():
        if each.role is not ApiRole.OPERATOR:
            continue
        if not each.token.generated:
            return each.token.reveal()
        try:
            return ((seen.data_dir or Path()) / "secrets" / "api" / name).read_text().strip()
        except OSError:
            continue
    raise Unreachable(
        f"no operator's token is at hand; set {TOKEN} or {TOKEN_FILE}, name a --token-file, or run this as "
        "the node's user"
    )
