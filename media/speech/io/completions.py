"""A model that answers, behind the network: any server of the chat completions API (POST /chat/completions).

It is asked only where an operator has configured it, at that address and no other: redirects are not
followed, proxies of the environment not used, so that nobody else is told the key or what callers said. Its
answer has bounds of size and time, however slowly it comes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPErrorProcessor, HTTPRedirectHandler, ProxyHandler, Request, build_opener

MOST = 256 * 1024  # bytes of an answer
NEVER = (400, 401, 403, 404, 405, 422)  # the same question gets the same answer

Message = Mapping[str, str]


class NoCompletion(Exception):
    """why: what was wrong and what to do, nothing of what was asked. ever: it is of no use to ask again."""

    def __init__(self, why: str, *, ever: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.ever = ever


class _Still(HTTPRedirectHandler):
    """Nobody is sent elsewhere with our key."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Completions:
    """url: of the API, before /chat/completions. model: its name there. key: "" for none. timeout_s: of
    silence, and for the whole of an answer from its beginning. Raises NoCompletion for what cannot be asked.
    """

    def __init__(self, url: str, model: str, key: str = "", timeout_s: float = 4.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoCompletion(f"{url!r} is no address of an endpoint; write https://HOST/v1", ever=True)
        self.name = f"{model or 'endpoint'} at {parts.hostname}"
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := key.strip():
            if not (key.isascii() and key.isprintable()):
                raise NoCompletion(f"the key for {self.name} has characters that no key has", ever=True)
            self._headers["Authorization"] = f"Bearer {key}"
        self._timeout_s = timeout_s
        self._opener = build_opener(ProxyHandler({}), _Still(), HTTPErrorProcessor())

    def ask(self, messages: Sequence[Message], tokens: int) -> str:
        """What it answers; "" where it says nothing. tokens: at most. Blocks; from any thread. Raises
        NoCompletion.
        """
        asked = {"model": self._model, "messages": messages, "temperature": 0, "max_tokens": tokens}
        request = Request(self._url, json.dumps(asked).encode(), self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return self._content(self._read(answer))
        except HTTPError as error:
            error.close()
            why = f"{self.name} answers {error.code}; check its address, model and key"
            raise NoCompletion(why, ever=error.code in NEVER) from error
        except (OSError, HTTPException, UnicodeError) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise NoCompletion(f"{self.name} cannot be reached ({reason})") from error

    def _read(self, answer: HTTPResponse) -> bytes:
        """Raises OSError, HTTPException."""
        until, data = time.monotonic() + self._timeout_s, bytearray()
        while len(data) <= MOST and (some := answer.read1(65536)):
            data += some
            if time.monotonic() > until:
                raise TimeoutError("its answer takes too long")
        return bytes(data)

    def _content(self, data: bytes) -> str:
        try:
            if len(data) > MOST:
                raise ValueError("it is too long")
            content = json.loads(data)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise NoCompletion(
                f"{self.name} answers what is no completion ({type(error).__name__})"
            ) from error
        return content.strip() if isinstance(content, str) else ""
