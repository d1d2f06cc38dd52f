"""Session timers: RFC 4028. One end refreshes the session at half time.

Either ends it when no refresh comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.errors import MalformedHeader
from sip.events import Ended
from sip.headers import parse_params
from sip.message import Message, Request, Response
from sip.timeouts import Timeout

if TYPE_CHECKING:
    from sip.session import Session

_TIMER_REFRESH, _TIMER_EXPIRE = "refresh", "session expires"


def read_session_expires(message: Message) -> tuple[int, str | None] | None:
    """(seconds, refresher) of the Session-Expires header field; None when there is none that can be read."""
    value = message.headers.get("Session-Expires")
    if not value:
        return None
    seconds, _, params = value.partition(";")
    seconds = seconds.strip()
    if not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 9:
        return None
    try:
        refresher = dict(parse_params(params)).get("refresher") or ""
    except MalformedHeader:
        return None
    return int(seconds), refresher.lower() if refresher.lower() in ("uac", "uas") else None


class SessionTimer:
    """The timer of one session, at either end and for either role.

    Interval: seconds; 0: the session has none.
    """

    __slots__ = ("_expiry", "_min_se", "_refresh", "_refused", "_session", "interval", "ours")

    def __init__(self, session: Session) -> None:
        settings = session.stack.settings
        self._session = session
        self._min_se = max(settings.min_se, 1)
        self._refused = 0
        self._refresh: Timeout | None = None
        self._expiry: Timeout | None = None
        self.interval = settings.session_expires and max(settings.session_expires, self._min_se)
        self.ours = False  # the refreshing is ours

    # -------------------------------------------------------------------------------------------- as client

    def propose(self, refresher: str | None = None) -> list[tuple[str, str]]:
        """Header fields of our INVITE or UPDATE (section 7.1, and 7.4 for refreshes)."""
        if not self.interval:
            return []
        role = f";refresher={refresher}" if refresher else ""
        return [("Session-Expires", f"{self.interval}{role}"), ("Min-SE", str(self._min_se))]

    def repeat(self) -> list[tuple[str, str]]:
        """Header fields of a refresh: the roles stay as they are."""
        if self._expiry is None:
            return []
        return self.propose("uac" if self.ours else "uas")

    def longer(self, response: Response) -> list[tuple[str, str]] | None:
        """After a 422: the header fields to try again with, or None when trying again is futile.

        Section 7.3.
        """
        minimum = response.number("Min-SE")
        if minimum is None or minimum <= self._refused or minimum > 86_400 or not self.interval:
            return None
        self._refused = minimum
        self._min_se = max(self._min_se, minimum)
        self.interval = max(self.interval, minimum)
        return self.propose()

    def agreed(self, response: Response, now: float) -> None:
        """A 2xx to our INVITE or UPDATE settles it: no Session-Expires, no timer (section 7.2)."""
        asked = read_session_expires(response)
        if asked is None:
            self.stop()
            return
        self._start(asked[0], asked[1] != "uas", now)

    @property
    def runs(self) -> bool:
        """Whether the session ends when nobody refreshes it."""
        return self._expiry is not None

    def resume(self, seconds: int, ours: bool, now: float) -> None:
        """Go on with a timer of `seconds` (0: none) that another user agent kept: nobody knows since when,
        so that a refresh of ours is due soon.
        """
        if not seconds:
            self.stop()
            return
        self._start(seconds, ours, now)
        if ours:
            self._session.stack.timeouts.cancel(self._refresh)
            self._refresh = None
            self.retry(now)

    # -------------------------------------------------------------------------------------------- as server

    def too_short(self, request: Request) -> list[tuple[str, str]] | None:
        """Header fields of the 422 that a request asking for too short a session gets.

        None when it is fine.
        """
        asked = read_session_expires(request)
        if asked is None or asked[0] >= self._min_se or "timer" not in request.headers.tokens("Supported"):
            return None
        return [("Min-SE", str(self._min_se))]

    def accept(self, request: Request, now: float) -> list[tuple[str, str]]:
        """Header fields of our 2xx to an INVITE or UPDATE, which starts the timer anew (section 9)."""
        asked = read_session_expires(request)
        able = "timer" in request.headers.tokens("Supported")
        wanted = self.interval or self._session.stack.settings.session_expires
        if asked is None and not wanted:
            self.stop()
            return []
        minimum = max(self._min_se, request.number("Min-SE") or 0)
        seconds = max(wanted, minimum)
        if asked is not None:
            seconds = max(min(asked[0], seconds) if wanted else asked[0], self._min_se)
        refresher = asked[1] if asked is not None else None
        if not able:
            refresher = "uas"
        elif refresher is None:
            refresher = "uas" if self._session.stack.settings.we_refresh else "uac"
        self._start(seconds, refresher == "uas", now)
        fields = [("Session-Expires", f"{seconds};refresher={refresher}")]
        return [*fields, ("Require", "timer")] if able and refresher == "uac" else fields

    # ----------------------------------------------------------------------------------------------- timers

    def retry(self, now: float) -> None:
        """A refresh of ours failed without ending the session: once more before it expires."""
        if self._expiry is not None and self._refresh is None:
            self._refresh = self._session.stack.timeouts.start(now + self.interval / 8, self, _TIMER_REFRESH)

    def stop(self) -> None:
        """The session has no timer (any more)."""
        timeouts = self._session.stack.timeouts
        timeouts.cancel(self._refresh)
        timeouts.cancel(self._expiry)
        self._refresh = self._expiry = None

    def fire(self, name: str, now: float) -> None:
        """Refresh, or end what nobody refreshed (section 10)."""
        session = self._session
        if name == _TIMER_REFRESH:
            self._refresh = None
            session.renegotiation.refresh(now)
        else:
            self._expiry = None
            session.end(Ended(session, "timer"), now)

    def _start(self, seconds: int, ours: bool, now: float) -> None:
        self.stop()
        timeouts = self._session.stack.timeouts
        self.interval = seconds = max(seconds, self._min_se)
        self.ours = ours
        if ours:
            self._refresh = timeouts.start(now + seconds / 2, self, _TIMER_REFRESH)
        self._expiry = timeouts.start(now + seconds - min(32.0, seconds / 3), self, _TIMER_EXPIRE)
